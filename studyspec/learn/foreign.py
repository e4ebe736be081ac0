"""Networks in formats that are not ours, as torch modules that give two channels of logits."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studyspec.errors import LearnError

LEAST = 1e-7
"""Probabilities are kept this far from 0 and 1."""


class Segmenter(nn.Module):
    """A network whose output is brought to logits of background and particle.

    Parameters
    ----------
    network
        Images (B, 1, H, W) to (B, 2, H, W), background and particle, or (B, 1, H, W), particle.
    output
        "logits" or "probabilities".
    """

    def __init__(self, network: nn.Module, output: str) -> None:
        super().__init__()
        self._network, self._output = network.eval(), output

    def forward(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> logits (B, 2, H, W)."""
        found = self._network(x)
        if not isinstance(found, Tensor) or found.dim() != 4 or found.shape[1] not in (1, 2):
            shape = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
            raise LearnError(
                f"the network gives {shape} for images {tuple(x.shape)}",
                hint="expected (B, 2, H, W), or (B, 1, H, W) of the particle",
            )
        if found.shape[2:] != x.shape[2:]:
            raise LearnError(
                f"the network gives masks of {tuple(found.shape[2:])} pixels for images of "
                f"{tuple(x.shape[2:])}"
            )
        if found.shape[1] == 1:
            particle = torch.logit(found, LEAST) if self._output == "probabilities" else found
            return torch.cat([torch.zeros_like(particle), particle], dim=1)
        return torch.log(found.clamp(LEAST, 1.0)) if self._output == "probabilities" else found


class OnnxNetwork(nn.Module):
    """An ONNX file, run by onnxruntime on the CPU."""

    def __init__(self, session: Any) -> None:
        super().__init__()
        self._session = session
        self._input = session.get_inputs()[0].name

    def forward(self, x: Tensor) -> Tensor:
        """What the file's first output is for its only input."""
        (found, *_) = self._session.run(None, {self._input: x.detach().cpu().numpy()})
        return torch.from_numpy(found).to(x.device)


def open_torchscript(path: Path) -> nn.Module:
    """A TorchScript file.

    Raises
    ------
    LearnError
        If it is none.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # people still have such files
            return torch.jit.load(str(path), map_location="cpu")  # type: ignore[no-any-return, no-untyped-call]
    except (RuntimeError, ValueError) as error:
        raise LearnError(
            f"not a TorchScript file: {str(error).splitlines()[0]}",
            where=str(path),
            hint="torch.jit.save makes one; weights alone need studyspec networks convert",
        ) from None


def open_onnx(path: Path) -> nn.Module:
    """An ONNX file.

    Raises
    ------
    LearnError
        If it is none, or onnxruntime is not installed.
    """
    try:
        import onnxruntime
    except ImportError:
        raise LearnError(
            "onnxruntime is not installed", where=str(path), hint="pip install 'studyspec[onnx]'"
        ) from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # onnxruntime's own exceptions have no common parent
        raise LearnError(
            f"not an ONNX file: {str(error).splitlines()[0]}", where=str(path)
        ) from None
    return OnnxNetwork(session)

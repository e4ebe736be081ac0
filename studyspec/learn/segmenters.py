"""Segmenters: networks on disk as torch modules that give logits of background and particle.

Weights of an architecture, TorchScript, ONNX, and what a factory makes; trained here or elsewhere.
"""

from __future__ import annotations

import importlib
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.building import default_model, promised
from studyspec.learn.folding import folded
from studyspec.learn.networks import TORCHSCRIPT, NetworkFile, describe, fingerprint
from studyspec.learn.weights import load_network

LEAST = 1e-7
"""Probabilities are kept this far from 0 and 1."""


def load(file: NetworkFile, fold: bool = True) -> nn.Module:
    """The network of a file, on the CPU, in evaluation mode.

    It turns images (B, 1, H, W) into logits (B, 2, H, W), or says that it does not. Where `fold`,
    its batch norms are folded into its convolutions, which is sooner.

    Raises
    ------
    LearnError
        If it cannot be loaded, is no longer the one that was planned, or is code that nobody said
        to run.
    PluginError
        If its architecture is not installed.
    """
    file.check_trust()
    path = None if file.file is None else Path(file.file)
    if fingerprint(path, file.factory, Path(file.folder)) != file.sha256:
        raise LearnError(
            "the network changed since the run was planned",
            where=str(file.file or file.factory),
            hint="run again: what descends from it is planned anew",
        )
    if file.factory is not None:
        return Segmenter(_made(file.factory, file), file.output)
    assert path is not None
    if path.suffix == ".onnx":
        return Segmenter(_onnx(path), file.output)
    if path.suffix == TORCHSCRIPT:
        return Segmenter(_torchscript(path), file.output)
    model = file.model or describe(path).model or default_model()
    network = load_network(path, model).eval()
    return promised(folded(network) if fold else network, model).eval()


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

    def __init__(self, session: Any) -> None:  # onnxruntime has no types
        super().__init__()
        self._session = session
        self._input = session.get_inputs()[0].name

    def forward(self, x: Tensor) -> Tensor:
        """What the file's first output is for its only input."""
        (found, *_) = self._session.run(None, {self._input: x.detach().cpu().numpy()})
        return torch.from_numpy(found).to(x.device)


def _made(factory: str, file: NetworkFile) -> nn.Module:
    module, _, name = factory.partition(":")
    if file.folder not in sys.path:
        sys.path.insert(0, file.folder)
    try:
        build: Callable[..., object] = getattr(importlib.import_module(module), name)
        network = build(file.file) if file.file else build()
    except Exception as error:  # whatever the user's own code raises
        what = f"the factory failed: {type(error).__name__}: {error}"
        raise LearnError(what, where=factory) from error
    if not isinstance(network, nn.Module):
        what = f"the factory returned a {type(network).__name__}, not a torch module"
        raise LearnError(what, where=factory)
    return network


def _torchscript(path: Path) -> nn.Module:
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


def _onnx(path: Path) -> nn.Module:
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

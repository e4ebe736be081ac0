"""Weights on disk: safetensors whose SHA-256 is the identity of a network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from studyspec.errors import LearnError
from studyspec.learn.network import ResidualUNet
from studyspec.spec.settings import ModelSettings

State = dict[str, Tensor]


def save(state: Mapping[str, Tensor], path: Path, metadata: Mapping[str, str] | None = None) -> str:
    """Write weights (on the CPU, contiguous) and return the SHA-256 of the file.

    Equal weights and metadata give equal bytes.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    save_file(tensors, path, dict(metadata or {}))
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load(path: Path) -> State:
    """Read weights.

    Raises
    ------
    LearnError
        If the file is missing or no safetensors file.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise LearnError("no such network", where=str(path)) from None
    except (SafetensorError, OSError) as error:
        raise LearnError(
            f"not a safetensors file: {error}", where=str(path), hint="expected *.safetensors"
        ) from None


def metadata(path: Path) -> dict[str, str]:
    """What the file says of itself beside the weights."""
    try:
        with safe_open(path, framework="pt") as file:
            return dict(file.metadata() or {})
    except (SafetensorError, OSError) as error:
        raise LearnError(f"not a safetensors file: {error}", where=str(path)) from None


def load_network(path: Path, settings: ModelSettings | None = None) -> ResidualUNet:
    """A network from its weights, in evaluation mode.

    The released networks of Sytwu et al. load with the default settings: their names are ours.

    Raises
    ------
    LearnError
        If names or shapes are not those of the network that the settings describe.
    """
    network = ResidualUNet(settings or ModelSettings())
    state = load(path)
    wanted = network.state_dict()
    wrong = sorted(set(wanted) ^ set(state))
    wrong += [n for n in wanted if n in state and wanted[n].shape != state[n].shape]
    if wrong:
        raise LearnError(
            f"the weights do not fit this network: {wrong[0]}"
            + (f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""),
            where=str(path),
            hint="expected the names and shapes of the residual U-Net with the [model] settings",
        )
    network.load_state_dict(state)
    return network.eval()


def equal(a: Mapping[str, Tensor], b: Mapping[str, Tensor]) -> bool:
    """Whether two sets of weights are the same to the last bit."""
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)

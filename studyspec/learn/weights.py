"""Weights on disk: safetensors whose SHA-256 is the identity of a network."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from studyspec.errors import LearnError, PluginError
from studyspec.files import whole
from studyspec.learn.building import build, default_model
from studyspec.learn.networks import (
    ENTRY,
    Description,
    NetworkFile,
    describe,
    fingerprint,
    unreadable,
)
from studyspec.spec.identity import canonical_json
from studyspec.spec.uses import Use

State = dict[str, Tensor]


def save(state: Mapping[str, Tensor], path: Path, description: Description | None = None) -> str:
    """Write weights and return the SHA-256 of the file; the same input gives the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    said = description or Description()
    with whole(path) as half:
        save_file(tensors, half, {ENTRY: canonical_json(said.written())})
        with half.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> State:
    """Read weights.

    Raises
    ------
    LearnError
        If the file is missing or no safetensors file.
    """
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from None


def read_planned(file: NetworkFile) -> State:
    """Read the weights of a network that was planned with.

    Raises
    ------
    LearnError
        If they are missing, or no longer those of then.
    """
    path = Path(file.file or "")
    if fingerprint(path, None, path.parent) != file.sha256:
        raise LearnError(
            "the weights changed since the run was planned",
            where=str(path),
            hint="run again: what descends from them is planned anew",
        )
    return read(path)


def load_network(path: Path, model: Use | None = None) -> nn.Module:
    """A network from its weights, on the CPU, in evaluation mode.

    Parameters
    ----------
    path
        Weights of ours, or one of the released networks of Sytwu et al. (their names are ours).
    model
        Its architecture; default: as the file describes it, or the published one.

    Raises
    ------
    PluginError
        If the architecture is not installed.
    LearnError
        If names or shapes are not those of the architecture's network.
    """
    use = model or describe(path).model or default_model()
    try:
        network = build(use, 0)
    except PluginError as error:
        raise PluginError(error.what, where=str(path), hint=error.hint) from error
    fill(network, read(path), use, str(path))
    return network.eval()


def fill(network: nn.Module, state: Mapping[str, Tensor], model: Use, where: str = "") -> None:
    """Give a network of an architecture these weights, copied.

    Raises
    ------
    LearnError
        If names or shapes are not those of the network.
    """
    wanted = network.state_dict()
    wrong = sorted(set(wanted) ^ set(state))
    wrong += [n for n in wanted if n in state and wanted[n].shape != state[n].shape]
    if wrong:
        others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise LearnError(
            f"the weights do not fit this network: {wrong[0]}{others}",
            where=where,
            hint=f"expected the names and shapes of '{model.name}' with the [model] settings",
        )
    network.load_state_dict(state)

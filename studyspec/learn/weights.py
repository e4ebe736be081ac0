"""Weights on disk: safetensors whose SHA-256 is the identity of a network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from studyspec.errors import LearnError
from studyspec.learn.given import ENTRY
from studyspec.learn.network import ResidualUNet
from studyspec.spec.identity import canonical_json
from studyspec.spec.settings import ModelSettings, PreprocessSettings

State = dict[str, Tensor]


@dataclass(frozen=True)
class Description:
    """What a file of weights says of itself: how to rebuild the network and to prepare its images.

    The released networks say nothing; they are described by the defaults.
    """

    model: ModelSettings = field(default_factory=ModelSettings)
    preprocess: PreprocessSettings = field(default_factory=PreprocessSettings)


def save(state: Mapping[str, Tensor], path: Path, description: Description | None = None) -> str:
    """Write weights and return the SHA-256 of the file; the same input gives the same bytes."""
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
    said = description or Description()
    tables = {
        "model": said.model.model_dump(mode="json"),
        "preprocess": said.preprocess.model_dump(mode="json"),
    }
    save_file(tensors, path, {ENTRY: canonical_json(tables)})
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
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None


def describe(path: Path) -> Description:
    """What a file of weights says of itself.

    Raises
    ------
    LearnError
        If the file is missing, no safetensors file, or says what this version cannot read.
    """
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(ENTRY, "{}")
    except (SafetensorError, OSError) as error:
        raise _unreadable(path, error) from None
    try:
        tables = json.loads(text)
        return Description(
            ModelSettings.model_validate(tables.get("model", {})),
            PreprocessSettings.model_validate(tables.get("preprocess", {})),
        )
    except (ValueError, AttributeError) as error:
        raise LearnError(
            f"its description cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            hint="use the version of studyspec that wrote it",
        ) from None


def load_network(path: Path, settings: ModelSettings | None = None) -> ResidualUNet:
    """A network from its weights, on the CPU, in evaluation mode.

    Parameters
    ----------
    path
        Weights of ours, or one of the released networks of Sytwu et al. (their names are ours).
    settings
        The model; default: as the file describes it.

    Raises
    ------
    LearnError
        If names or shapes are not those of the network that the settings describe.
    """
    network = ResidualUNet(settings or describe(path).model)
    state = load(path)
    wanted = network.state_dict()
    wrong = sorted(set(wanted) ^ set(state))
    wrong += [n for n in wanted if n in state and wanted[n].shape != state[n].shape]
    if wrong:
        others = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise LearnError(
            f"the weights do not fit this network: {wrong[0]}{others}",
            where=str(path),
            hint="expected the names and shapes of the residual U-Net with the [model] settings",
        )
    network.load_state_dict(state)
    return network.eval()


def _unreadable(path: Path, error: Exception) -> LearnError:
    if isinstance(error, FileNotFoundError):
        return LearnError("no such network", where=str(path))
    return LearnError(
        f"not a safetensors file: {error}", where=str(path), hint="expected *.safetensors"
    )

"""Conversion: pickled weights and modules, as published, to safetensors. Only tensors go over."""

from __future__ import annotations

import pickle
import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from studyspec.errors import LearnError
from studyspec.files import whole
from studyspec.learn.conditions import released_conditions
from studyspec.learn.networks import Description
from studyspec.learn.unpickling import Refused, module_state
from studyspec.learn.weights import load_network, save


def convert(source: Path, target: Path) -> str:
    """Turn pickled weights of the residual U-Net into safetensors; the SHA-256 of the new file.

    Tensors, numbers and containers are read, and of a pickled module its tensors, its classes being
    empty stubs; all else is refused, and nothing in the file is executed. What the name of a
    released network says of its training goes into the new file.

    Raises
    ------
    LearnError
        If the file holds anything else, or the weights of another network.
    """
    state = _state(source)
    said = Description(conditions=released_conditions(source.stem))
    with whole(target) as half:
        sha = save(state, half, said)
        try:
            load_network(half)
        except LearnError as error:
            raise LearnError(error.what, where=str(source), hint=error.hint) from None
    return sha


def _state(source: Path) -> Mapping[str, Tensor]:
    """The state dict in a file: the file itself, an entry of it, or what a module in it holds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old pickles are what this is for
            _refuse_archives(source)
            return _tensors(_unpickled(source), source)
    except FileNotFoundError:
        raise LearnError("no such file", where=str(source)) from None
    except Refused as error:
        raise LearnError(
            f"{error}, which could run anything: not read",
            where=str(source),
            hint="ask its authors for the state dict alone",
        ) from None
    except LearnError:
        raise
    except Exception as error:  # what unpicklers raise of a broken or a hostile file has no end
        text = str(error)
        raise LearnError(
            f"no pickled weights: {text.splitlines()[0] if text else 'cut short'}",
            where=str(source),
        ) from None


def _unpickled(source: Path) -> object:
    """What a file of weights alone holds, or the state of the module in it."""
    try:
        return torch.load(source, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError):
        return module_state(source)


def _refuse_archives(source: Path) -> None:
    """Refuse programs: torch would hand a TorchScript archive to another loader."""
    if zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            if any(name.endswith("constants.pkl") for name in archive.namelist()):
                raise LearnError(
                    "a TorchScript program, not weights",
                    where=str(source),
                    hint="name it .pt, and use it as it is",
                )


def _tensors(found: object, source: Path) -> Mapping[str, Tensor]:
    """The state dict in what was read: itself, or the one entry of it that is one."""
    if isinstance(found, Mapping):
        tables = [found, *(value for value in found.values() if isinstance(value, Mapping))]
        for table in tables:
            if table and all(isinstance(value, Tensor) for value in table.values()):
                return {str(name): tensor.clone() for name, tensor in table.items()}
    raise LearnError(
        "no state dict in it", where=str(source), hint="expected names with tensors, as torch saves"
    )

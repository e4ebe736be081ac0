"""Conversion: pickled weights, as published, to safetensors. Nothing but tensors is admitted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from studyspec.errors import LearnError
from studyspec.files import whole
from studyspec.learn.weights import load_network, save


def convert(source: Path, target: Path) -> str:
    """Turn pickled weights of the residual U-Net into safetensors; the SHA-256 of the new file.

    The file is read by torch's unpickler for weights, which builds tensors, numbers and containers
    and refuses all else: nothing in the file is executed.

    Raises
    ------
    LearnError
        If the file holds anything else, or the weights of another network.
    """
    state = _tensors(_unpickled(source), source)
    with whole(target) as half:
        sha = save(state, half)
        try:
            load_network(half)
        except LearnError as error:
            raise LearnError(error.what, where=str(source), hint=error.hint) from None
    return sha


def _unpickled(source: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # old pickles are what this is for
            return torch.load(source, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise LearnError("no such file", where=str(source)) from None
    except MemoryError:
        raise
    except Exception as error:  # the unpickler raises anything at all on a broken file
        text = str(error)
        if "Unsupported" in text or "GLOBAL" in text or "weights_only" in text.lower():
            raise LearnError(
                "it holds more than tensors, which could run anything: not read",
                where=str(source),
                hint="ask its authors for the state dict alone",
            ) from None
        raise LearnError(
            f"no pickled weights: {text.splitlines()[0] if text else 'cut short'}",
            where=str(source),
        ) from None


def _tensors(found: object, source: Path) -> Mapping[str, Tensor]:
    """The state dict in a file: the file itself, or the one entry of it that is one."""
    if isinstance(found, Mapping):
        tables = [found, *(value for value in found.values() if isinstance(value, Mapping))]
        for table in tables:
            if table and all(isinstance(value, Tensor) for value in table.values()):
                return {str(name): tensor.clone() for name, tensor in table.items()}
    raise LearnError(
        "no state dict in it", where=str(source), hint="expected names with tensors, as torch saves"
    )

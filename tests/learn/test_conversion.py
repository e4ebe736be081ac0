from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.building import build
from studyspec.learn.conversion import convert
from studyspec.learn.networks import identify
from studyspec.learn.weights import load_network
from studyspec.spec.foreign import ForeignNetwork
from tests.learn.patches import model


@pytest.mark.parametrize("key", [None, "model_state_dict"])
def test_pickled_weights_become_safetensors(tmp_path: Path, key: str | None) -> None:
    state = build(model(), 0).state_dict()
    torch.save(state if key is None else {key: state, "epoch": 3}, tmp_path / "n.h5")
    sha = convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    told = identify("theirs", ForeignNetwork(weights="n.safetensors"), tmp_path)
    assert sha == told.sha256
    assert told.model is None
    found = load_network(tmp_path / "n.safetensors").state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


class Bomb:
    """Writes a file where it is unpickled by anything that runs what it reads."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_nothing_in_a_pickle_is_run(tmp_path: Path, writer: str) -> None:
    bomb = {"weights": Bomb(tmp_path / "exploded")}
    if writer == "torch":
        torch.save(bomb, tmp_path / "n.h5")
    else:
        (tmp_path / "n.h5").write_bytes(pickle.dumps(bomb))
    with pytest.raises(LearnError):
        convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "n.safetensors").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(nn.Conv2d(1, 2, 3).state_dict(), tmp_path / "n.h5")
    with pytest.raises(LearnError, match="do not fit this network"):
        convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert list(tmp_path.iterdir()) == [tmp_path / "n.h5"]

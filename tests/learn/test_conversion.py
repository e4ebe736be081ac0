from __future__ import annotations

import pickle
import sys
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.building import build
from studyspec.learn.conversion import convert
from studyspec.learn.networks import describe, identify
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


def pickled_module(path: Path, zipped: bool = True) -> dict[str, torch.Tensor]:
    """A file as the published ones: the whole of a module whose class is `__main__.UNet`."""
    module = build(model(), 0)
    main = sys.modules["__main__"]
    kept = type(module)
    cls = type("UNet", (kept,), {"__module__": "__main__", "__qualname__": "UNet"})
    module.__class__ = cls
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "UNet", cls, raising=False)
        torch.save(module, path, _use_new_zipfile_serialization=zipped)
    return module.state_dict()


@pytest.mark.filterwarnings("ignore:Couldn't retrieve source code")  # torch's, of the old form
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickled_module_becomes_safetensors(tmp_path: Path, zipped: bool) -> None:
    source = tmp_path / "UNet_5nmAg205kX420eUTC_fold3_seed1_model.h5"
    state = pickled_module(source, zipped)
    convert(source, tmp_path / "n.safetensors")
    found = load_network(tmp_path / "n.safetensors").state_dict()
    assert found.keys() == state.keys()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())
    known = describe(tmp_path / "n.safetensors").conditions
    assert known.words == "Ag, 5 nm, 0.033 nm/px, 420 e/Å²"


class Evil(nn.Module):
    """A module with something in it that runs when it is unpickled."""

    def __init__(self, bomb: object) -> None:
        super().__init__()
        self.bomb = bomb


class Loader:
    """Loads another pickle by the one function of torch that reads anything."""

    def __reduce__(self) -> tuple[object, ...]:
        return torch.storage._load_from_bytes, (b"",)


@pytest.mark.parametrize("zipped", [True, False])
def test_nothing_in_a_pickled_module_is_run(tmp_path: Path, zipped: bool) -> None:
    bombs = (Bomb(tmp_path / "exploded"), Loader())
    for bomb in bombs:
        torch.save(Evil(bomb), tmp_path / "n.h5", _use_new_zipfile_serialization=zipped)
        with pytest.raises(LearnError, match="could run anything: not read"):
            convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert not (tmp_path / "exploded").exists()


def test_a_program_is_no_weights(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "n.h5", "w") as archive:
        archive.writestr("n/data.pkl", b"")
        archive.writestr("n/constants.pkl", b"")
    with pytest.raises(LearnError, match="a TorchScript program"):
        convert(tmp_path / "n.h5", tmp_path / "n.safetensors")


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

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studyspec.errors import LearnError
from studyspec.learn.network import build, placed
from studyspec.learn.weights import Description, describe, load, load_network, save
from studyspec.spec.settings import ModelSettings, PreprocessSettings

SMALL = ModelSettings(first_filters=2, kernel_sizes=(3, 5) * 5, dilations=(1, 2, 1, 1, 1))
PREPROCESS = PreprocessSettings.model_validate({"patch": {"size": 64}})


def test_what_is_saved_is_loaded_and_named_by_its_hash(tmp_path: Path) -> None:
    state = build(SMALL, 1).state_dict()
    sha256 = save(state, tmp_path / "x.safetensors")
    assert sha256 == hashlib.sha256((tmp_path / "x.safetensors").read_bytes()).hexdigest()
    loaded = load(tmp_path / "x.safetensors")
    assert all(torch.equal(loaded[name], state[name]) for name in state | loaded)


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    said = Description(SMALL, PREPROCESS)
    plain, laid_out = build(SMALL, 1), placed(build(SMALL, 1), "cpu")
    hashes = {save(network.state_dict(), tmp_path / "x", said) for network in (plain, laid_out)}
    backwards = dict(reversed(list(plain.state_dict().items())))
    assert hashes == {save(backwards, tmp_path / "x", said)}


def test_a_file_rebuilds_its_network_and_names_its_preparation(tmp_path: Path) -> None:
    network = build(SMALL, 1).eval()
    save(network.state_dict(), tmp_path / "x", Description(SMALL, PREPROCESS))
    x = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(load_network(tmp_path / "x")(x), network(x))
    assert describe(tmp_path / "x") == Description(SMALL, PREPROCESS)


def test_a_file_that_says_nothing_is_a_network_of_the_paper(tmp_path: Path) -> None:
    save_file(build(ModelSettings(), 1).state_dict(), tmp_path / "x", {"source": "elsewhere"})
    assert describe(tmp_path / "x") == Description()
    assert not load_network(tmp_path / "x").training


def test_other_settings_do_not_fit(tmp_path: Path) -> None:
    save(build(SMALL, 1).state_dict(), tmp_path / "x")
    with pytest.raises(LearnError, match=r"x: the weights do not fit this network: \S+ and \d+ mo"):
        load_network(tmp_path / "x", ModelSettings())


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    state = build(SMALL, 1).state_dict()
    del state["bottleneck.bn1.bias"]
    save(state, tmp_path / "x")
    with pytest.raises(LearnError, match=r"do not fit this network: bottleneck\.bn1\.bias;"):
        load_network(tmp_path / "x", SMALL)


def test_a_description_from_the_future_is_an_error(tmp_path: Path) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "x", {"studyspec": '{"model": {"depth": 6}}'})
    with pytest.raises(LearnError, match=r"cannot be read.*; use the version"):
        describe(tmp_path / "x")


@pytest.mark.parametrize("reader", [load, describe])
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, reader: object) -> None:
    assert callable(reader)
    (tmp_path / "x").write_bytes(b"not weights")
    with pytest.raises(LearnError, match=r"x: not a safetensors file: .*; expected"):
        reader(tmp_path / "x")
    with pytest.raises(LearnError, match=r"y: no such network"):
        reader(tmp_path / "y")

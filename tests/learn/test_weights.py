from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from studyspec.errors import LearnError, PluginError
from studyspec.learn.building import build
from studyspec.learn.networks import Description, describe
from studyspec.learn.weights import load_network, read, save
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from tests.learn.patches import model

SMALL = model(first_filters=2, kernel_sizes=(3, 5) * 5, dilations=(1, 2, 1, 1, 1))
PATCHES = PreprocessSettings.model_validate({"patch": {"size": 64}})
SAID = Description(model=SMALL, pipeline=Pipeline.of(PATCHES))


def test_what_is_saved_is_read_and_named_by_its_hash(tmp_path: Path) -> None:
    state = build(SMALL, 1).state_dict()
    sha256 = save(state, tmp_path / "x.safetensors")
    assert sha256 == hashlib.sha256((tmp_path / "x.safetensors").read_bytes()).hexdigest()
    found = read(tmp_path / "x.safetensors")
    assert all(torch.equal(found[name], state[name]) for name in state | found)


def test_the_same_weights_give_the_same_bytes(tmp_path: Path) -> None:
    laid_out = build(SMALL, 1)
    plain = {name: tensor.contiguous() for name, tensor in laid_out.state_dict().items()}
    backwards = dict(reversed(list(plain.items())))
    states = (laid_out.state_dict(), plain, backwards)
    assert len({save(state, tmp_path / "x", SAID) for state in states}) == 1


@pytest.mark.parametrize(
    "use", [SMALL, model(name="plain_unet", levels=2), model(norm="group", first_filters=2)]
)
def test_a_file_rebuilds_its_network_and_tells_its_preparation(tmp_path: Path, use: object) -> None:
    said = SAID.model_copy(update={"model": use})
    network = build(said.model or SMALL, 1).eval()
    save(network.state_dict(), tmp_path / "x", said)
    x = torch.randn(1, 1, 32, 32)
    with torch.no_grad():
        assert torch.equal(load_network(tmp_path / "x")(x), network(x))
    assert describe(tmp_path / "x") == said


def test_a_file_that_says_nothing_is_a_network_of_the_paper(tmp_path: Path) -> None:
    state = {n: t.contiguous() for n, t in build(model(), 1).state_dict().items()}
    save_file(state, tmp_path / "x", {"source": "elsewhere"})
    assert describe(tmp_path / "x") == Description()
    assert not load_network(tmp_path / "x").training


def test_other_settings_do_not_fit(tmp_path: Path) -> None:
    save(build(SMALL, 1).state_dict(), tmp_path / "x")
    with pytest.raises(LearnError, match=r"x: the weights do not fit this network: \S+ and \d+ mo"):
        load_network(tmp_path / "x", model())


def test_a_missing_weight_is_named(tmp_path: Path) -> None:
    state = build(SMALL, 1).state_dict()
    del state["bottleneck.bn1.bias"]
    save(state, tmp_path / "x")
    with pytest.raises(LearnError, match=r"do not fit this network: bottleneck\.bn1\.bias;"):
        load_network(tmp_path / "x", SMALL)


def test_an_architecture_that_is_not_installed_is_told_with_the_file(tmp_path: Path) -> None:
    theirs = SMALL.model_copy(update={"name": "theirs"})
    save(build(SMALL, 1).state_dict(), tmp_path / "x", Description(model=theirs))
    with pytest.raises(PluginError, match=r"x: no architecture 'theirs' is installed; is a pack"):
        load_network(tmp_path / "x")


@pytest.mark.parametrize(
    "said", ['{"model": {"depth": 6}}', '{"preprocess": {}}', "[1]", "not json"]
)
def test_a_description_of_another_version_is_an_error(tmp_path: Path, said: str) -> None:
    save_file({"a": torch.zeros(1)}, tmp_path / "x", {"studyspec": said})
    with pytest.raises(LearnError, match=r"cannot be read.*; use the version"):
        describe(tmp_path / "x")


def test_what_is_at_its_default_is_not_written(tmp_path: Path) -> None:
    assert json.loads(json.dumps(Description(model=model()).written())) == {
        "model": {"name": "residual_unet", "recipe": 1}
    }


@pytest.mark.parametrize("reader", [read, describe])
def test_a_file_of_another_kind_is_an_error(tmp_path: Path, reader: object) -> None:
    assert callable(reader)
    (tmp_path / "x").write_bytes(b"not weights")
    with pytest.raises(LearnError, match=r"x: not a safetensors file: .*; expected"):
        reader(tmp_path / "x")
    with pytest.raises(LearnError, match=r"y: no such network"):
        reader(tmp_path / "y")

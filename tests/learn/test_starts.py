"""Trainings that start from the weights of another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from studyspec.errors import LearnError
from studyspec.learn.building import build
from studyspec.learn.checkpoints import Checkpoint, Interrupted
from studyspec.learn.networks import NetworkFile
from studyspec.learn.training import train
from studyspec.learn.weights import read_planned, save
from tests.learn.patches import discs, learning

TRAIN, VALIDATION = discs(10, seed=1), discs(3, seed=2)
ASKED = learning()


@pytest.fixture(scope="module")
def start() -> dict[str, Tensor]:
    return train(discs(10, seed=5), discs(3, seed=6), ASKED, 962).state


def weights(state: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: one for name, one in state.items() if name.endswith(("weight", "bias"))}


def test_with_hardly_any_step_the_network_is_its_start(start: dict[str, Tensor]) -> None:
    tiny = learning(training={"learning_rate": 1e-12})
    tuned = train(TRAIN, VALIDATION, tiny, 1662, start=start)
    for name, one in weights(tuned.state).items():
        assert torch.allclose(one, start[name], atol=1e-9), name


def test_the_start_is_left_as_it_was_and_counts(start: dict[str, Tensor]) -> None:
    before = {name: one.clone() for name, one in start.items()}
    tuned, fresh = (train(TRAIN, VALIDATION, ASKED, 962, start=one) for one in (start, None))
    assert all(torch.equal(before[name], one) for name, one in start.items())
    assert tuned.history[0].train_loss < fresh.history[0].train_loss


@pytest.mark.parametrize(
    "more",
    [{}, {"average": 0.9}, {"optimizer": "adamw", "weight_decay": 0.5}],
    ids=["plain", "averaged", "decayed"],
)
def test_frozen_parts_stay_bit_for_bit(start: dict[str, Tensor], more: dict[str, Any]) -> None:
    asked = learning(training={"freeze": ["downs", "ups.0"], **more})
    tuned = train(TRAIN, VALIDATION, asked, 962, start=start).state
    frozen = {name for name in start if name.startswith(("downs.", "ups.0."))}
    assert any("running_var" in name for name in frozen)
    assert all(torch.equal(tuned[name], start[name]) for name in frozen)
    others = weights(start).keys() - frozen
    assert not any(torch.equal(tuned[name], start[name]) for name in others)


def test_a_resumed_tuning_equals_an_undisturbed_one(
    start: dict[str, Tensor], tmp_path: Path
) -> None:
    asked = learning(training={"freeze": ["downs"], "average": 0.9})
    answers = iter([False, False, False, True])
    stopped = Checkpoint(tmp_path / "x.pt", should_stop=lambda: next(answers))
    with pytest.raises(Interrupted):
        train(TRAIN, VALIDATION, asked, 962, checkpoint=stopped, start=start)
    going_on = Checkpoint(tmp_path / "x.pt")
    resumed = train(TRAIN, VALIDATION, asked, 962, checkpoint=going_on, start=start)
    whole = train(TRAIN, VALIDATION, asked, 962, start=start)
    assert all(torch.equal(resumed.state[name], whole.state[name]) for name in whole.state)


def test_weights_of_another_architecture_are_no_start(start: dict[str, Tensor]) -> None:
    wider = learning(model={"first_filters": 4})
    with pytest.raises(LearnError, match=r"weights do not fit this network: .* and \d+ more; exp"):
        train(TRAIN, VALIDATION, wider, 962, start=start)


def test_an_unknown_frozen_part_ends_the_training_at_once() -> None:
    asked = learning(training={"freeze": ["encoder"]})
    with pytest.raises(LearnError, match=r"training.freeze: the network has no part 'encoder'"):
        train(TRAIN, VALIDATION, asked, 962)


def test_weights_that_changed_since_the_plan_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    sha256 = save(build(ASKED.model, 1).state_dict(), path)
    file = NetworkFile(name="x", sha256=sha256, file=str(path))
    assert read_planned(file).keys() == build(ASKED.model, 1).state_dict().keys()
    save(build(ASKED.model, 2).state_dict(), path)
    with pytest.raises(
        LearnError, match="the weights changed since the run was planned; run again"
    ):
        read_planned(file)

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from studyspec.errors import PluginError
from studyspec.learn.objective import Objective
from studyspec.plugins.contracts import Loss, Schedule
from studyspec.plugins.settings import Empty
from studyspec.spec.sections import TrainingNumbers
from tests.learn.patches import learning, others

LABELS = torch.zeros(2, 4, 4, dtype=torch.int64)


class OddLoss(Loss[Empty]):
    """Gives whatever it is told to."""

    name, settings = "odd", Empty

    def __init__(self, do: Any) -> None:
        self._do = do

    def describe(self, settings: Empty) -> str:
        return "odd"

    def loss(self, logits: Tensor, labels: Tensor, settings: Empty) -> Tensor:
        found: Tensor = self._do(logits)
        return found


class OddSchedule(Schedule[Empty]):
    """Gives whatever it is told to."""

    name, settings = "odd", Empty

    def __init__(self, found: Any) -> None:
        self._found = found

    def describe(self, settings: Empty) -> str:
        return "odd"

    def factor(self, step: int, steps: int, settings: Empty) -> float:
        found: float = self._found / 1
        return found


def objective(loss: Any = torch.mean, factor: Any = 1.0) -> Objective:
    """With a loss and a schedule of others."""
    told = others(OddLoss(loss), Empty()), others(OddSchedule(factor), Empty())
    return Objective(*told, TrainingNumbers(epochs=3))


@pytest.mark.parametrize(
    ("loss", "what"),
    [
        (lambda z: z, r"a tensor of shape \(2, 2, 4, 4\) and type torch.float32, not one"),
        (lambda z: 3.0, "it gives a float, not one real number"),
        (lambda z: z.sum().long(), r"of shape \(\) and type torch.int64"),
        (lambda z: z.sum().detach(), "it gives what no gradient comes from"),
        (lambda z: z.nothing, "AttributeError"),
    ],
)
def test_a_loss_that_is_no_number_names_its_distribution(loss: Any, what: str) -> None:
    logits = torch.ones(2, 2, 4, 4, requires_grad=True)
    with pytest.raises(PluginError, match=rf"loss 'odd' of extras 1\.2 failed: .*{what}"):
        objective(loss).loss(logits, LABELS)


def test_a_loss_may_diverge() -> None:
    logits = torch.ones(2, 2, 4, 4, requires_grad=True)
    assert torch.isnan(objective(lambda z: (z * float("nan")).sum()).loss(logits, LABELS))


@pytest.mark.parametrize("factor", [float("nan"), float("inf"), -0.5, "half"])
def test_a_schedule_that_gives_no_factor_names_its_distribution(factor: Any) -> None:
    asked = objective(factor=factor)
    optimizer = asked.optimizer(nn.Conv2d(1, 1, 1))
    with pytest.raises(PluginError, match=r"schedule 'odd' of extras 1\.2 failed: "):
        asked.set_rate(optimizer, 0, 5)


def test_a_factor_multiplies_the_learning_rate() -> None:
    asked = objective(factor=0.25)
    optimizer = asked.optimizer(nn.Conv2d(1, 1, 1))
    asked.set_rate(optimizer, 0, 5)
    assert optimizer.param_groups[0]["lr"] == 0.25 * asked.numbers.learning_rate


@pytest.mark.parametrize(("name", "kind"), [("adam", "Adam"), ("adamw", "AdamW")])
def test_the_optimizer_is_the_one_asked_for(name: str, kind: str) -> None:
    asked = Objective.of(learning(training={"optimizer": name, "weight_decay": 0.1}))
    optimizer = asked.optimizer(nn.Conv2d(1, 1, 1))
    assert type(optimizer).__name__ == kind
    assert optimizer.param_groups[0]["weight_decay"] == 0.1

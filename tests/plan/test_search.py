from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from studyspec.errors import StudySpecError
from studyspec.plan.search import Loss, search
from studyspec.spec.search import SearchSettings

pytest.importorskip("optuna")
SPACE: dict[str, Any] = {
    "training.learning_rate": {"low": 1e-4, "high": 1e-1, "log": True},
    "training.batch_size": {"low": 8, "high": 32, "step": 8},
    "model.dilations": [[1, 1, 1, 1, 1], [1, 1, 2, 2, 2]],
}


def settings(**changes: Any) -> SearchSettings:
    table: dict[str, Any] = {"space": SPACE, "datasets": ["tuning"], "trials": 10, "batch": 3}
    return SearchSettings.model_validate(table | changes)


def bowl(values: Mapping[str, Any]) -> float:
    """Lowest at a learning rate of 0.01 and a batch of 16."""
    rate, batch = values["training.learning_rate"], values["training.batch_size"]
    return float(abs(rate - 0.01) + abs(batch - 16) / 100)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_every_trial_lies_in_the_space(sampler: str) -> None:
    found = search(settings(sampler=sampler), bowl)
    assert [trial.number for trial in found.trials] == list(range(10))
    for trial in found.trials:
        rate = trial.values["training.learning_rate"]
        assert isinstance(rate, float)
        assert 1e-4 <= rate <= 1e-1
        assert trial.values["training.batch_size"] in (8, 16, 24, 32)
        assert trial.values["model.dilations"] in SPACE["model.dilations"]
    assert found.best is not None
    assert found.best.loss == min(bowl(trial.values) for trial in found.trials)


def test_a_search_asks_batch_by_batch_and_goes_on_where_it_was() -> None:
    known: dict[str, float] = {}

    def as_far_as_known(values: Mapping[str, Any]) -> Loss:
        return known.get(repr(values))

    rounds = []
    while not (found := search(settings(), as_far_as_known)).finished:
        rounds.append(len(found.trials))
        known |= {repr(trial.values): bowl(trial.values) for trial in found.trials}
    assert rounds == [3, 6, 9, 10]
    assert found == search(settings(), bowl)


def test_tpe_learns_where_it_is_good() -> None:
    losses = [trial.loss for trial in search(settings(trials=40), bowl).trials]
    assert sum(filter(None, losses[-10:])) < sum(filter(None, losses[:10]))


def test_a_grid_tries_every_combination_once() -> None:
    space = {"training.batch_size": [8, 16], "model.first_filters": [4, 8, 16]}
    found = search(settings(sampler="grid", space=space, trials=99), lambda values: 1.0)
    tried = {tuple(trial.values.values()) for trial in found.trials}
    assert len(found.trials) == len(tried) == 6


def test_failed_trials_do_not_win() -> None:
    def sometimes(values: Mapping[str, Any]) -> float:
        return float("inf") if values["training.batch_size"] == 16 else bowl(values)

    best = search(settings(), sometimes).best
    assert best is not None
    assert best.values["training.batch_size"] != 16
    with pytest.raises(StudySpecError, match="all 10 trials of the search failed"):
        search(settings(), lambda values: float("inf"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"space": {"training.epoch": [1, 2]}}, "did you mean 'training.epochs'"),
        ({"space": {"training.batch_size": [0, 4]}}, "cannot be 0"),
        ({"space": {"training.batch_size": {"low": 9, "high": 3}}}, "low must be less than high"),
        ({"sampler": "grid"}, "needs a list"),
    ],
)
def test_a_space_that_cannot_be_searched_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        settings(**changes)

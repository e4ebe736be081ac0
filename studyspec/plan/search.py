"""Search: which trials to train next, and which won. Pure, but that Optuna draws the trials.

The sampler is handed every finished trial in order and asked for the next batch, from the same
seed: so a plan made anew after an interruption asks for the same trials.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np
from pydantic import JsonValue

from studyspec.errors import StudySpecError
from studyspec.spec.search import SearchRange, SearchSettings

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution
    from optuna.samplers import BaseSampler
    from optuna.trial import Trial as AskedTrial

Loss = float | None
"""The validation loss of a trial; None: not known yet; not finite: it failed."""


@dataclass(frozen=True)
class Trial:
    """One trial: the values of the searched settings, and what came of it, if it is known."""

    number: int
    values: Mapping[str, JsonValue]
    loss: Loss


@dataclass(frozen=True)
class Progress:
    """All trials asked for so far, in order; `best` is there once all are finished."""

    trials: tuple[Trial, ...]
    best: Trial | None

    @property
    def finished(self) -> bool:
        """Whether nothing is left to try."""
        return self.best is not None


def search(
    settings: SearchSettings, loss_of: Callable[[Mapping[str, JsonValue]], Loss]
) -> Progress:
    """Ask for trials, batch by batch, as far as their results are known.

    Parameters
    ----------
    settings
        What to search.
    loss_of
        The validation loss of a trial of these values.

    Raises
    ------
    StudySpecError
        If Optuna is not installed, or every trial failed.
    """
    sampler = _Sampler(settings)
    trials: list[Trial] = []
    while len(trials) < sampler.total:
        n = min(settings.batch, sampler.total - len(trials))
        values = [sampler.ask() for _ in range(n)]
        batch = [Trial(len(trials) + i, each, loss_of(each)) for i, each in enumerate(values)]
        trials += batch
        if any(trial.loss is None for trial in batch):
            return Progress(tuple(trials), None)
        sampler.tell(batch)
    won = [trial for trial in trials if trial.loss is not None and trial.loss < float("inf")]
    if not won:
        raise StudySpecError(
            f"all {len(trials)} trials of the search failed",
            hint="studyspec status says why; narrow search.space",
        )
    return Progress(tuple(trials), min(won, key=lambda trial: (trial.loss, trial.number)))


class _Sampler:
    """Optuna's samplers over the space; values that are no plain ones are drawn by their place."""

    def __init__(self, settings: SearchSettings) -> None:
        try:
            import optuna
        except ImportError:
            raise StudySpecError(
                "a search needs Optuna", hint="pip install 'studyspec[search]'"
            ) from None
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._space = settings.space
        self._lists = {k: v for k, v in settings.space.items() if not isinstance(v, SearchRange)}
        self._distributions = {k: self._distribution(v) for k, v in settings.space.items()}
        self.total = settings.trials
        self._grid: list[dict[str, JsonValue]] = []
        if settings.sampler == "grid":
            combinations = product(*self._lists.values())
            points = [dict(zip(self._lists, each, strict=True)) for each in combinations]
            order = np.random.default_rng(settings.seed).permutation(len(points))
            self._grid = [points[i] for i in order][: self.total]
            self.total = len(self._grid)
        if settings.sampler in ("grid", "random"):
            sampler: BaseSampler = optuna.samplers.RandomSampler(seed=settings.seed)
        else:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                sampler = optuna.samplers.TPESampler(seed=settings.seed, constant_liar=True)
        self._study = optuna.create_study(sampler=sampler)
        self._asked: list[AskedTrial] = []

    def ask(self) -> dict[str, JsonValue]:
        """The values of the next trial."""
        if self._grid:
            return self._grid.pop(0)
        trial = self._study.ask(self._distributions)
        self._asked.append(trial)
        return {
            name: self._lists[name][drawn] if name in self._lists else drawn
            for name, drawn in trial.params.items()
        }

    def tell(self, batch: list[Trial]) -> None:
        """What came of the trials asked for last."""
        from optuna.trial import TrialState

        for asked, trial in zip(self._asked, batch if self._asked else (), strict=True):
            if trial.loss is None or trial.loss == float("inf"):
                self._study.tell(asked, state=TrialState.FAIL)
            else:
                self._study.tell(asked, trial.loss)
        self._asked = []

    @staticmethod
    def _distribution(space: list[object] | SearchRange) -> BaseDistribution:
        from optuna.distributions import (
            CategoricalDistribution,
            FloatDistribution,
            IntDistribution,
        )

        if not isinstance(space, SearchRange):
            return CategoricalDistribution(range(len(space)))
        if space.whole:
            step = int(space.step or 1)
            return IntDistribution(int(space.low), int(space.high), step=step)
        return FloatDistribution(space.low, space.high, log=space.log, step=space.step)

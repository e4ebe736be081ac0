"""Trials of a search as jobs, and the variant that the search found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import JsonValue

from studyspec.jobs.stages import Job
from studyspec.plan.datasets import ResolvedDataset, image_set
from studyspec.plan.expansion import trial_job
from studyspec.plan.preparation import Files, Preparation
from studyspec.plan.record import PlannedTrial
from studyspec.plan.search import Loss, Progress, search
from studyspec.spec.search import SearchSettings, with_settings
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant

TrialLoss = Callable[[str], Loss]


@dataclass(frozen=True)
class Searched:
    """How far a search has come: the jobs of its trials, and the variants to plan for now.

    Until all trials are finished, the variant that it is to find is left out.
    """

    progress: Progress
    jobs: tuple[Job, ...]
    trials: tuple[PlannedTrial, ...]
    variants: tuple[Variant, ...]


def plan_search(
    settings: SearchSettings,
    variants: Sequence[Variant],
    base: StageSettings,
    datasets: Mapping[str, ResolvedDataset],
    files: Files,
    loss_of: TrialLoss,
) -> Searched:
    """The trials that a search asks for now.

    Parameters
    ----------
    loss_of
        The lowest validation loss of a training, by its key; None if it is not done, infinite if
        it failed for good.
    """
    preparation = Preparation(files)
    sets = [image_set(name, datasets) for name in settings.datasets]
    jobs: dict[tuple[tuple[str, str], ...], list[Job]] = {}

    def trained(values: Mapping[str, JsonValue]) -> list[Job]:
        asked = tuple((name, repr(value)) for name, value in values.items())
        if asked not in jobs:
            epochs = {} if settings.epochs is None else {"training.epochs": settings.epochs}
            trial = with_settings(base, {**epochs, **values})
            jobs[asked] = [trial_job(one, trial, len(jobs), preparation) for one in sets]
        return jobs[asked]

    def mean_loss(values: Mapping[str, JsonValue]) -> Loss:
        losses = [loss_of(job.key) for job in trained(values)]
        known = [loss for loss in losses if loss is not None]
        return sum(known) / len(known) if len(known) == len(losses) else None

    progress = search(settings, mean_loss)
    rows = [
        PlannedTrial(
            trial=trial.number,
            settings=dict(trial.values),
            networks=tuple(job.key for job in trained(trial.values)),
            best=progress.best is not None and progress.best.number == trial.number,
        )
        for trial in progress.trials
    ]
    trainings = {job.key: job for each in jobs.values() for job in each}
    return Searched(
        progress,
        (*preparation.jobs.values(), *trainings.values()),
        tuple(rows),
        tuple(_found(settings, variants, base, progress)),
    )


def _found(
    settings: SearchSettings,
    variants: Sequence[Variant],
    base: StageSettings,
    progress: Progress,
) -> list[Variant]:
    if progress.best is None:
        return [variant for variant in variants if variant.name != settings.variant]
    values = dict(progress.best.values)
    return [
        replace(variant, settings=with_settings(base, values), changes=values)
        if variant.name == settings.variant
        else variant
        for variant in variants
    ]

"""Small results folders made of real records: what the tests of the store start from."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from pydantic import JsonValue

from studyspec.catalog.row import ImageRow
from studyspec.jobs.evaluate import Evaluate, Evaluated, EvaluateInputs, ScoreColumns
from studyspec.jobs.prepare import Prepare, Prepared, PrepareInputs
from studyspec.jobs.stages import Job
from studyspec.jobs.task import ImagePlace, Result
from studyspec.jobs.train import EpochRow, Train, Trained, TrainInputs
from studyspec.spec.identity import digest
from studyspec.spec.sections import PatchSettings
from studyspec.spec.uses import Learning, Pipeline, Use
from studyspec.store.folder import Results
from studyspec.store.planned import write_plan
from studyspec.store.record_file import (
    Circumstances,
    Failure,
    Json,
    Record,
    Status,
    new_record,
    write_record,
)

PATCH = 16
"""Edge of a patch [px]."""
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
Further = dict[str, str | int | float | bool]
COUNTS = ("tp", "fp", "fn", "tn", "loss_sum", "soft_intersection", "soft_sum")
LEARNING = Learning(
    model=Use(name="residual_unet", recipe=1),
    loss=Use(name="cross_entropy", recipe=1),
    schedule=Use(name="constant", recipe=1),
)


@dataclass(frozen=True)
class Cell:
    """A fold of a cell as a plan has it."""

    variant: str
    train: str
    test: str
    fold: int
    network: str
    evaluation: str
    split: str = "test"


@dataclass(frozen=True)
class Dataset:
    """A dataset: its members, and its images with the columns that they have."""

    name: str
    images: tuple[ImageRow, ...]

    @property
    def prepares(self) -> list[Job]:
        """The jobs that prepare its images."""
        return [prepare(row) for row in self.images]


@dataclass(frozen=True)
class Study:
    """The jobs of a plan and its cells."""

    jobs: tuple[Job, ...]
    cells: tuple[Cell, ...]
    plan: Json

    def stage(self, stage: str) -> list[Job]:
        """The jobs of one stage."""
        return [job for job in self.jobs if job.stage == stage]


@dataclass(frozen=True)
class Variant:
    """A variant: its pairs of training and test set, its folds, and what it changes."""

    pairs: tuple[tuple[str, str], ...]
    folds: int = 2
    name: str = "base"
    changes: tuple[tuple[str, JsonValue], ...] = ()


def dataset(name: str, images: int = 2, further: Further | None = None) -> Dataset:
    """A dataset of a few images, with columns of the user's own."""
    return Dataset(
        name,
        tuple(
            ImageRow(
                f"{name}/{i}",
                "mine",
                f"{name}-{i}.tif",
                f"{name}-{i}.png",
                material=name,
                diameter_nm=5.0,
                further=further or {},
            )
            for i in range(images)
        ),
    )


def variant(
    names: Sequence[str], folds: int = 2, name: str = "base", **changes: JsonValue
) -> Variant:
    """Every dataset against every other one."""
    pairs = tuple((train, test) for train in names for test in names)
    return Variant(pairs, folds, name, tuple(changes.items()))


def prepare(row: ImageRow) -> Job:
    """The preparation of an image."""
    pipeline = Pipeline(steps=(), patch=PatchSettings(size=PATCH))
    task = Prepare(image=digest(row.image_id), label=digest("l"), pipeline=pipeline)
    place = ImagePlace(row=row, catalog="/catalog.parquet", cache="/cache")
    return Job(task, PrepareInputs(place=place))


def train(members: Sequence[Dataset], fold: int = 0, seed: int = 0) -> Job:
    """The training of a network."""
    keys = tuple(tuple(job.key for job in one.prepares) for one in members)
    task = Train(members=keys, learning=LEARNING, fold=fold, seed=seed)
    return Job(task, TrainInputs(sources={}))


def evaluate(network: str, members: Sequence[Dataset]) -> Job:
    """The test of a network."""
    rows = [row for one in members for row in one.images]
    keys = tuple(prepare(row).key for row in rows)
    inputs = EvaluateInputs(image_ids=tuple(row.image_id for row in rows), sources={})
    return Job(Evaluate(network=network, images=keys), inputs)


def study(datasets: Sequence[Dataset], *variants: Variant, name: str, profile: str | None) -> Study:
    """All jobs and cells, and the plan that names them."""
    by_name = {one.name: one for one in datasets}
    jobs: dict[str, Job] = {job.key: job for one in datasets for job in one.prepares}
    cells = []
    for seed, one in enumerate(variants):
        for trained, tested in one.pairs:
            for fold in range(one.folds):
                network = train([by_name[n] for n in trained.split("+")], fold, seed)
                test = evaluate(network.key, [by_name[n] for n in tested.split("+")])
                jobs |= {network.key: network, test.key: test}
                cells.append(Cell(one.name, trained, tested, fold, network.key, test.key))
    ordered = sorted(
        jobs.values(), key=lambda job: ("prepare", "train", "evaluate").index(job.stage)
    )
    plan = _plan(datasets, variants, ordered, cells) | {"study": name, "profile": profile}
    return Study(tuple(ordered), tuple(cells), plan)


def _plan(
    datasets: Sequence[Dataset],
    variants: Sequence[Variant],
    jobs: Iterable[Job],
    cells: Sequence[Cell],
) -> Json:
    lists: dict[str, JsonValue] = {}

    def listed(keys: Sequence[str]) -> str:
        lists[digest(list(keys))] = list(keys)
        return digest(list(keys))

    images = {one.name: [row.image_id for row in one.images] for one in datasets}
    unions = {name for cell in cells for name in (cell.train, cell.test)}
    named = [*images, *sorted(unions - set(images))]
    members = {name: name.split("+") for name in named}
    tasks = [job.task for job in jobs]
    return {
        "question": "why?",
        "spec": {},
        "source": "",
        "cells": [dict(vars(cell)) for cell in cells],
        "variants": {one.name: dict(one.changes) for one in variants},
        "datasets": {
            name: {
                "label": "drawn",
                "members": list(members[name]),
                "images": [image for member in members[name] for image in images[member]],
            }
            for name in named
        },
        "images": {row.image_id: {**row.to_json()} for one in datasets for row in one.images},
        "networks": {
            task.key: {"members": [listed(member) for member in task.members]}
            for task in tasks
            if isinstance(task, Train)
        },
        "evaluations": {
            task.key: {"images": listed(task.images)}
            for task in tasks
            if isinstance(task, Evaluate)
        },
        "lists": lists,
    }


def write_study(
    results: Results,
    datasets: Sequence[Dataset],
    *variants: Variant,
    name: str = "small",
    profile: str | None = None,
) -> Study:
    """Record a plan; return what it implies."""
    made = study(datasets, *variants, name=name, profile=profile)
    write_plan(results, made.plan)
    return made


def write_done(
    results: Results, job: Job, result: Result | None = None, after_s: float = 0.0
) -> Path:
    """Record a job as done; `after_s` tells earlier from later."""
    record = new_record(job, "done", circumstances(), result or result_of(job))
    return write_record(results, at(record, after_s))


def write_failed(
    results: Results,
    job: Job,
    status: Status = "error",
    after_s: float = 0.0,
    kind: str = "ValueError",
) -> Path:
    """Record a failure."""
    failure = Failure(kind=kind, message="it broke", hint="mend it")
    record = new_record(job, status, circumstances(), error=failure)
    return write_record(results, at(record, after_s))


def at(record: Record, after_s: float) -> Record:
    """The record as if it had been written so long after the beginning [s]."""
    finished = BEGIN + timedelta(seconds=after_s)
    return replace(record, head=record.head.model_copy(update={"finished_at": finished}))


def circumstances() -> Circumstances:
    """A new attempt on a CPU."""
    return Circumstances(uuid4().hex, BEGIN, 1.5, "cpu", "a CPU", 1000, "run/logs/x.log")


def result_of(job: Job, seed: int | None = None) -> Result:
    """A result that follows from the key, or from a seed."""
    draw = random.Random(job.key if seed is None else seed)
    if isinstance(job.task, Prepare):
        return Prepared(patches=4, height_px=64, width_px=64, bytes=9, particle_fraction=0.3)
    if isinstance(job.task, Train):
        return trained(digest(draw.random()), draw.random())
    assert isinstance(job.inputs, EvaluateInputs)
    ids = job.inputs.image_ids
    return evaluated(ids, random_scores(draw, len(ids)))


def trained(weights: str, loss: float = 0.5) -> Trained:
    """What a training of two epochs comes to."""
    epochs = [EpochRow(epoch=n, train_loss=loss, validation_loss=loss, seconds=1.0) for n in (1, 2)]
    return Trained(
        weights_sha256=weights,
        best_epoch=2,
        precision="float32",
        n_train=10,
        n_validation=2,
        parameters=130682,
        history=tuple(epochs),
    )


def evaluated(
    image_ids: Sequence[str], scores: ScoreColumns, weights: str = "weights"
) -> Evaluated:
    """What an evaluation comes to."""
    return Evaluated(weights_sha256=weights, image_ids=tuple(image_ids), scores=scores)


def random_scores(
    draw: random.Random, images: int, patches: int = 3, forms: int = 2
) -> ScoreColumns:
    """Counts of patches in several orientations."""
    rows = []
    for image in range(images):
        for patch in range(patches):
            for orientation in range(forms):
                tp, fp, fn = (draw.randint(0, 30) for _ in range(3))
                place = {"image": image, "row": 0, "col": 10 * patch, "orientation": orientation}
                soft = {"soft_intersection": tp * 0.9, "soft_sum": 2.0 * tp + fp + fn}
                counts = {"tp": tp, "fp": fp, "fn": fn, "tn": PATCH**2 - tp - fp - fn}
                rows.append({**place, **counts, "loss_sum": draw.random() * 100, **soft})
    return ScoreColumns.model_validate({name: [row[name] for row in rows] for name in rows[0]})


def write_all_done(results: Results, made: Study) -> None:
    """Record every job as done; evaluations with the weights of their networks."""
    weights: dict[str, str] = {}
    for number, job in enumerate(made.jobs):
        result = result_of(job)
        if isinstance(result, Trained):
            weights[job.key] = result.weights_sha256
        if isinstance(result, Evaluated) and isinstance(job.task, Evaluate):
            result = result.model_copy(update={"weights_sha256": weights[job.task.network]})
        write_done(results, job, result, number)

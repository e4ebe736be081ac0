"""Small results folders made of real records: what the tests of the store start from."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from studyspec.catalog.row import ImageRow
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.jobs import Job
from studyspec.plan.preparation import Files
from studyspec.plan.record import Question, plan_record
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.identity import digest
from studyspec.spec.settings import StageSettings
from studyspec.spec.variants import Variant
from studyspec.store.layout import Results
from studyspec.store.records import Circumstances, new_record, write_plan, write_record

BEGIN = datetime(2030, 1, 1, tzinfo=UTC)
COUNTS = ("tp", "fp", "fn", "tn", "loss_sum", "soft_intersection", "soft_sum")
Scores = dict[str, list[Any]]


def dataset(name: str, images: int = 2, **further: Any) -> ResolvedDataset:
    """A dataset of a few images, with columns of the user's own."""
    rows = [
        ImageRow(
            f"{name}/{i}",
            "mine",
            f"{name}-{i}.tif",
            f"{name}-{i}.png",
            material=name,
            diameter_nm=5.0,
            further=further,
        )
        for i in range(images)
    ]
    planned = (
        PlannedImage(row, "drawn", digest(row.image_id), digest([row.image_id])) for row in rows
    )
    return ResolvedDataset(name, DatasetFilter(), tuple(planned))


def variant(names: Sequence[str], folds: int = 2, name: str = "base", **changes: Any) -> Variant:
    """Every dataset against every other one."""
    settings = StageSettings.model_validate({"cross_validation": {"folds": folds}})
    pairs = tuple((train, test) for train in names for test in names)
    return Variant(name, settings, pairs, changes)


def expansion(datasets: Sequence[ResolvedDataset], *variants: Variant) -> Expansion:
    """All jobs and cells."""
    by_name = {dataset.name: dataset for dataset in datasets}
    return expand_jobs(variants, by_name, Files("/catalog.parquet", "/cache"))


def write_study(
    results: Results,
    datasets: Sequence[ResolvedDataset],
    *variants: Variant,
    study: str = "small",
    profile: str | None = None,
) -> Expansion:
    """Record a plan; return what it implies."""
    expanded = expansion(datasets, *variants)
    by_name = {dataset.name: dataset for dataset in datasets}
    question = Question(study, "why?", profile, {}, "")
    write_plan(results, plan_record(question, variants, by_name, expanded))
    return expanded


def write_done(
    results: Results, job: Job, result: Mapping[str, Any] | None = None, after_s: float = 0.0
) -> Path:
    """Record a job as done; `after_s` tells earlier from later."""
    record = new_record(job, "done", circumstances(), result or result_of(job))
    finished = BEGIN + timedelta(seconds=after_s)
    return write_record(results, {**record, "finished_at": finished.isoformat()})


def write_failed(results: Results, job: Job, status: Any = "error", after_s: float = 0.0) -> Path:
    """Record a failure."""
    error = {"kind": "ValueError", "message": "it broke", "hint": "mend it"}
    record = new_record(job, status, circumstances(), error=error)
    finished = BEGIN + timedelta(seconds=after_s)
    return write_record(results, {**record, "finished_at": finished.isoformat()})


def circumstances() -> Circumstances:
    """A new attempt on a CPU."""
    return Circumstances(uuid4().hex, BEGIN, 1.5, "cpu", "a CPU", 1000, "run/logs/x.log")


def result_of(job: Job, seed: int | None = None) -> dict[str, Any]:
    """A result that follows from the key, or from a seed."""
    draw = random.Random(job.key if seed is None else seed)
    if job.stage == "prepare":
        return {"patches": 4, "height_px": 64, "width_px": 64, "bytes": 9, "particle_fraction": 0.3}
    if job.stage == "train":
        loss = {"train_loss": draw.random(), "validation_loss": draw.random(), "seconds": 1.0}
        return {
            "weights_sha256": digest(draw.random()),
            "history": [{"epoch": 1, **loss}, {"epoch": 2, **loss}],
            "best_epoch": 2,
            "precision": "float32",
            "n_train": 10,
            "n_validation": 2,
            "parameters": 130682,
        }
    images = job.inputs["image_ids"]
    scores = random_scores(draw, len(images))
    return {"weights_sha256": digest("weights"), "image_ids": images, "scores": scores}


def random_scores(draw: random.Random, images: int, patches: int = 3, forms: int = 2) -> Scores:
    """Counts of patches of 100 pixels in several orientations."""
    scores: Scores = {name: [] for name in ("image", "row", "col", "orientation", *COUNTS)}
    for image in range(images):
        for patch in range(patches):
            for orientation in range(forms):
                tp, fp, fn = (draw.randint(0, 30) for _ in range(3))
                place = {"image": image, "row": 0, "col": 10 * patch, "orientation": orientation}
                soft = {"soft_intersection": tp * 0.9, "soft_sum": 2.0 * tp + fp + fn}
                counts = {"tp": tp, "fp": fp, "fn": fn, "tn": 100 - tp - fp - fn}
                row = {**place, **counts, "loss_sum": draw.random() * 100, **soft}
                for name, value in row.items():
                    scores[name].append(value)
    return scores


def write_all_done(results: Results, expanded: Expansion) -> None:
    """Record every job as done; evaluations with the weights of their networks."""
    weights: dict[str, str] = {}
    for number, job in enumerate(expanded.jobs):
        result = result_of(job)
        if job.stage == "train":
            weights[job.key] = result["weights_sha256"]
        if job.stage == "evaluate":
            result["weights_sha256"] = weights[job.ingredients["network"]]
        write_done(results, job, result, number)

"""Made-up frames of a study, of any size, for the tests of the page."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import numpy as np

from studyspec.jobs.kept import KeptPatch
from studyspec.plan.record import PlanRecord
from studyspec.report.frames import (
    CurveRow,
    FoldRow,
    Frame,
    MatrixCell,
    RunRow,
    ScoredImage,
    StudyFrames,
)

HOSTILE = "</script><script>alert(1)</script>"
Row = dict[str, Any]


@dataclass(frozen=True)
class Size:
    """How large a made-up study is."""

    folds: int = 5
    images: int = 12
    epochs: int = 8


def frames(
    names: Sequence[str] = ("Au", "Ag", "CdSe"),
    size: Size | None = None,
    missing: Iterable[tuple[str, str, int]] = (),
    failures: Mapping[str, str] | None = None,
    **plan: Any,
) -> StudyFrames:
    """A study of every name against every name; `missing` are (train, test, fold) without scores.

    The key of a test is "eval-TRAIN-TEST-FOLD", of a network "net-TRAIN-FOLD".
    """
    size, absent, dice = size or Size(), set(missing), random.Random(1)
    images = [_image_score(a, b, f, i, dice) for a, b, f, i in _points(names, size)]
    images = [row for row in images if (row.train, row.test, row.fold) not in absent]
    folds = [_fold(row) for row in images if row.image_id.endswith("/00")]
    return StudyFrames(
        plan=PlanRecord.model_validate(_plan(names, size) | plan),
        key="5e" * 32,
        matrix=Frame(_matrix(folds), "select * from matrix"),
        folds=Frame(folds, "select * from scores"),
        images=Frame(images, "select * from image_scores"),
        curves=Frame(list(_curves(names, size, dice)), "select * from history"),
        runs=Frame([_run()], "select * from attempts"),
        patches=dict.fromkeys(names, 16 * size.images),
        failures=failures or {},
    )


def kept(which: str = "best") -> KeptPatch:
    """A patch half of which is particle; the network found another half."""
    label = np.zeros((32, 32), bool)
    label[:16] = True
    pixels = np.full((32, 32), 128, np.uint8)
    return KeptPatch(which, "twin/Au/00", 1, 2, 0.5, pixels, label, label.T)


def replanned(made: StudyFrames, **plan: Any) -> StudyFrames:
    """The same with another plan."""
    changed = made.plan.model_dump() | plan
    return replace(made, plan=PlanRecord.model_validate(changed))


def _points(names: Sequence[str], size: Size) -> Iterable[tuple[str, str, int, str]]:
    for train in names:
        for test in names:
            for fold in range(size.folds):
                for i in range(size.images):
                    yield train, test, fold, f"twin/{test}/{i:02d}"


def _image_score(train: str, test: str, fold: int, image: str, dice: random.Random) -> ScoredImage:
    worse = 0.0 if train == test else 0.04 * (sum(map(ord, train)) % 7) + 0.05
    score = min(0.99, max(0.02, 0.9 - worse + dice.gauss(0, 0.03) + 0.01 * fold))
    return ScoredImage("base", train, test, fold, "test", image, 16, {"dice": score})


def _fold(row: ScoredImage) -> FoldRow:
    score = row.metrics["dice"] or 0.0
    metrics = {
        "dice": score,
        "dice_micro": score - 0.01,
        "soft_dice": score - 0.02,
        "loss": 2 - score,
        "precision": score,
        "recall": score,
        "oversegmentation": 0.4,
    }
    where = f"{row.train}-{row.test}-{row.fold}"
    network = f"net-{row.train}-{row.fold}"
    return FoldRow(*row[:5], row.n_patches, metrics, network, f"eval-{where}")


def _matrix(folds: Sequence[FoldRow]) -> list[MatrixCell]:
    cells: dict[tuple[str, str], list[FoldRow]] = {}
    for row in folds:
        cells.setdefault((row.train, row.test), []).append(row)
    means = {
        cell: {
            name: sum(row.metrics[name] or 0.0 for row in its) / len(its) for name in its[0].metrics
        }
        for cell, its in cells.items()
    }
    return [
        MatrixCell(
            "base",
            train,
            test,
            len(its),
            means=means[train, test],
            sds=dict.fromkeys(means[train, test], 0.0123),
            normalized=means[train, test]["dice"] / means[test, test]["dice"]
            if (test, test) in means
            else None,
        )
        for (train, test), its in cells.items()
    ]


def _curves(names: Sequence[str], size: Size, noise: random.Random) -> Iterable[CurveRow]:
    for name in names:
        for fold in range(size.folds):
            for epoch in range(1, size.epochs + 1):
                loss = 0.6 / epoch**0.7 + 0.05 + 0.01 * fold
                validation = loss * (1.1 + noise.gauss(0, 0.05))
                yield CurveRow(f"net-{name}-{fold}", epoch, loss, validation)


def _run() -> RunRow:
    versions = {"studyspec": "0.1.0", "torch": "2.13.0", "python": "3.11.2"}
    return RunRow("a CPU, 1 thread", versions, 45, 321.0, datetime(2030, 1, 2, 3, 4))


def _plan(names: Sequence[str], size: Size) -> Row:
    cells = [
        {
            "variant": "base",
            "train": train,
            "test": test,
            "fold": fold,
            "split": "test",
            "network": f"net-{train}-{fold}",
            "evaluation": f"eval-{train}-{test}-{fold}",
        }
        for train in names
        for test in names
        for fold in range(size.folds)
    ]
    members = {name: [f"twin/{name}/{i:02d}" for i in range(size.images)] for name in names}
    return {
        "study": "material",
        "question": "Does a network trained on one material find the particles of another?",
        "profile": None,
        "spec": {"cross_validation": {"folds": size.folds, "seeds": list(range(size.folds))}},
        "source": '[study]\nname = "material"\n',
        "datasets": {
            name: {
                "filter": {"material": name, "dose_e_per_A2": {"near": 423, "within": 5}},
                "members": [name],
                "images": images,
                "label": "drawn",
            }
            for name, images in members.items()
        },
        "images": {image: _image(image) for images in members.values() for image in images},
        "variants": {"base": {}},
        "cells": cells,
        "networks": {c["network"]: {"members": [f"list-{c['train']}"]} for c in cells},
        "evaluations": {c["evaluation"]: {"images": f"list-{c['test']}"} for c in cells},
        "lists": {f"list-{name}": [f"prepare-{i}" for i in its] for name, its in members.items()},
    }


def _image(image: str) -> Row:
    return {
        "collection": "twin",
        "image_sha256": f"{sum(map(ord, image)):064x}",
        "label_sha256": f"{sum(map(ord, image)) + 1:064x}",
        "citation": "a made-up citation",
        "licence": "CC0-1.0",
    }

"""The plan record: what a plan was, in JSON, so that all can be rebuilt from records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from studyspec.plan.datasets import ResolvedDataset
from studyspec.plan.expansion import Expansion
from studyspec.plan.jobs import STAGES
from studyspec.spec.identity import digest
from studyspec.spec.variants import Variant, union_members


@dataclass(frozen=True)
class Question:
    """What a plan answers: the study as written and as resolved."""

    study: str
    question: str
    profile: str | None
    spec: Mapping[str, Any]
    source: str


def plan_record(
    question: Question,
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    expansion: Expansion,
    trials: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The plan as JSON values. Lists of prepare keys stand once each, under their digest."""
    lists: dict[str, list[str]] = {}

    def listed(keys: Sequence[str]) -> str:
        name = digest(list(keys))
        lists.setdefault(name, list(keys))
        return name

    def short(ingredients: Mapping[str, Any]) -> dict[str, Any]:
        out = dict(ingredients)
        if "members" in out:
            out["members"] = [listed(member) for member in out["members"]]
        if "images" in out:
            out["images"] = listed(out["images"])
        return out

    by_stage: dict[str, dict[str, Any]] = {stage: {} for stage in STAGES}
    for job in expansion.jobs:
        by_stage[job.stage][job.key] = short(job.ingredients)
    return {
        "study": question.study,
        "question": question.question,
        "profile": question.profile,
        "spec": dict(question.spec),
        "source": question.source,
        "datasets": _datasets(datasets, expansion),
        "images": {
            image.row.image_id: image.hashed_row().to_json()
            for dataset in datasets.values()
            for image in dataset.images
        },
        "variants": {variant.name: dict(variant.changes) for variant in variants},
        "cells": [asdict(cell) for cell in expansion.cells],
        "measurements": [asdict(measured) for measured in expansion.measurements],
        "trials": [dict(trial) for trial in trials],
        "prepares": by_stage["prepare"],
        "networks": by_stage["train"],
        "evaluations": by_stage["evaluate"],
        "lists": lists,
    }


def _datasets(
    datasets: Mapping[str, ResolvedDataset], expansion: Expansion
) -> dict[str, dict[str, Any]]:
    """Every dataset, and every union that a cell names."""
    out: dict[str, dict[str, Any]] = {
        name: {
            "filter": dataset.filter.written(),
            "members": [name],
            "images": [image.row.image_id for image in dataset.images],
            "label": dataset.filter.label,
        }
        for name, dataset in datasets.items()
    }
    for name in dict.fromkeys(n for cell in expansion.cells for n in (cell.train, cell.test)):
        members = union_members(name)
        if name not in out and all(member in out for member in members):
            out[name] = {
                "filter": None,
                "members": list(members),
                "images": [i for member in members for i in out[member]["images"]],
                "label": out[members[0]]["label"],
            }
    return out

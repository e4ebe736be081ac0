from __future__ import annotations

from dataclasses import replace

from pydantic import JsonValue

from studyspec.plan.record import PlanRecord
from studyspec.report.asked import Asked
from studyspec.report.cells import merged_cells
from studyspec.report.contents import contents
from studyspec.report.frames import Frame, StudyFrames
from tests.report.examples import frames

SHA = "ab" * 32


def untrained() -> StudyFrames:
    """One network of others, tested on real images; a dataset on the twin that nobody asks for."""
    made = frames(("theirs", "Au"))
    plan = made.plan.model_dump()
    cell = {"variant": "base", "train": "theirs", "test": "Au", "fold": None, "split": "test"}
    images = {
        name: row | ({"collection": "mine", "citation": None} if "/Au/" in name else {})
        for name, row in plan["images"].items()
    }
    networks = {"theirs": {"weights": "nets/a.onnx", "licence": "MIT"}}
    plan |= {
        "cells": [cell | {"network": f"weights:{SHA}", "evaluation": "e"}],
        "images": images,
        "networks": {},
        "spec": {**plan["spec"], "networks": networks},
        "file": "mine/other.toml",
    }
    folds = [r for r in made.folds.rows if r.name[1:3] == ("theirs", "Au")][:1]
    return replace(
        made,
        plan=PlanRecord.model_validate(plan),
        folds=Frame([r._replace(fold=None, evaluation="e") for r in folds]),
        curves=Frame([]),
    )


def test_what_trains_nothing_tells_of_no_epochs_and_folds() -> None:
    made = untrained()
    found = contents(made, merged_cells(made))
    terms = dict(found.methods)
    assert not {"Folds", "Training", "Augmentation", "±"} & terms.keys()
    assert "theirs is one network that was trained elsewhere" in terms["Networks of others"]
    told = " ".join([*terms.values(), found.matrix_note, *(t.caption for t in found.tables)])
    assert "epoch" not in told
    assert "over 5 folds" not in told


def test_networks_of_others_have_hash_source_and_licence() -> None:
    made = untrained()
    terms = dict(contents(made, merged_cells(made)).provenance)
    assert terms["Networks of others"] == (
        f"theirs: nets/a.onnx, SHA-256 {SHA}, source not said, licence MIT"
    )


def test_images_that_were_not_used_are_not_cited() -> None:
    made = untrained()
    found = contents(made, merged_cells(made))
    assert dict(found.provenance)["Citation"] == "mine: not said"
    assert not found.twin


def test_the_command_names_the_file() -> None:
    made = untrained()
    assert contents(made, merged_cells(made)).command == "studyspec run mine/other.toml"


def test_what_was_edited_is_named() -> None:
    plan = frames().plan
    spec: dict[str, JsonValue] = {
        **plan.spec,
        "cross_validation": {"folds": 3, "seeds": list[JsonValue](range(5))},
    }
    assert "(cross_validation.folds)" in Asked("material", None, "other text", spec).edited(plan)
    assert Asked("material", None, "other text", plan.spec).edited(plan) == ""
    assert Asked("material", None, plan.source, spec).edited(plan) == ""
    assert Asked("material").edited(plan) == ""

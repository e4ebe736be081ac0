from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from studyspec.errors import Mistake
from studyspec.plan.feasibility import infeasible
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from tests.plan.studies import dataset, image, variant

TWIN, REAL = dataset("twin", 12), dataset("real")
PART = replace(TWIN, name="part", images=TWIN.images[:6])
EXACT = replace(TWIN, name="exact", images=tuple(image(i.row.image_id, "e") for i in TWIN.images))
DATASETS = {"twin": TWIN, "real": REAL, "part": PART, "exact": EXACT}
PATH = ("variants", "tuned", "training", "start_from")
IMAGEWISE = {"unit": "image"}


def tuned(train: str, test: str, start: str = "twin", **tables: Any) -> Variant:
    training = {"start_from": {"train": start, "variant": "base"}}
    settings = StageSettings.model_validate({"training": training, **tables})
    return variant(((train, test),), "tuned", settings)


def mistakes(one: Variant) -> Iterator[Mistake]:
    return infeasible([variant((("twin", "twin"),)), one], DATASETS)


@pytest.mark.parametrize(
    "one",
    [
        tuned("real", "real"),
        tuned("real", "twin"),
        tuned("twin", "twin"),
        tuned("twin+real", "twin"),
        tuned("part", "real", cross_validation=IMAGEWISE),
        tuned("real", "real", preprocess={"patch": {"size": 128}}),
        tuned("real", "twin", cross_validation={"folds": 3, "seeds": [1, 2, 3]}),
        tuned("real:5", "twin:7"),
    ],
)
def test_what_every_training_of_the_chain_can_hold_out_is_fine(one: Variant) -> None:
    assert list(mistakes(one)) == []


@pytest.mark.parametrize(
    "one",
    [
        tuned("part", "part"),
        tuned("twin:8", "twin"),
        tuned("exact", "twin"),
        tuned("twin", "twin", cross_validation={"unit": "image"}),
        tuned("twin", "part", cross_validation={"shuffle_seed": 1}),
    ],
)
def test_trainings_that_hold_out_different_parts_are_refused(one: Variant) -> None:
    [found] = mistakes(one)
    assert found.path == PATH
    assert "hold out different parts of them" in found.what


def test_what_was_prepared_otherwise_cannot_be_held_out() -> None:
    [found] = mistakes(tuned("real", "twin", preprocess={"patch": {"size": 128}}))
    assert found.path == PATH
    assert "networks of 'twin' (base) saw images of 'twin' that they prepared" in found.what


def test_the_images_of_a_start_must_fold_too() -> None:
    [found] = mistakes(tuned("real", "real", start="twin+part"))
    assert "'twin' and 'part' share 6 images" in found.what


@pytest.mark.parametrize(
    ("one", "path"),
    [
        (tuned("real:7", "twin"), ("matrix",)),
        (tuned("real", "real", start="real:7"), (*PATH, "train")),
    ],
)
def test_more_images_than_there_are_cannot_be_drawn(one: Variant, path: tuple[str, ...]) -> None:
    found = next(mistakes(one))
    assert found.path == path
    assert found.what == "7 images cannot be drawn of 'real', which has 6"

from __future__ import annotations

from dataclasses import replace

from studyspec.plan.feasibility import infeasible
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, image, variant

IMAGEWISE = StageSettings.model_validate({"cross_validation": {"unit": "image"}})


def test_members_of_a_union_that_share_images_cannot_be_held_out() -> None:
    a = dataset("A")
    other = replace(a, name="C", images=(image("A/1"), image("C/0")))
    found = list(infeasible([variant((("A+C", "A"),))], {"A": a, "C": other}))
    assert [one.path for one in found] == [("matrix",)]
    assert "'A' and 'C' share image A/1, so no fold of 'A+C' can hold" in found[0].what


def test_members_without_common_images_are_fine() -> None:
    data = {"A": dataset("A"), "B": dataset("B")}
    assert list(infeasible([variant((("A+B", "A"), ("A", "B")))], data)) == []


def test_fewer_images_than_folds_are_told_once() -> None:
    few = {"A": dataset("A", 4)}
    both = [variant((("A", "A"),), name, IMAGEWISE) for name in ("x", "y")]
    assert [one.what for one in infeasible(both, few)] == [
        "dataset 'A' has 4 images, fewer than 5 folds"
    ]


def test_patches_of_few_images_may_be_enough() -> None:
    assert list(infeasible([variant((("A", "A"),))], {"A": dataset("A", 2)})) == []


def test_an_image_under_two_names_counts_once_where_whole_images_are_folded() -> None:
    data = dataset("A", 5)
    again = replace(data.images[0], row=image("A/again").row)
    found = infeasible(
        [variant((("A", "A"),), "x", IMAGEWISE)],
        {"A": replace(data, images=(*data.images[:4], again))},
    )
    assert [one.what for one in found] == [
        "dataset 'A' has 4 images, fewer than 5 folds, the same under several names counted once"
    ]

from __future__ import annotations

from dataclasses import replace

from studyspec.learn.conditions import Conditions
from studyspec.learn.networks import NetworkFile
from studyspec.plan.datasets import ResolvedDataset
from studyspec.plan.scales import differing_scales
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, variant


def at(name: str, scale: float | None) -> ResolvedDataset:
    found = dataset(name, 2)
    rows = [replace(i, row=replace(i.row, pixel_scale_nm=scale)) for i in found.images]
    return replace(found, images=tuple(rows))


DATASETS = {"fine": at("fine", 0.02), "near": at("near", 0.0215), "coarse": at("coarse", 0.078)}
DATASETS["unknown"] = at("unknown", None)
RESAMPLED = StageSettings.model_validate(
    {"preprocess": {"resample": {"pixel_scale_nm": 0.03}}}, strict=False
)


def test_pairs_of_two_scales_are_told_once() -> None:
    pairs = tuple(("fine", test) for test in DATASETS)
    told = list(differing_scales([variant(pairs), variant(pairs, "other")], DATASETS, {}))
    assert len(told) == 1
    assert "'fine' was trained at 0.02 nm a pixel, and 'coarse' has images at 0.078 nm" in told[0]
    assert "by a factor of 3.9" in told[0]


def test_a_union_that_saw_both_and_what_is_resampled_are_passed_over() -> None:
    both = variant((("fine+coarse", "coarse"), ("fine+coarse", "fine")))
    resampled = variant((("fine", "coarse"),), "other", RESAMPLED)
    assert not list(differing_scales([both, resampled], DATASETS, {}))


def test_foreign_networks_say_their_scale() -> None:
    theirs = NetworkFile(name="n", sha256="0", conditions=Conditions(pixel_scale_nm=(0.02,)))
    pairs = variant((("n", "coarse"),))
    assert len(list(differing_scales([pairs], DATASETS, {"n": theirs}))) == 1
    changed = {"preprocess": {"resample": {"pixel_scale_nm": 0.02}}}
    assert not list(differing_scales([pairs], DATASETS, {"n": theirs.model_copy(update=changed)}))

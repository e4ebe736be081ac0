from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studyspec import api
from studyspec.errors import SpecError
from studyspec.plan.datasets import ResolvedDataset
from studyspec.plan.feasibility import infeasible
from studyspec.plan.fitting import unfitting
from studyspec.spec.sections import StageSettings
from tests.cli.projects import make_project
from tests.plan.studies import dataset, variant
from tests.spec.studies import marked

EDGE = "preprocess.patch.size"


def sized(name: str, *edges: int | None, scale: float | None = 0.02) -> ResolvedDataset:
    """A dataset of square images of these edges."""
    made = dataset(name, len(edges))
    images = tuple(
        replace(one, row=replace(one.row, width_px=px, height_px=px, pixel_scale_nm=scale))
        for one, px in zip(made.images, edges, strict=True)
    )
    return replace(made, images=images)


def whats(data: dict[str, ResolvedDataset], pair: tuple[str, str], **tables: Any) -> list[str]:
    settings = StageSettings.model_validate(tables)
    found = unfitting([variant((pair,), settings=settings)], data)
    return [f"{'.'.join(map(str, one.path))}: {one.what}" for one in found]


DATA = {"A": sized("A", 2048, 2048), "B": sized("B", 2048, 768)}


def test_a_patch_larger_than_an_image_is_told_once_for_a_dataset() -> None:
    patch = {"patch": {"size": 1024}}
    assert whats(DATA, ("A", "A"), preprocess=patch) == []
    told = f"{EDGE}: a patch of 1024 x 1024 px is larger than images of 'B': B/1 has 768 x 768"
    assert whats(DATA, ("A", "B"), preprocess=patch) == [told]
    assert whats(DATA, ("A+B", "A"), preprocess=patch) == [told]


def test_patches_of_tests_count_where_they_are_others() -> None:
    tested = {"patch_size": 1024}
    assert whats(DATA, ("B", "A"), evaluation=tested) == []
    [told] = whats(DATA, ("A", "B"), evaluation=tested)
    assert told.startswith("evaluation.patch_size: a patch of 1024")


def test_resampling_counts() -> None:
    tables = {"resample": {"pixel_scale_nm": 0.04}, "patch": {"size": 1024}}
    assert whats(DATA, ("A", "A"), preprocess=tables) == []
    tables = {"resample": {"pixel_scale_nm": 0.041}, "patch": {"size": 1024}}
    [told] = whats(DATA, ("A", "A"), preprocess=tables)
    assert "A/0 has 999 x 999" in told


def test_what_is_not_known_is_left_to_the_preparation() -> None:
    data = {"A": sized("A", None), "B": sized("B", 64, scale=None)}
    assert whats(data, ("A", "A")) == []
    assert whats(data, ("B", "B"), preprocess={"resample": {"pixel_scale_nm": 0.04}}) == []


def test_what_is_measured_alone_counts_too() -> None:
    assert list(infeasible([variant(())], {"B": sized("B", 64)})) == []
    [told] = infeasible([variant(())], {"B": sized("B", 64)}, measured=True)
    assert "larger than images of 'B'" in told.what


@pytest.mark.parametrize(
    "more",
    [
        "[profiles.large]\npreprocess.patch.size = »128\n",
        "[variants.a]\npreprocess.patch.size = »128\n",
        "[variants.a]\nevaluation.patch_size = »128\n",
        '[variants.a.sweep]\n"preprocess.patch.size" = »[32, 128]\n',
    ],
)
def test_check_points_at_the_edge(tmp_path: Path, more: str) -> None:
    study = make_project(tmp_path)
    text, line, column = marked(study.read_text() + more)
    study.write_text(text)
    with pytest.raises(SpecError) as caught:
        api.check(study, "large" if "large" in more else None)
    found = caught.value.problems
    assert {(one.line, one.column) for one in found} == {(line, column)}
    assert [one.what.partition(": ")[0] for one in found] == [
        f"a patch of 128 x 128 px is larger than images of '{name}'" for name in "AB"
    ]

"""Selection: the patches of each part, and where they lie."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.images.patches import Patches
from studyspec.run import selection
from studyspec.spec.settings import CrossValidationSettings


def training(fold: int, folds: int = 5, unit: str = "patch") -> dict[str, Any]:
    """As the ingredients of a train job."""
    settings = CrossValidationSettings(folds=folds, unit=unit).model_dump()  # type: ignore[arg-type]
    del settings["seeds"]
    return {"cross_validation": settings, "fold": fold, "seed": 1}


def patches(n: int, first: int = 0) -> Patches:
    """Patches of one pixel that hold their number."""
    number = np.arange(first, first + n)
    images = number.astype(np.float32)[:, None, None]
    where = np.arange(n, dtype=np.int32)
    return Patches(images, images.astype(np.uint8), where, where, (n, n))


@given(st.lists(st.lists(st.integers(0, 9), min_size=2, max_size=5), min_size=1, max_size=3))
def test_folds_of_a_union_divide_its_patches(counts: list[list[int]]) -> None:
    counts = [[n + 5 for n in member] for member in counts]
    total = sum(map(sum, counts))
    tested: list[int] = []
    for fold in range(5):
        split = selection.training_split(counts, training(fold))
        parts = np.concatenate([split.train, split.validation, split.test])
        assert sorted(parts) == list(range(total))
        tested.extend(split.test)
    assert sorted(tested) == list(range(total))


@pytest.mark.parametrize("unit", ["patch", "image"])
def test_the_number_of_folds_may_exceed_the_published_seeds(unit: str) -> None:
    settings = {"folds": 7, "unit": unit, "shuffle_seed": 1, "validation_percent": 12.5}
    asked = {"cross_validation": settings, "fold": 6, "seed": 3}
    assert selection.cross_validation_of(asked).seeds == (3,) * 7


@given(st.lists(st.integers(0, 24), max_size=40))
def test_gathered_patches_keep_the_order_asked_for(positions: list[int]) -> None:
    images = [patches(10), patches(0, 10), patches(15, 10)]
    pixels, labels = selection.gather(images, np.array(positions, np.int64))
    assert pixels[:, 0, 0].tolist() == positions
    assert labels[:, 0, 0].tolist() == positions
    assert pixels.dtype == np.float32


def test_patches_are_found_by_where_they_were_cut() -> None:
    image = patches(6)
    allowed = frozenset({("a", 1, 1), ("a", 4, 4), ("b", 2, 2)})
    assert selection.at(image, "a", allowed).tolist() == [1, 4]
    assert selection.at(image, "c", allowed).tolist() == []

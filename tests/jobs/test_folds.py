from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import StudySpecError
from studyspec.jobs.folds import Folding, FoldSplit, fold_split, shuffled, split_units, union_split

PATCHWISE = Folding()
IMAGEWISE = Folding(unit="image")


def test_shuffle_is_the_legacy_numpy_one() -> None:
    assert sorted(shuffled(8, 34522)) == list(range(8))
    assert list(shuffled(8, 34522)) != list(range(8))
    assert list(shuffled(8, 34522)) == list(shuffled(8, 34522))


@pytest.mark.parametrize("fold", range(4))
def test_published_validation_starts_where_the_test_part_was(fold: int) -> None:
    split = split_units(211, fold, PATCHWISE)
    rest = np.setdiff1d(np.arange(211), split.test)
    wanted = int(12.5 * len(rest) // 100)
    assert list(split.validation) == list(rest[fold * 42 : fold * 42 + wanted])


def test_published_last_fold_validates_to_the_end() -> None:
    split = split_units(211, 4, PATCHWISE)
    assert list(split.test) == list(range(169, 211))
    assert len(split.validation) == int(12.5 * 169 // 100) + 211 % 5
    assert split.validation[-1] == 168


@given(st.lists(st.integers(0, 9), min_size=5, max_size=20), st.sampled_from(["patch", "image"]))
def test_every_patch_is_tested_once_and_never_seen_in_that_fold(
    counts: list[int], unit: str
) -> None:
    settings = Folding.model_validate({"unit": unit})
    units = sum(counts) if unit == "patch" else sum(c > 0 for c in counts)
    if units < 5:
        return
    splits = [fold_split(counts, fold, settings) for fold in range(5)]
    assert sorted(np.concatenate([s.test for s in splits])) == list(range(sum(counts)))
    for s in splits:
        together = np.concatenate([s.train, s.validation, s.test])
        assert sorted(together) == list(range(sum(counts)))
        assert len(s.validation) > 0


@given(st.lists(st.integers(1, 9), min_size=5, max_size=12), st.integers(0, 4))
def test_image_unit_keeps_the_patches_of_an_image_together(counts: list[int], fold: int) -> None:
    image_of = np.repeat(np.arange(len(counts)), counts)
    split = fold_split(counts, fold, IMAGEWISE)
    parts = [set(image_of[p]) for p in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[0] & parts[2]
    assert not parts[1] & parts[2]


def test_too_few_units_are_refused() -> None:
    with pytest.raises(StudySpecError, match="3 images cannot make 5 folds"):
        fold_split([4, 4, 4], 0, IMAGEWISE)


def test_a_fold_without_training_units_is_refused() -> None:
    with pytest.raises(StudySpecError, match="no patch left to train on"):
        fold_split([2], 1, Folding(folds=2))


def test_union_joins_the_folds_of_its_members() -> None:
    a = FoldSplit(np.array([0, 1]), np.array([2]), np.array([3]))
    b = FoldSplit(np.array([1]), np.array([2]), np.array([0]))
    union = union_split([a, b], [4, 3])
    assert list(union.train) == [0, 1, 5]
    assert list(union.test) == [3, 4]
    assert list(union.part("validation")) == [2, 6]

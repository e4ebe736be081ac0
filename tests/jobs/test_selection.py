"""Selection: the patches of each part, and where they lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.catalog.row import Cell
from studyspec.errors import RunError
from studyspec.images.patches import Patches
from studyspec.jobs import selection


def patches(n: int, first: int = 0) -> Patches:
    """Patches of one pixel that hold their number."""
    number = np.arange(first, first + n)
    images = number.astype(np.float32)[:, None, None]
    where = np.arange(n, dtype=np.int32)
    return Patches(images, images.astype(np.uint8), where, where, (n, n))


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


def test_what_augmentations_read_is_known_of_every_patch() -> None:
    images = [replace(patches(2), facts={"sd": 0.5}), replace(patches(1), facts={"sd": 0.25})]
    found = selection.known_values(images, {"dose": [10, 20.0]}, ["sd"])
    assert found["dose"].tolist() == [10, 10, 20]
    assert found["sd"].tolist() == [0.5, 0.5, 0.25]


@pytest.mark.parametrize("value", [None, "much", True])
def test_what_augmentations_read_must_be_a_number(value: Cell) -> None:
    with pytest.raises(RunError, match="an augmentation needs dose of every image, as a number"):
        selection.known_values([patches(2)], {"dose": [value]}, [])

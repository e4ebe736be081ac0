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
from studyspec.plugins.contracts import Augmentation, Draws
from studyspec.plugins.registry import Found, Provider
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Samples
from studyspec.spec.uses import Bound


def patches(n: int, first: int = 0) -> Patches:
    """Patches of one pixel that hold their number."""
    number = np.arange(first, first + n)
    images = number.astype(np.float32)[:, None, None]
    where = np.arange(n, dtype=np.int32)
    return Patches(images, images.astype(np.uint8), where, where, (n, n))


class Reading(Augmentation[Settings]):
    name = "reading"
    settings = Settings
    reads = ("dose",)
    facts = ("sd",)

    def describe(self, settings: Settings) -> str:
        return "reading"

    def apply(self, samples: Samples, settings: Settings, draws: Draws) -> Samples:
        return samples


OURS = Provider("studyspec", "1")
READING = [Bound[Augmentation[Settings]](Found(Reading(), OURS, "tests"), Settings())]


@given(st.lists(st.integers(0, 24), max_size=40))
def test_gathered_patches_keep_the_order_asked_for(positions: list[int]) -> None:
    images = [patches(10), patches(0, 10), patches(15, 10)]
    pixels, labels = selection.gather(images, np.array(positions, np.int64))
    assert pixels[:, 0, 0].tolist() == positions
    assert labels[:, 0, 0].tolist() == positions
    assert pixels.dtype == np.float32


def test_patches_are_found_by_where_they_were_cut() -> None:
    image = patches(6)
    held = selection.Part(frozenset({("a", 1, 1), ("a", 4, 4), ("b", 2, 2)}), frozenset(), 1)
    fewer = selection.Part(frozenset({("a", 4, 4), ("a", 5, 5)}), frozenset(), 1)
    assert selection.at(image, "a", [held]).tolist() == [1, 4]
    assert selection.at(image, "a", [held, fewer]).tolist() == [4]
    assert selection.at(image, "c", [held]).tolist() == []


@pytest.mark.parametrize(
    ("place", "size", "shown"),
    [
        ((0, 0), 32, True),  # over (0, 0) and (0, 1), and over two that nobody uses
        ((0, 1), 32, False),  # touches (0, 2)
        ((1, 0), 32, False),  # touches neither
        ((0, 3), 8, True),  # in (0, 1)
        ((0, 4), 8, False),  # in (0, 2)
        ((0, 0), 48, False),
        ((0, 0), 24, True),
        ((0, 1), 24, False),  # from 24 to 48: touches (0, 2)
    ],
)
def test_a_patch_of_another_edge_touches_nothing_of_the_rest(
    place: tuple[int, int], size: int, shown: bool
) -> None:
    part = selection.Part(frozenset({("a", 0, 0), ("a", 0, 1)}), frozenset({("a", 0, 2)}), 16)
    assert part.holds(("a", *place), size) is shown


@given(st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=1))
def test_a_patch_of_the_same_edge_is_of_the_part_or_not(cells: set[tuple[int, int]]) -> None:
    every = {("a", row, col) for row in range(6) for col in range(6)}
    mine = frozenset(("a", *cell) for cell in cells)
    part = selection.Part(mine, frozenset(every - mine), 16)
    assert {place for place in every if part.holds(place, 16)} == mine


def test_what_augmentations_read_is_known_of_every_patch() -> None:
    images = [replace(patches(2), facts={"sd": 0.5}), replace(patches(1), facts={"sd": 0.25})]
    found = selection.known_values(images, ["a", "b"], {"dose": [10, 20.0]}, READING)
    assert found["dose"].tolist() == [10, 10, 20]
    assert found["sd"].tolist() == [0.5, 0.5, 0.25]


@pytest.mark.parametrize("value", [None, "much", True])
def test_what_augmentations_read_must_be_a_number(value: Cell) -> None:
    one = replace(patches(2), facts={"sd": 0.5})
    needs = "a.tif: an augmentation needs dose of every image, as a number; give dose in the"
    with pytest.raises(RunError, match=needs):
        selection.known_values([one], ["a.tif"], {"dose": [value]}, READING)


def test_a_fact_that_no_step_noted_is_told() -> None:
    with pytest.raises(RunError, match="needs sd of every image, as a number; prepare it so"):
        selection.known_values([patches(2)], ["a"], {"dose": [1.0]}, READING)

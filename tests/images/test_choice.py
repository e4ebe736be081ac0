from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from studyspec.images.choice import draw, too_few

names = st.lists(st.text(min_size=1, max_size=6), unique=True, min_size=1, max_size=30)
seeds = st.integers(0, 99)


@given(names, seeds, st.data())
def test_a_smaller_draw_is_part_of_a_larger_one_in_catalog_order(
    ids: list[str], seed: int, data: st.DataObject
) -> None:
    n = data.draw(st.integers(1, len(ids)))
    larger = draw(ids, n, seed)
    assert list(larger) == sorted(set(larger))
    assert len(larger) == n
    assert set(draw(ids, n - 1, seed)) < set(larger)


@given(names, seeds, st.data())
def test_whoever_asks_draws_the_same_images(ids: list[str], seed: int, data: st.DataObject) -> None:
    n, other = data.draw(st.integers(1, len(ids))), data.draw(st.permutations(ids))
    assert {ids[i] for i in draw(ids, n, seed)} == {other[i] for i in draw(other, n, seed)}


def test_a_new_image_takes_the_place_of_one_at_most() -> None:
    ids = [f"twin/{i}" for i in range(100)]
    before = {ids[i] for i in draw(ids, 20, 0)}
    for new in range(50):
        more = [*ids, f"new/{new}"]
        assert len(before - {more[i] for i in draw(more, 20, 0)}) <= 1


def test_every_image_is_as_likely_as_another() -> None:
    ids = [f"twin/{i}" for i in range(10)]
    drawn = np.bincount([i for seed in range(2000) for i in draw(ids, 3, seed)], minlength=10)
    assert np.all(abs(drawn - 600) < 5 * np.sqrt(2000 * 0.3 * 0.7))


def test_more_than_there_are_is_told() -> None:
    assert too_few("Au", 3, 3, ("matrix",)) == []
    assert "7 images cannot be drawn of 'Au', which has 3" in too_few("Au", 7, 3, ())[0].what

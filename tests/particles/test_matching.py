from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.particles.matching import Matching, match
from studyspec.particles.objects import Counting, Mask, find
from tests.particles.discs import discs

WHOLE = Counting(split_touching=False)
A, B, C, D = (50, 50, 30), (50, 145, 30), (150, 50, 25), (150, 140, 20)


def matched(label: Mask, found: Mask) -> Matching:
    return match(find(label, WHOLE).labels, find(found, WHOLE).labels)


def counts(one: Matching) -> tuple[int, ...]:
    kinds = (one.found, one.missed, one.invented, one.merged, one.split)
    return tuple(int(kind.sum()) for kind in kinds)


def bar(row: slice, col: slice) -> Mask:
    mask = np.zeros((200, 200), bool)
    mask[row, col] = True
    return mask


def test_a_perfect_mask_finds_all() -> None:
    label = discs(A, B, C, D)
    one = matched(label, label)
    assert counts(one) == (4, 0, 0, 0, 0)
    assert one.iou.tolist() == [1.0] * 4
    np.testing.assert_array_equal(one.pairs_px[:, 0], one.pairs_px[:, 1])


@pytest.mark.parametrize(
    ("label", "found", "expected"),
    [
        (discs(A, B), discs(A), (1, 1, 0, 0, 0)),
        (discs(A), discs(A, B, C), (1, 0, 2, 0, 0)),
        (discs(A, B), discs(A, B) | bar(slice(45, 55), slice(50, 145)), (0, 0, 0, 2, 0)),
        (discs(A), discs(A) & ~bar(slice(None), slice(49, 52)), (0, 0, 0, 0, 1)),
        (discs(A), discs((50, 50, 22)), (1, 0, 0, 0, 0)),
        (discs(A), discs((50, 50, 20)), (0, 1, 1, 0, 0)),
        (discs(), discs(A), (0, 0, 1, 0, 0)),
        (discs(A), discs(), (0, 1, 0, 0, 0)),
        (discs(), discs(), (0, 0, 0, 0, 0)),
        (discs(A, (50, 95, 8)), discs(A, (50, 95, 8)) | bar(slice(45, 55), slice(50, 95)),
         (1, 0, 0, 2, 0)),
    ],
)  # fmt: skip
def test_what_became_of_particles(label: Mask, found: Mask, expected: tuple[int, ...]) -> None:
    assert counts(matched(label, found)) == expected


def test_diameters_are_compared_off_the_border_alone() -> None:
    label = discs(A, (100, 199, 25), (195, 60, 25))
    found = discs((50, 50, 27), (100, 199, 24), (195, 60, 24))
    one = matched(label, found)
    assert one.found.all()
    np.testing.assert_allclose(one.pairs_px, [[60, 54]], atol=0.5)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=50)
def test_matching_is_symmetric_and_complete(one: int, two: int) -> None:
    masks = [np.kron(np.random.default_rng(seed).random((12, 12)) < 0.4, np.ones((6, 6))) > 0
             for seed in (one, two)]  # fmt: skip
    there, back = matched(*masks), matched(*reversed(masks))
    assert there.found.sum() == back.found.sum()
    assert there.iou.sum() == pytest.approx(back.iou.sum())
    pairs = there.partner[there.found]
    assert len(set(pairs.tolist())) == len(pairs)
    whole = there.found | there.missed | there.merged | there.split
    assert whole.all()
    assert not (there.invented[pairs]).any()

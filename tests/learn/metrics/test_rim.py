from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt
from torch import Tensor

from studyspec.learn.augment import FORMS, dihedral
from studyspec.learn.metrics.rim import BOUNDARY_DICE, INTERIOR_DICE, RimSettings, rim
from tests.learn.patches import discs

LABELS = torch.from_numpy(discs(4, size=32).labels) > 0
PROBABILITY = torch.rand(4, 32, 32, generator=torch.Generator().manual_seed(1))
masks = st.integers(0, 2**64 - 1).map(
    lambda bits: np.array([bits >> i & 1 for i in range(64)], bool).reshape(1, 8, 8)
)


@given(masks, st.integers(1, 12))
@settings(deadline=None)
def test_the_rim_is_within_a_distance_of_the_other_class(
    mask: np.ndarray[tuple[int, int, int], np.dtype[np.bool_]], width: int
) -> None:
    found = rim(torch.from_numpy(mask), width)[0].numpy()
    if mask.all() or not mask.any():
        assert not found.any()
        return
    away = distance_transform_edt(mask[0]) + distance_transform_edt(~mask[0])
    np.testing.assert_array_equal(found, away <= width)


@pytest.mark.parametrize("width", [1, 2, 5, 100])
def test_rim_and_interior_count_every_pixel_once(width: int) -> None:
    asked = RimSettings(rim_px=width)
    near, far = (m.count(PROBABILITY, LABELS, asked) for m in (BOUNDARY_DICE, INTERIOR_DICE))
    found = PROBABILITY > 0.5
    for name, pixels in (("tp", found & LABELS), ("fp", found & ~LABELS), ("fn", LABELS & ~found)):
        both = near[f"boundary_dice_{name}"] + far[f"interior_dice_{name}"]
        assert torch.equal(both, pixels.sum(dim=(1, 2)))


def test_a_network_that_blurs_edges_has_a_low_boundary_and_a_high_interior_dice() -> None:
    blurred = LABELS.float() * ~rim(LABELS, 1)
    near = BOUNDARY_DICE.count(blurred, LABELS, RimSettings(rim_px=1))
    far = INTERIOR_DICE.count(blurred, LABELS, RimSettings(rim_px=1))
    assert near["boundary_dice_tp"].sum() == 0
    assert far["interior_dice_fp"].sum() == far["interior_dice_fn"].sum() == 0


@pytest.mark.parametrize("form", range(FORMS))
def test_counts_are_the_same_in_every_form(form: int) -> None:
    def counted(p: Tensor, y: Tensor) -> list[int]:
        found = BOUNDARY_DICE.count(p, y, RimSettings(rim_px=3))
        return [int(found[name].sum()) for name in BOUNDARY_DICE.sums]

    turned = counted(dihedral(PROBABILITY, form), dihedral(LABELS, form))
    assert turned == counted(PROBABILITY, LABELS)


def test_it_says_its_width() -> None:
    assert BOUNDARY_DICE.describe(RimSettings()).endswith("on either side (rim_px = 2)")
    assert INTERIOR_DICE.describe(RimSettings()).startswith("dice of the pixels farther than")

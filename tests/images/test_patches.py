from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import FileError
from studyspec.images.patches import cut
from studyspec.spec.sections import PatchSettings


@given(st.integers(16, 70), st.integers(16, 70), st.integers(0, 200))
def test_patches_are_the_squares_with_enough_particle(height: int, width: int, least: int) -> None:
    rng = np.random.default_rng(height * 100 + width)
    image = rng.random((height, width), np.float32)
    label = rng.random((height, width)) < 0.4
    patches = cut(image, label, PatchSettings(size=16, min_particle_px=least))
    expected = [
        (r, c)
        for r in range(height // 16)
        for c in range(width // 16)
        if label[16 * r : 16 * r + 16, 16 * c : 16 * c + 16].sum() > least
    ]
    assert list(zip(patches.rows, patches.cols, strict=True)) == expected
    for k, (r, c) in enumerate(expected):
        square = (slice(16 * r, 16 * r + 16), slice(16 * c, 16 * c + 16))
        assert np.array_equal(patches.images[k], image[square])
        assert np.array_equal(patches.labels[k], label[square])


def test_an_image_smaller_than_a_patch_is_told() -> None:
    with pytest.raises(FileError, match=r"fewer than a patch of 32 x 32; lower preprocess.patch"):
        cut(np.ones((20, 64), np.float32), np.ones((20, 64), bool), PatchSettings(size=32))


def test_without_a_label_every_square_is_a_patch() -> None:
    found = cut(np.ones((32, 48), np.float32), None, PatchSettings(size=16))
    assert found.images.shape == (6, 16, 16)
    assert not found.labels.any()


def test_empty_patches_are_kept_where_they_are_wanted() -> None:
    label = np.zeros((32, 48), bool)
    label[:16, :16] = True
    settings = PatchSettings(size=16)
    dropped = cut(np.ones(label.shape, np.float32), label, settings.model_copy())
    kept = cut(np.ones(label.shape, np.float32), label, PatchSettings(size=16, empty=True))
    assert (len(dropped.rows), dropped.dropped) == (0, 6)
    assert (len(kept.rows), kept.dropped) == (6, 0)

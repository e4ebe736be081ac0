from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
import torch

from studyspec.images.patches import cut
from studyspec.jobs.selection import around as around_of
from studyspec.jobs.selection import gather
from studyspec.learn.batches import PatchSet
from studyspec.learn.crops import crop, shifts
from studyspec.learn.draws import Draws
from studyspec.learn.training import train
from studyspec.spec.sections import PatchSettings
from tests.learn.patches import discs, learning

SIZE = 16
IMAGE = np.arange(48 * 48, dtype=np.float32).reshape(48, 48)


def patch_set(positions: list[int]) -> PatchSet:
    """Some of the 3 x 3 patches of an image whose pixels are all different."""
    patches = cut(IMAGE, np.ones(IMAGE.shape, bool), PatchSettings(size=SIZE, min_particle_px=0))
    chosen = np.array(positions)
    return PatchSet(*gather([patches], chosen), around=around_of([patches], chosen))


def taken(patches: PatchSet, times: int = 50) -> npt.NDArray[np.float32]:
    n = len(patches.images)
    found = [
        patches.take(torch.arange(n), torch.arange(n), "cpu", Draws(962, epoch)).images.numpy()
        for epoch in range(1, times + 1)
    ]
    return np.concatenate(found)


def test_a_crop_is_a_square_of_the_image() -> None:
    for square in taken(patch_set(list(range(9)))):
        row, col = divmod(int(square[0, 0]), 48)
        assert np.array_equal(square, IMAGE[row : row + SIZE, col : col + SIZE])


def test_crops_lie_all_over_the_patches() -> None:
    corners = {divmod(int(square[0, 0]), 48) for square in taken(patch_set(list(range(9))), 200)}
    rows, cols = (np.array(each) for each in zip(*corners, strict=True))
    assert len(corners) > 600
    assert {rows.min(), rows.max(), cols.min(), cols.max()} == {0, 32}


@pytest.mark.parametrize("positions", [[4], [0, 1], [0, 4, 8], [0, 1, 3], [1, 3, 4, 5, 7]])
def test_a_crop_sees_no_patch_that_is_not_trained_on(positions: list[int]) -> None:
    patches = patch_set(positions)
    seen = np.unique(taken(patches))
    assert np.isin(seen, patches.images).all()


def test_a_patch_alone_stays_and_two_move_along_one_edge() -> None:
    assert np.array_equal(taken(patch_set([4]), 1), patch_set([4]).images)
    corners = [divmod(int(square[0, 0]), 48) for square in taken(patch_set([0, 1]))]
    assert {row for row, _ in corners} == {0}
    assert len({col for _, col in corners}) > 10


def test_labels_go_with_their_pixels() -> None:
    patches = patch_set(list(range(9)))
    odd = replace(patches, labels=(patches.images % 2).astype(np.uint8))
    found = odd.take(torch.arange(9), torch.arange(9), "cpu", Draws(1, 1))
    assert torch.equal(found.labels.float(), found.images % 2)


def test_a_sample_has_its_crop_whatever_its_batch() -> None:
    patches, draws = patch_set(list(range(9))), Draws(3, 2)
    assert patches.around is not None
    numbers = torch.arange(9)
    together = shifts(draws, numbers, patches.around, SIZE)
    alone = [shifts(draws, n[None], patches.around[int(n)][None], SIZE)[0] for n in numbers]
    assert np.array_equal(together, alone)
    assert (np.abs(together) < SIZE).all()
    assert not np.array_equal(together, shifts(Draws(3, 3), numbers, patches.around, SIZE))


def test_no_move_gives_the_patches() -> None:
    patches = patch_set(list(range(9)))
    assert patches.around is not None
    still = np.zeros((9, 2), np.int64)
    assert np.array_equal(crop(patches.images, patches.around, still), patches.images)


def test_patches_of_two_images_do_not_touch() -> None:
    one = cut(IMAGE[:16], np.ones((16, 48), bool), PatchSettings(size=16, min_particle_px=0))
    found = around_of([one, one], np.arange(6))
    assert found[2, 1].tolist() == [1, 2, -1]
    assert found[3, 1].tolist() == [-1, 3, 4]


def test_a_training_with_crops_is_another_one_and_repeats() -> None:
    patches = discs(9, seed=1)
    near = replace(patches, around=patch_set(list(range(9))).around)
    validation = discs(3, seed=2)
    a, b = (train(near, validation, learning(training={"batch_size": 3}), 962) for _ in range(2))
    plain = train(patches, validation, learning(training={"batch_size": 3}), 962)
    assert [e.train_loss for e in a.history] == [e.train_loss for e in b.history]
    assert [e.train_loss for e in a.history] != [e.train_loss for e in plain.history]

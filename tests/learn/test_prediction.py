from __future__ import annotations

import numpy as np
import pytest
import torch

from studyspec.errors import LearnError
from studyspec.learn.network import ResidualUNet, build
from studyspec.learn.prediction import predict_patches, probability
from studyspec.spec.settings import ModelSettings


@pytest.fixture
def network() -> ResidualUNet:
    return build(ModelSettings(first_filters=2), 1).eval()


def _image(height: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(1).standard_normal((height, width)).astype(np.float32)


def test_one_tile_is_what_the_network_says(network: ResidualUNet) -> None:
    image = _image(64, 32)
    with torch.no_grad():
        expected = torch.softmax(network(torch.from_numpy(image)[None, None]), dim=1)[0, 1]
    np.testing.assert_allclose(probability(network, image), expected, atol=1e-5)
    np.testing.assert_array_equal(probability(network, image) > 0.5, expected > 0.5)


@pytest.mark.parametrize("shape", [(16, 16), (17, 100), (130, 131), (64, 200), (33, 65)])
@pytest.mark.parametrize("tile", [16, 32, 48, 64])
def test_every_pixel_of_any_shape_has_an_answer(
    network: ResidualUNet, shape: tuple[int, int], tile: int
) -> None:
    p = probability(network, _image(*shape), tile)
    assert p.shape == shape
    assert p.dtype == np.float32
    assert ((p >= 0) & (p <= 1)).all()
    assert probability(network, _image(*shape), tile).dtype == np.float32


def test_tiles_leave_no_seams(network: ResidualUNet) -> None:
    image = np.full((224, 224), 0.3, np.float32)
    p = probability(network, image, tile_px=128)
    steps = np.abs(np.diff(p, axis=1))
    seams = [edge - 1 for edge in (96, 128)]
    assert steps[:, seams].max() <= steps[:, 20:-20].max()
    assert steps[:, seams].max() < 0.5 * np.ptp(p)


def test_tiles_agree_with_the_whole_far_from_their_edges(network: ResidualUNet) -> None:
    torch.nn.init.zeros_(network.bottleneck.conv_add.weight)
    image = _image(64, 400)
    whole = probability(network, image, tile_px=400)
    tiled = probability(network, image, tile_px=256)
    assert np.abs(whole - tiled)[:, :16].max() < 1e-3
    assert np.abs(whole - tiled).mean() < 0.01


def test_an_image_smaller_than_the_network_is_an_error(network: ResidualUNet) -> None:
    with pytest.raises(LearnError, match="15 x 40 pixels is too small; at least 16 x 16"):
        probability(network, _image(15, 40))


def test_patches_are_predicted_as_their_probability_says(network: ResidualUNet) -> None:
    patches = np.stack([_image(32, 32), _image(32, 32)[::-1]])
    found = predict_patches(network, np.ascontiguousarray(patches))
    expected = np.stack([probability(network, patch) > 0.5 for patch in patches])
    np.testing.assert_array_equal(found, expected)

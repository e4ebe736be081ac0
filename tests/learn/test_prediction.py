from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.architectures.residual_unet import ResidualUNetSettings
from studyspec.learn.evaluation import evaluate
from studyspec.learn.prediction import predict_patches, probability
from studyspec.learn.unet import ResidualUNet
from tests.tolerances import PROBABILITY


@pytest.fixture
def network() -> ResidualUNet:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return ResidualUNet(ResidualUNetSettings(first_filters=2)).eval()


def _image(height: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.random.default_rng(1).standard_normal((height, width)).astype(np.float32)


def test_one_tile_is_what_the_network_says(network: ResidualUNet) -> None:
    image = _image(64, 32)
    with torch.no_grad():
        expected = torch.softmax(network(torch.from_numpy(image)[None, None]), dim=1)[0, 1]
    np.testing.assert_allclose(probability(network, image), expected, atol=PROBABILITY)


@pytest.mark.parametrize("shape", [(16, 16), (17, 100), (130, 131), (64, 200), (33, 65)])
@pytest.mark.parametrize("tile", [16, 32, 48, 64])
def test_every_pixel_of_any_shape_has_an_answer(
    network: ResidualUNet, shape: tuple[int, int], tile: int
) -> None:
    p = probability(network, _image(*shape), tile)
    assert p.shape == shape
    assert p.dtype == np.float32
    assert ((p >= 0) & (p <= 1)).all()


def test_tiles_leave_no_seams(network: ResidualUNet) -> None:
    image = np.full((224, 224), 0.3, np.float32)
    p = probability(network, image, tile_px=128)
    steps = np.abs(np.diff(p, axis=1))
    seams = [edge - 1 for edge in (96, 128)]
    assert steps[:, seams].max() <= steps[:, 20:-20].max()
    assert steps[:, seams].max() < 0.5 * np.ptp(p)


def test_tiles_agree_with_the_whole_far_from_their_edges(network: ResidualUNet) -> None:
    torch.nn.init.zeros_(network.get_parameter("bottleneck.conv_add.weight"))
    image = _image(64, 400)
    whole = probability(network, image, tile_px=400)
    tiled = probability(network, image, tile_px=256)
    assert np.abs(whole - tiled)[:, :16].max() < 1e-3
    assert np.abs(whole - tiled).mean() < 0.01


def test_an_image_smaller_than_the_network_is_an_error(network: ResidualUNet) -> None:
    with pytest.raises(LearnError, match="15 x 40 pixels is too small; at least 16 x 16"):
        probability(network, _image(15, 40))


class Halving(nn.Module):
    """Takes images whose edges are multiples of 32, and no others."""

    def forward(self, x: Tensor) -> Tensor:
        assert x.shape[2] % 32 == x.shape[3] % 32 == 0
        return torch.cat([-x, x], dim=1)


@pytest.mark.parametrize("shape", [(32, 32), (33, 100), (200, 70)])
def test_images_and_tiles_are_what_the_network_needs(shape: tuple[int, int]) -> None:
    image = _image(*shape)
    found = probability(Halving(), image, tile_px=48, multiple_px=32)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-2 * image)), atol=PROBABILITY)
    with pytest.raises(LearnError, match="at least 32 x 32"):
        probability(Halving(), image[:31], multiple_px=32)


def test_patches_are_predicted_as_their_probability_says(network: ResidualUNet) -> None:
    patches = np.stack([_image(32, 32), _image(32, 32)[::-1]])
    found = predict_patches(network, np.ascontiguousarray(patches))
    p = np.stack([probability(network, patch) for patch in patches])
    clear = np.abs(p - 0.5) > PROBABILITY
    np.testing.assert_array_equal(found[clear], p[clear] > 0.5)
    assert clear.mean() > 0.99


class Nothing(torch.nn.Module):
    """A network that gives NaN for part of an image."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = torch.cat([x, x], dim=1)
        found[:, 1, :1] = torch.nan
        return found


def test_a_network_that_gives_no_numbers_is_an_error_and_no_empty_mask() -> None:
    image = np.ones((32, 32), np.float32)
    with pytest.raises(LearnError, match=r"no numbers \(NaN\).*diverge"):
        probability(Nothing(), image, 32)
    with pytest.raises(LearnError, match="no numbers"):
        predict_patches(Nothing(), image[None])
    with pytest.raises(LearnError, match="no numbers"):
        evaluate(Nothing(), image[None], np.zeros((1, 32, 32), np.uint8), in_all_forms=False)

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest

from studyspec.errors import FileError
from studyspec.images.noise import NOISE_FACTS
from studyspec.images.steps.rescale import RESCALE, RescaleSettings, mean_and_sd, rescale
from studyspec.plugins.values import Frame, WorkingImage
from tests.tolerances import RELATIVE

Image = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image:
    return RNG.poisson(900, shape).astype(np.float32)


def rescaled(image: Image, settings: RescaleSettings, weights: Image | None = None) -> Image:
    found = image.copy()
    rescale(found, settings, weights)
    return found


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [("normalize", 0, 1), ("histogram", 0, 1), ("standardize", None, None)],
)
def test_rescaling_reaches_its_scale(method: str, low: float | None, high: float | None) -> None:
    found = rescaled(noise(64, 64), RescaleSettings.model_validate({"method": method}))
    if low is None:
        assert (found.mean(), found.std()) == pytest.approx((0, 1), abs=1e-5)
    else:
        assert (found.min(), found.max()) == pytest.approx((low, high), abs=1e-6)


def test_histogram_without_clipping_keeps_the_tails() -> None:
    image = noise(64, 64)
    low, high = np.percentile(image, (1, 99))
    found = rescaled(image, RescaleSettings(method="histogram", clip=False))
    assert np.allclose(found, (image - low) / (high - low), atol=1e-5)


def test_an_image_of_one_value_is_told() -> None:
    with pytest.raises(FileError, match="all pixels are equal"):
        rescale(np.full((700, 300), 7.1, np.float32), RescaleSettings())


def test_mean_and_deviation_in_single_precision_agree_with_double() -> None:
    image, weights = noise(300, 500) * np.linspace(1, 2, 500, dtype=np.float32), noise(300, 500)
    weights /= weights.mean()
    for weight in (None, weights):
        w = np.ones(image.shape) if weight is None else weight.astype(np.float64)
        mean = float((w * image).sum() / image.size)
        sd = float(np.sqrt((w * (image - mean) ** 2).sum() / image.size))
        assert mean_and_sd(image, weight) == pytest.approx((mean, sd), rel=RELATIVE / 10)


def test_standardizing_notes_deviation_over_mean() -> None:
    image = WorkingImage(noise(64, 64), facts={"other": 1.0})
    expected = image.pixels.std() / image.pixels.mean()
    facts = RESCALE.apply(image, RescaleSettings()).facts
    told = {name: value for name, value in facts.items() if name not in NOISE_FACTS}
    assert told == {"other": 1.0, "relative_sd": pytest.approx(expected, rel=1e-4)}
    assert facts.keys() > set(NOISE_FACTS)
    again = WorkingImage(noise(64, 64))
    assert RESCALE.apply(again, RescaleSettings(method="normalize")).facts == {}


def rare(share: float, dark: float) -> tuple[Image, npt.NDArray[np.bool_], Image]:
    """An image half of particle, which pixels are, and weights as if only `share` were."""
    particle = np.zeros((64, 64), bool)
    particle[:, :32] = True
    film = np.random.default_rng(0).normal(0, 1, particle.shape)
    image = np.where(particle, dark, film).astype(np.float32)
    weights = np.where(particle, 2 * share, 2 * (1 - share)).astype(np.float32)
    return image, particle, weights


def test_mean_and_deviation_are_those_of_a_frame_where_particles_are_rare() -> None:
    image, particle, weights = rare(0.02, -5)
    found = WorkingImage(image, frame=Frame(np.ones((4, 4), np.float32), 16, 0, 0, weights))
    pixels = RESCALE.apply(found, RescaleSettings()).pixels
    mean, second = 0.02 * -5, 0.98 + 0.02 * 25
    sd = np.sqrt(second - mean**2)
    assert pixels[particle].mean() == pytest.approx((-5 - mean) / sd, abs=0.05)
    assert pixels[~particle].std() == pytest.approx(1 / sd, rel=0.05)


@pytest.mark.parametrize("method", ["normalize", "histogram"])
def test_rare_particles_do_not_move_percentiles(
    method: Literal["normalize", "histogram"],
) -> None:
    image, _, weights = rare(0.001, -50)
    settings = RescaleSettings(method=method)
    weighted, plain = rescaled(image, settings, weights), rescaled(image, settings)
    assert np.allclose(weighted, plain) == (method == "normalize")

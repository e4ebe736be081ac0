from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.catalog.cameras import Camera
from studyspec.catalog.row import ImageRow
from studyspec.errors import RunError
from studyspec.images.noise import spectrum
from studyspec.images.variability import roughness
from studyspec.learn.augmentations.thinning import THINNING, ThinningSettings
from studyspec.learn.draws import Draws
from studyspec.plugins.values import Image as FloatImage
from studyspec.plugins.values import Mask, Samples, Value
from studyspec.twin.camera import Exposure, detect
from studyspec.twin.sessions import Session
from tests.twin.prepared import CCD, K3, ONEVIEW, prepared

SCALE_NM = 0.02
STILL = replace(Camera(), fixed_pattern=0.0, xrays_per_electron=0.0)
SESSION = Session(defocus_nm=0, beam_deg=0, falloff=0, gain=12, pattern_seed=1)
KNOWN = {"camera": "Gatan OneView"}


def counted(dose: float, n: int = 6) -> Samples:
    """Patches of a wave as the twin's camera takes them, standardized."""
    rng = np.random.default_rng(int(dose))
    shape = 1 + 0.1 * np.sin(np.arange(96) / 5)[:, None] * np.ones((n, 96, 96))
    beam = Exposure(dose, 10 * SCALE_NM)
    counts = np.stack([detect(one, beam, SESSION, rng, STILL) for one in shape])
    images = torch.from_numpy((counts - counts.mean()) / counts.std())
    return lit(images, dose, float(counts.std() / counts.mean()))


def told(dose: float, facts: Mapping[str, float], **columns: str | None) -> dict[str, float]:
    """What thinning finds of an image with these columns and facts."""
    cells = {"dose_e_per_A2": dose, "pixel_scale_nm": SCALE_NM, "voltage_kv": 300.0, **columns}
    return dict(THINNING.values(ThinningSettings(dose_e_per_A2=80), cells, facts))


def lit(images: Tensor, dose: float, relative_sd: float) -> Samples:
    """Images of a known camera with what thinning reads."""
    mean = SESSION.gain * dose * (10 * SCALE_NM) ** 2
    facts = {"relative_sd": relative_sd, "image_counts": mean, "frame_counts": mean}
    return samples_of(images, told(dose, facts, **KNOWN))


def samples_of(images: Tensor, *told: Mapping[str, float]) -> Samples:
    """Samples of as many images, or of one."""
    every = told if len(told) > 1 else told * len(images)
    values = {name: torch.tensor([one[name] for one in every]) for name in told[0]}
    return Samples(images, images.byte(), torch.arange(len(images)), values)


def thinned(samples: Samples, **table: Any) -> Tensor:
    return THINNING.apply(samples, ThinningSettings(**table), Draws(1, 1)).images


def lag(image: Tensor) -> float:
    """Correlation of what two neighbours in a row hold besides the wave, which is along columns."""
    left, right = (part - part.mean(-1, keepdim=True) for part in (image[..., :-1], image[..., 1:]))
    return float((left * right).mean() / (left * left).mean())


def test_thinned_images_are_as_noisy_as_images_of_that_dose() -> None:
    found, real = thinned(counted(884, 200), dose_e_per_A2=80), counted(80, 200).images
    assert found.std() == pytest.approx(1, abs=0.02)
    wave = torch.sin(torch.arange(96) / 5)[:, None]
    contrast = [float((image * wave).mean()) for image in (found, real)]
    assert contrast[0] == pytest.approx(contrast[1], rel=0.03)
    rough = [float((x[:, 1:] - x[:, :-1]).var()) for x in (found, real)]
    assert rough[0] == pytest.approx(rough[1], rel=0.03)


def test_noise_of_thinning_has_the_colour_of_the_cameras() -> None:
    found, real = thinned(counted(884, 200), dose_e_per_A2=80), counted(80, 200).images
    assert lag(found) == pytest.approx(lag(real), abs=0.01)
    assert lag(real) > 0.4


@dataclass(frozen=True)
class Figures:
    """Of a standardized image: film less particle, roughness, correlation of neighbours in film."""

    contrast: float
    roughness: float
    lag: float

    @classmethod
    def of(cls, pixels: FloatImage, particle: Mask) -> Figures:
        film = np.where(particle, np.nan, pixels)
        film = film - np.nanmean(film)
        lag = np.nanmean(film[:, 1:] * film[:, :-1]) / np.nanmean(film**2)
        contrast = np.median(pixels[~particle]) - np.median(pixels[particle])
        return cls(float(contrast), roughness(pixels), float(lag))


@pytest.mark.parametrize(
    ("camera", "named"),
    [(ONEVIEW, ONEVIEW), (K3, K3), (CCD, CCD), (ONEVIEW, None), (K3, "a new one")],
)
def test_thinned_twin_images_are_as_those_of_that_dose(camera: str, named: str | None) -> None:
    """Of the same specimen; within 5 % and 0.01 where the camera is known, else 10 % and 0.03."""
    image, particle = prepared(camera, 884.0)
    values = told(884.0, image.facts, camera=named)
    found = thinned(samples_of(torch.from_numpy(image.pixels)[None], values), dose_e_per_A2=80)
    got = Figures.of(found[0].numpy(), particle)
    real = Figures.of(prepared(camera, 80.0)[0].pixels, particle)
    within, near = (0.05, 0.01) if camera == named else (0.1, 0.03)
    assert got.contrast == pytest.approx(real.contrast, rel=within)
    assert got.roughness == pytest.approx(real.roughness, rel=within)
    assert got.lag == pytest.approx(real.lag, abs=near)


def test_images_of_a_batch_have_each_their_own_camera() -> None:
    image = prepared(ONEVIEW, 884.0)[0]
    pixels = torch.from_numpy(image.pixels[:128, :128])[None]
    both = [told(884.0, image.facts, camera=one) for one in (ONEVIEW, K3)]
    together = thinned(samples_of(pixels.repeat(2, 1, 1), *both), dose_e_per_A2=80)
    first = thinned(samples_of(pixels, both[0]), dose_e_per_A2=80)
    assert torch.allclose(together[0], first[0], atol=1e-5)
    rough = (together[..., 1:] - together[..., :-1]).var(dim=(1, 2))
    assert rough[1] > 1.5 * rough[0]


def test_what_the_study_sets_wins_over_catalog_and_image() -> None:
    facts = {"relative_sd": 0.2, "image_counts": 424.32, "frame_counts": 424.32}
    cells: dict[str, Value] = {"dose_e_per_A2": 884.0, "pixel_scale_nm": 0.02, "camera": ONEVIEW}
    camera = {"transfer_half": 0.5, "read_noise": 6.0}
    settings = ThinningSettings.model_validate({"dose_e_per_A2": 80.0, "camera": camera})
    found = THINNING.values(settings, cells, facts)
    assert (found["thinning.half"], found["thinning.read"]) == pytest.approx((0.5, 0.5))
    assert found["thinning.white"] == pytest.approx(1 / 165)
    unknown = {**cells, "camera": None}
    camera |= {"excess_noise": 0.3, "quanta": 50.0}
    settings = ThinningSettings.model_validate({"dose_e_per_A2": 80.0, "camera": camera})
    found = THINNING.values(settings, unknown, facts)
    assert (found["thinning.shot"], found["thinning.white"]) == pytest.approx((1.09, 0.02))
    assert THINNING.lacks(settings, ROW) is None


ROW = ImageRow(
    "a", "mine", "a.tif", dose_e_per_A2=884.0, pixel_scale_nm=0.02, width_px=256, height_px=256
)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        (replace(ROW, camera=ONEVIEW), ""),
        (replace(ROW, width_px=None), ""),
        (replace(ROW, camera=ONEVIEW, dose_e_per_A2=None), "thinning needs dose_e_per_A2"),
        (ROW, "the catalog names no camera, and it has 4 squares of 128 px, fewer than 16"),
        (replace(ROW, camera="K5"), "the catalog names the camera 'K5', and it has 4 squares"),
    ],
)
def test_images_whose_camera_stays_unknown_are_told(row: ImageRow, what: str) -> None:
    lacks = THINNING.lacks(ThinningSettings(dose_e_per_A2=80), row)
    assert (lacks is None) == (not what)
    assert what in (lacks[0] if lacks else "")


def test_noise_that_says_too_little_is_told_with_what_to_set() -> None:
    small = spectrum(np.ones((256, 256), np.float32))
    facts = {**small, "relative_sd": 0.2, "image_counts": 400.0, "frame_counts": 400.0}
    with pytest.raises(RunError, match=r"4 squares .* or set transfer_half, excess_noise and qu"):
        told(884.0, facts)


def test_an_image_of_a_lower_dose_stays_as_it_is() -> None:
    samples = counted(80)
    assert torch.equal(thinned(samples, dose_e_per_A2=423), samples.images)


def test_doses_of_a_range_differ_from_sample_to_sample() -> None:
    found = thinned(counted(884, n=40), least_dose_e_per_A2=80)
    rough = (found[:, 1:] - found[:, :-1]).var(dim=(1, 2))
    assert rough.std() > 0.04
    assert torch.isfinite(found).all()


def test_brighter_pixels_get_more_noise() -> None:
    flat = torch.stack([torch.full((32, 32), value) for value in (-2.0, 2.0)] * 32)
    found = thinned(lit(flat, 884, 0.3), dose_e_per_A2=80)
    assert found[1::2].std() > 1.5 * found[::2].std()

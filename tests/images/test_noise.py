from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studyspec.catalog.cameras import CAMERAS
from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError
from studyspec.images.noise import NOISE_FACTS, RING_FACTS, Noise, fitted, spectrum, unmeasurable
from tests.twin.prepared import CCD, K3, ONEVIEW, prepared

TRANSFER, SHOT, FLOOR, POWER = 0.15, 0.2, 0.1, 0.1
"""Relative tolerances on an image of 512 px, of which none has fewer squares; POWER is the noise
above the lens's limit, from which the others come."""
ROW = ImageRow(
    "a", "mine", "a.tif", dose_e_per_A2=400.0, pixel_scale_nm=0.02, width_px=2048, height_px=2048
)


def electrons(camera: str, dose: float, scale: float) -> float:
    """In a pixel of the image, which lies where the field is a little brighter or darker."""
    facts = prepared(camera, dose, scale)[0].facts
    return dose * (10 * scale) ** 2 * facts["image_counts"] / facts["frame_counts"]


def estimated(camera: str, dose: float, scale: float) -> Noise:
    facts = prepared(camera, dose, scale)[0].facts
    return fitted(facts, facts["relative_sd"], electrons(camera, dose, scale), scale, 300.0)


def expected(camera: str, dose: float, scale: float) -> Noise:
    """What the twin's camera does; in its floor are reading and pattern too."""
    known, n = CAMERAS[camera], electrons(camera, dose, scale)
    gain = prepared(camera, dose, scale)[0].facts["image_counts"] / n
    floor = 1 / known.quanta + (known.read_noise / gain) ** 2 / n + known.fixed_pattern**2 * n
    return Noise(known.mtf_half, 1 + known.excess_noise**2, floor)


@pytest.mark.parametrize(
    ("camera", "dose", "scale"),
    [(ONEVIEW, 884.0, 0.02), (K3, 884.0, 0.02), (CCD, 884.0, 0.02), (ONEVIEW, 423.0, 0.026)],
)
def test_the_noise_of_twin_images_tells_their_camera(
    camera: str, dose: float, scale: float
) -> None:
    found, true = estimated(camera, dose, scale), expected(camera, dose, scale)
    assert found.transfer_half == pytest.approx(true.transfer_half, rel=TRANSFER)
    assert found.shot == pytest.approx(true.shot, rel=SHOT)
    if camera != K3:  # whose floor is a thousandth
        assert found.white == pytest.approx(true.white, rel=FLOOR)
    u = np.linspace(0.7, 1.4, 20)
    assert found.power(u) == pytest.approx(true.power(u), rel=POWER)


def test_white_noise_of_variance_one_has_power_one() -> None:
    facts = spectrum(np.random.default_rng(0).standard_normal((1300, 700), np.float32))
    assert tuple(facts) == NOISE_FACTS
    assert facts["noise_tiles"] == 50
    assert [facts[name] for name in RING_FACTS] == pytest.approx([1] * len(RING_FACTS), rel=0.05)


def test_an_image_smaller_than_a_square_has_no_spectrum() -> None:
    assert set(spectrum(np.ones((100, 400), np.float32)).values()) == {0.0}


@pytest.mark.parametrize(
    ("edge", "scale", "why"),
    [
        (384, 0.02, "it has 9 squares of 128 px, fewer than 16"),
        (512, 0.042, "at 0.042 nm a pixel, what the lens passes reaches all frequencies"),
        (512, 0.033, "its noise tells the camera's transfer to 1[0-9]% only"),
    ],
)
def test_what_noise_does_not_tell_is_an_error(edge: int, scale: float, why: str) -> None:
    image = prepared(K3, 884.0)[0]
    facts, relative_sd = spectrum(image.pixels[:edge, :edge]), image.facts["relative_sd"]
    with pytest.raises(FileError, match=f"its camera cannot be estimated: {why}"):
        fitted(facts, relative_sd, electrons(K3, 884.0, 0.02), scale)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (ROW, ""),
        (replace(ROW, width_px=None), ""),
        (replace(ROW, pixel_scale_nm=0.042, voltage_kv=80.0), ""),
        (replace(ROW, pixel_scale_nm=0.042), "at 0.042 nm a pixel, what the lens passes reaches"),
        (replace(ROW, width_px=400, height_px=400), "it has 9 squares of 128 px, fewer than 16"),
        (replace(ROW, dose_e_per_A2=None), "dose or pixel scale is not known"),
    ],
)
def test_the_catalog_may_tell_beforehand_that_it_will_not_do(row: ImageRow, why: str) -> None:
    assert unmeasurable(row).startswith(why)
    assert bool(unmeasurable(row)) == bool(why)

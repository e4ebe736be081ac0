from __future__ import annotations

from itertools import product

import numpy as np
import numpy.typing as npt

from studyspec.images.steps.xrays import XraySettings, remove_xrays

Image = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image:
    return RNG.poisson(900, shape).astype(np.float32)


def reference_xrays(image: npt.NDArray[np.float64], threshold: float) -> npt.NDArray[np.float64]:
    """The rule pixel by pixel, one pass."""
    image = np.maximum(image, 0).copy()
    mean, limit = image.mean(), np.median(image) + threshold
    hits = sorted(zip(*np.nonzero(image > limit), strict=True), key=lambda p: -image[p])
    for row, col in hits:
        inside = 0 < row < len(image) - 1 and 0 < col < image.shape[1] - 1
        steps = [step for step in product((-1, 0, 1), repeat=2) if step != (0, 0)]
        around = [image[row + a, col + b] for a, b in steps] if inside else []
        image[row, col] = np.mean(around) if around else mean
    return image


def test_xrays_are_replaced_as_the_rule_says() -> None:
    image = noise(40, 50)
    image[[5, 5, 6, 0, 39, 20], [7, 8, 8, 3, 49, 20]] = [9000, 8000, 7000, 6000, 6500, 3000]
    image[10, 10] = -50
    expected = reference_xrays(image.astype(np.float64), 1500)
    found = remove_xrays(image.copy(), XraySettings(passes=1))
    assert np.allclose(found, expected, rtol=1e-5)


def test_a_second_pass_removes_what_the_first_left() -> None:
    image = np.zeros((7, 7), np.float32)
    image[2:5, 2:5] = 1e6
    once = remove_xrays(image.copy(), XraySettings(passes=1))
    twice = remove_xrays(image.copy(), XraySettings(passes=2))
    assert np.allclose(twice, reference_xrays(once.astype(np.float64), 1500), rtol=1e-5)
    assert twice.max() < once.max()


def test_a_pixel_just_at_the_threshold_stays() -> None:
    image = np.zeros((5, 5), np.float32)
    image[2, 2] = 1500
    assert remove_xrays(image, XraySettings())[2, 2] == 1500


def test_a_pixel_near_the_threshold_is_judged_by_the_exact_median() -> None:
    image = noise(300, 200)
    limit = float(np.median(image)) + 1500
    image[100:102, 50] = [limit, limit + 1]
    found = remove_xrays(image.copy(), XraySettings(passes=1))
    assert found[100, 50] == np.float32(limit)
    assert found[101, 50] < limit


def test_an_image_that_its_sample_does_not_show_is_judged_all_the_same() -> None:
    image = np.zeros((64, 64), np.float32)
    image[1:, 1:] = 2000  # the sample is every 16th row and column
    image[::16, ::16] = 0
    image[33, 33] = 3400
    assert np.array_equal(remove_xrays(image.copy(), XraySettings()), image)

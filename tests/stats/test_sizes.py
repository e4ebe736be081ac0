"""Size distributions of particles drawn from known ones."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from studyspec.stats.sizes import Bounded, Figure, Measured, SizeDistribution, distribution
from studyspec.store.particle_sums import Moments, SizeSums

RNG = np.random.default_rng


def drawn(
    images: int, rng: np.random.Generator, mean: float = 5.0, spread: float = 0.15
) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Diameters of log-normal particles, image by image; images differ by 3 %."""
    moves = rng.normal(0, 0.03, images)
    return [mean * np.exp(move + rng.normal(0, spread, 25)) for move in moves]


def segmented(
    truths: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]],
    rng: np.random.Generator,
    factor: float,
    noise: float,
) -> list[np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """What a network that errs so makes of them."""
    return [d * factor * np.exp(rng.normal(0, noise, d.size)) for d in truths]


def moments(diameters: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Moments:
    logs = np.log(diameters)
    return Moments(logs.size, float(logs.sum()), float((logs**2).sum()))


def measured(its: Sequence[np.ndarray[tuple[int], np.dtype[np.float64]]]) -> list[Measured]:
    return [Measured(tuple(one.tolist())) for one in its]


def labelled(rng: np.random.Generator, images: int, factor: float, noise: float) -> list[SizeSums]:
    """Labelled images of particles of another size than those that are measured."""
    truths = drawn(images, rng, mean=4.0)
    seen = segmented(truths, rng, factor, noise)
    both = zip(truths, seen, strict=True)
    return [SizeSums(str(i), moments(a), moments(b)) for i, (a, b) in enumerate(both)]


def figure(of: SizeDistribution, name: str) -> Figure:
    return next(one for one in of.figures if one.name == name)


def value(of: Bounded | None) -> float:
    assert of is not None
    assert of.value is not None
    return of.value


def test_figures_are_those_of_all_particles_together() -> None:
    its = [np.array([1.0, 2.0, 3.0, 4.0]), np.array([]), np.array([5.0, 9.0])]
    found = distribution(measured(its))
    every = np.concatenate(its)
    assert (found.images, found.particles) == (3, 6)
    told = {one.name: value(one.found) for one in found.figures}
    for name, q in {"d10": 10, "d25": 25, "median": 50, "d75": 75, "d90": 90}.items():
        expected = np.percentile(every, q, method="averaged_inverted_cdf")
        assert told[name] == pytest.approx(float(expected))
    assert told["mean"] == pytest.approx(4.0)
    assert told["sd"] == pytest.approx(every.std(ddof=1))
    assert told["per_image"] == pytest.approx(2.0)
    assert sum(one.particles for one in found.bins) == 6


def test_what_segmentation_adds_is_taken_away() -> None:
    rng = RNG(1)
    truths = drawn(60, rng)
    seen = measured(segmented(truths, rng, factor=1.08, noise=0.12))
    found = distribution(seen, labelled(rng, 60, 1.08, 0.12))
    every = np.concatenate(truths)
    assert found.error is not None
    assert found.error.factor == pytest.approx(1.08, abs=0.01)
    assert found.error.added == pytest.approx(0.12**2, abs=0.003)
    truth_of = {"mean": every.mean(), "sd": every.std(), "median": np.median(every)}
    truth_of |= {f"d{q}": np.percentile(every, q) for q in (10, 90)}
    for name, truth in truth_of.items():
        one = figure(found, name)
        assert abs(value(one.corrected) / truth - 1) < 0.06, name
        assert abs(value(one.found) / truth - 1) > abs(value(one.corrected) / truth - 1), name
    assert value(figure(found, "mean").found) / every.mean() == pytest.approx(1.09, abs=0.02)


@pytest.mark.parametrize("images", [6, 12])
def test_intervals_cover_the_truth_as_often_as_they_say(images: int) -> None:
    """Of 120 experiments 95 % +- 2 % should be right: 87 % is four standard errors less."""
    right = {"found": 0, "corrected": 0}
    for seed in range(120):
        rng = RNG(seed)
        seen = segmented(drawn(images, rng), rng, 1.05, 0.1)
        tests = labelled(rng, images, 1.05, 0.1)
        one = figure(distribution(measured(seen), tests, draws=200), "mean")
        expected = 5 * math.exp((0.15**2 + 0.03**2) / 2)
        assert one.corrected is not None
        for name, of, truth in (
            ("found", one.found, expected * 1.05 * math.exp(0.1**2 / 2)),
            ("corrected", one.corrected, expected),
        ):
            assert of.low is not None
            assert of.high is not None
            right[name] += of.low <= truth <= of.high
    assert all(0.87 * 120 <= n <= 120 for n in right.values()), right


def test_the_number_is_corrected_for_missed_and_invented_particles() -> None:
    rng = RNG(2)
    tests = [
        SizeSums(str(i), moments(d), moments(np.concatenate([d, d[:5]])))
        for i, d in enumerate(drawn(10, rng))
    ]
    one = figure(distribution(measured(drawn(4, rng)), tests), "per_image")
    assert value(one.found) == pytest.approx(25)
    assert value(one.corrected) == pytest.approx(25 * 25 / 30)


def test_nothing_is_corrected_without_labelled_images() -> None:
    found = distribution(measured(drawn(8, RNG(3))))
    assert found.error is None
    assert {one.corrected for one in found.figures} == {None}
    assert "not corrected: the store knows no labelled test images" in " ".join(found.notes)
    nothing = SizeSums("a", Moments(0, 0, 0), Moments(3, 1, 1))
    assert distribution(measured(drawn(8, RNG(3))), [nothing]).error is None


def test_one_image_has_no_interval() -> None:
    found = distribution(measured(drawn(1, RNG(4))))
    assert {(one.found.low, one.found.high) for one in found.figures} == {(None, None)}
    assert "no intervals" in found.notes[0]


def test_without_particles_sizes_are_unknown() -> None:
    found = distribution([Measured((), 2), Measured(())])
    assert (found.particles, found.left_out, found.bins) == (0, 2, ())
    assert {one.name: one.found.value for one in found.figures}["mean"] is None


def test_a_spread_that_segmentation_explains_is_none() -> None:
    rng = RNG(5)
    found = distribution(measured(drawn(8, rng, spread=0.02)), labelled(rng, 8, 1.0, 0.4))
    assert value(figure(found, "sd").corrected) == pytest.approx(0, abs=1e-9)
    assert "scatter no more than segmentation makes them" in " ".join(found.notes)


def test_draws_are_the_same_every_time() -> None:
    its = measured(drawn(5, RNG(6)))
    assert distribution(its) == distribution(its)

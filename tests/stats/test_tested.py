from __future__ import annotations

import pytest

from studyspec.stats.tested import network_scores
from studyspec.store.tested import TestedPatch


def patch(
    network: str, image: str, tp: int, fp: int, fn: int, false: int = 0, col: int = 0
) -> TestedPatch:
    return TestedPatch(
        network, f"{network}!", image, 0, col, tp, fp, fn, 1000 - tp - fp - fn, false
    )


SCALES = {"good": {"a": 1.0, "b": 1.0, "empty": 1.0}}
PATCHES = [
    patch("bad", "a", 10, 90, 90),
    patch("good", "a", 90, 10, 10),
    patch("good", "a", 0, 20, 0, false=2, col=1),
    patch("good", "b", 50, 50, 50),
    patch("good", "empty", 0, 7, 0, false=3),
]


def test_images_are_worst_first_and_those_without_particles_last() -> None:
    good, bad = network_scores(PATCHES, {"a", "b", "empty"}, SCALES)
    assert (good.network, bad.network) == ("good", "bad")
    assert [one.image_id for one in good.images] == ["b", "a", "empty"]
    assert [one.dice for one in good.images] == [0.5, pytest.approx(180 / 220), None]
    assert good.n == 2
    assert good.dice == pytest.approx((0.5 + 180 / 220) / 2)
    assert bad.missing == ("b", "empty")
    assert bad.interval is None


def test_false_particles_of_empty_patches_count() -> None:
    good = network_scores(PATCHES, {"a"}, SCALES)[0]
    assert (good.empty.patches, good.empty.false_particles) == (2, 5)
    assert good.empty.density == pytest.approx(5 / (2000 / 1e6))
    assert good.whole.density == pytest.approx(5 / (4000 / 1e6))
    without = network_scores(PATCHES, {"a"}, {})[0]
    assert without.empty.density is None
    assert without.empty.false_particles == 5


def test_intervals_are_of_images_and_of_patches() -> None:
    few, many = (
        [patch("n", image, 50 + i, 10, 10, col=i) for image in ("a", "b") for i in range(n)]
        for n in (3, 4)
    )
    assert network_scores(few, {"a", "b"}, {})[0].images[0].interval is None
    score = network_scores(many, {"a", "b"}, {})[0]
    low, high = score.images[0].interval or (1, 0)
    assert score.images[0].dice is not None
    assert 0 < low < score.images[0].dice < high < 1
    spread = [*many, patch("n", "c", 10, 90, 0)]
    wide = network_scores(spread, {"a"}, {})[0].interval or (1, 0)
    assert 0 <= wide[0] < (score.dice or 0) <= wide[1] <= 1

from __future__ import annotations

import logging

import numpy as np
import pytest

from studyspec.jobs.kept import KeptPatch
from studyspec.store.folder import Results
from studyspec.store.kept import KeptPatches, load_kept, save_kept


def kept(which: str = "best") -> KeptPatch:
    """A patch of noise."""
    draw = np.random.default_rng(0)
    pixels = draw.integers(0, 255, (20, 20), dtype=np.uint8)
    return KeptPatch(which, "Au/0", 1, 2, 0.5, pixels, pixels > 100, pixels > 120)


def test_kept_patches_come_back(results: Results) -> None:
    save_kept([kept("best"), kept("worst")], results.prediction("k"))
    found = load_kept(results.prediction("k"))
    assert [one.which for one in found] == ["best", "worst"]
    assert (found[0].image_id, found[0].row, found[0].col, found[0].dice) == ("Au/0", 1, 2, 0.5)
    for name in ("pixels", "label", "predicted"):
        np.testing.assert_array_equal(getattr(found[1], name), getattr(kept(), name))


def test_a_file_is_opened_when_it_is_asked_for(
    results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    save_kept([kept()], results.prediction("good"))
    results.prediction("broken").write_bytes(b"PK not really")
    found = KeptPatches(results, ["broken", "good", "missing"])
    assert list(found) == ["broken", "good"]
    assert [one.which for one in found["good"]] == ["best"]
    with caplog.at_level(logging.WARNING):
        assert not caplog.messages
        assert found["broken"] == []
    assert "broken.npz: kept predictions cannot be read" in caplog.text


def test_a_kept_prediction_that_was_changed_is_left_out(
    results: Results, caplog: pytest.LogCaptureFixture
) -> None:
    save_kept([kept("best")], results.prediction("k"))
    other = results.prediction("other")
    save_kept([kept("worst")], other)
    seal = results.prediction("k").read_bytes()[-64:]
    other.write_bytes(other.read_bytes()[:-64] + seal)
    assert load_kept(other) == []
    assert "it differs from its digest; left out" in caplog.text

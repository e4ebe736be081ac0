from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.pins import Pin, Pins
from studyspec.catalog.row import ImageRow
from studyspec.errors import FileError, Unfetched
from studyspec.images.sources.remote import REMOTE_FILES
from studyspec.plugins.contracts import Whereabouts

URI = "published:a/x.npy"
ROW = ImageRow("x", "c", URI)


def test_a_remote_file_is_known_by_its_pin_alone(tmp_path: Path) -> None:
    at = Whereabouts(tmp_path / "catalog.parquet", tmp_path / "cache")
    with pytest.raises(Unfetched, match="studyspec catalog fetch"):
        REMOTE_FILES.digest(URI, ROW, at)
    Pins.beside(at.catalog).add([Pin(URI, "ab" * 32, 1)])
    assert REMOTE_FILES.digest(URI, ROW, at) == "ab" * 32
    with pytest.raises(Unfetched, match=r"not fetched yet: https://.*/a/x\.npy"):
        REMOTE_FILES.image(URI, ROW, at)


def test_a_mirror_on_a_disk_needs_no_fetching(tmp_path: Path) -> None:
    at = Whereabouts(tmp_path / "c.parquet", tmp_path / "cache", tmp_path.as_uri())
    (tmp_path / "a").mkdir()
    np.save(tmp_path / "a" / "x.npy", np.ones((4, 4)))
    assert REMOTE_FILES.image(URI, ROW, at).pixels.shape == (4, 4)
    assert len(REMOTE_FILES.digest(URI, ROW, at)) == 64


def test_a_file_that_differs_from_its_pin_is_not_read(tmp_path: Path) -> None:
    at = Whereabouts(tmp_path / "c.parquet", tmp_path / "cache", tmp_path.as_uri())
    path = tmp_path / "a" / "x.npy"
    path.parent.mkdir()
    np.save(path, np.ones((4, 4)))
    Pins.beside(at.catalog).add([Pin(URI, REMOTE_FILES.digest(URI, ROW, at), 1)])
    assert REMOTE_FILES.image(URI, ROW, at).pixels.shape == (4, 4)
    np.save(path, np.zeros((4, 5)))
    for asked in (REMOTE_FILES.digest, REMOTE_FILES.image, REMOTE_FILES.label):
        with pytest.raises(FileError, match=r"x\.npy: the file differs from its pin"):
            asked(URI, ROW, at)

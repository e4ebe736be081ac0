from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import TwinError
from studyspec.images.door import Door
from studyspec.images.sources.twin import TWIN, _micrograph
from studyspec.plugins.contracts import Whereabouts

CATALOG = Path(__file__).parents[3] / "data_catalog.parquet"


def twin_row() -> ImageRow:
    rows = Catalog.open(CATALOG).rows_of("twin")
    return replace(rows[0], width_px=96, height_px=96)


def at(folder: Path) -> Whereabouts:
    return Whereabouts(CATALOG, folder / "cache", renders=folder / "twin")


def test_a_twin_image_is_rendered_once(tmp_path: Path) -> None:
    one = Door(at(tmp_path))
    first, again = (one.read(twin_row(), label) for label in ("drawn", "exact"))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.label is not None
    assert again.label is not None
    assert (first.label != again.label).any()
    sha = one.identity(twin_row(), "drawn").image_sha256
    assert [path.name for path in (tmp_path / "twin").iterdir()] == [f"{sha}.npz"]


def test_a_render_read_again_is_the_same_although_its_pixels_were_changed(tmp_path: Path) -> None:
    row = twin_row()
    pixels = TWIN.image(row.image_uri, row, at(tmp_path)).pixels
    kept = pixels.copy()
    pixels[:] = 0
    assert np.array_equal(TWIN.image(row.image_uri, row, at(tmp_path)).pixels, kept)


def test_a_damaged_render_is_told_and_made_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    row = twin_row()
    kept = TWIN.image(row.image_uri, row, at(tmp_path)).pixels.copy()
    (path,) = (tmp_path / "twin").iterdir()
    data = bytearray(path.read_bytes())
    data[5000] ^= 0x80
    path.write_bytes(data)
    _micrograph.cache_clear()
    assert np.array_equal(TWIN.image(row.image_uri, row, at(tmp_path)).pixels, kept)
    assert "damaged render: it differs from its digest; it is made again" in caplog.text


def test_its_frame_is_the_wide_field_where_particles_are_rare(tmp_path: Path) -> None:
    frame = Door(at(tmp_path)).read(twin_row(), "exact").frame
    assert frame is not None
    assert frame.view.shape == (256, 256)
    assert frame.weights.shape == (96, 96)
    assert frame.weights.mean() == pytest.approx(1, abs=1e-4)


def test_labels_of_a_twin_image_have_identities_of_their_own(tmp_path: Path) -> None:
    drawn, exact = (Door(at(tmp_path)).identity(twin_row(), k) for k in ("drawn", "exact"))
    assert drawn.image_sha256 == exact.image_sha256
    assert drawn.label_sha256 != exact.label_sha256


def test_a_row_that_the_twin_cannot_make_is_told(tmp_path: Path) -> None:
    with pytest.raises(TwinError, match="the twin knows no material 'Unobtainium'; known: Au"):
        Door(at(tmp_path)).identity(replace(twin_row(), material="Unobtainium"), "drawn")


def test_a_label_is_no_image(tmp_path: Path) -> None:
    row = replace(twin_row(), image_uri="twin-exact:7")
    with pytest.raises(TwinError, match="'twin-exact:7' names no image of the twin"):
        Door(at(tmp_path)).read(row, "drawn")

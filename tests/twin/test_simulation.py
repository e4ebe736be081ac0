from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.errors import TwinError
from studyspec.twin.conditions import Conditions
from studyspec.twin.simulation import simulate

PROJECT = Path(__file__).parents[2]
ROWS = [r for r in Catalog.open(PROJECT / "data_catalog.parquet").rows if r.collection == "twin"]
SMALL = replace(Conditions.from_row(ROWS[0]), width_px=128, height_px=128)


def test_the_same_conditions_give_the_same_bytes_in_another_process() -> None:
    code = (
        "import hashlib, sys; from studyspec.twin.conditions import Conditions, Knobs;"
        "from studyspec.twin.simulation import simulate;"
        f"m = simulate({SMALL!r}); print(hashlib.sha256(m.pixels.tobytes()).hexdigest())"
    )
    runs = [subprocess.check_output([sys.executable, "-c", code]) for _ in range(2)]
    assert runs[0] == runs[1]


def test_another_seed_or_session_is_another_image() -> None:
    image = simulate(SMALL).pixels
    assert not np.array_equal(image, simulate(replace(SMALL, seed=1)).pixels)
    assert not np.array_equal(image, simulate(replace(SMALL, session="another")).pixels)


def test_every_twin_row_can_be_simulated() -> None:
    hashes = {Conditions.from_row(row).image_hash() for row in ROWS}
    assert len(hashes) == len(ROWS)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"material": "Xx"}, "knows no material 'Xx'; known: Au, Ag, Pt, Pd, CdSe"),
        ({"support": "mica"}, "knows no support 'mica'"),
        ({"dose_e_per_A2": None}, "'dose_e_per_A2' is missing"),
        ({"pixel_scale_nm": -1.0}, "'pixel_scale_nm' is -1.0"),
        ({"height_px": 77}, "the twin makes square images"),
        ({"image_uri": "twin:one"}, "'twin:one' names no twin image"),
    ],
)
def test_a_row_that_cannot_be_is_named(change: dict[str, object], message: str) -> None:
    row: ImageRow = replace(ROWS[0], **change)  # type: ignore[arg-type]
    with pytest.raises(TwinError, match=message) as caught:
        Conditions.from_row(row)
    assert caught.value.where == row.image_id


def test_a_lower_dose_is_noisier() -> None:
    images = [simulate(replace(SMALL, dose_e_per_A2=d, seed=3)).pixels for d in (80.0, 884.0)]
    relative = [image.std() / image.mean() for image in images]
    assert relative[0] > 1.5 * relative[1]


@pytest.mark.slow
def test_whole_images_show_their_particles() -> None:
    found = [simulate(Conditions.from_row(row)) for row in ROWS[12:18]]
    assert 0.05 < np.mean([one.exact.mean() for one in found]) < 0.4
    for one in found:
        inside, outside = one.pixels[one.exact], one.pixels[~one.exact]
        assert inside.std() > 1.1 * outside.std()

from __future__ import annotations

import math

import numpy as np
import pytest

from studyspec.particles.measures import COLUMNS, Particle, View, measure
from studyspec.particles.objects import find
from tests.particles.discs import discs

SCALE = 0.02
MASK = discs((100, 60, 40), (30, 150, 20), (190, 150, 20))


def view(scale: float | None = SCALE, **more: object) -> View:
    given = {"probability": np.where(MASK, 0.9, 0.1).astype(np.float32), "masks": (MASK,)}
    return View("a.dm3", pixel_scale_nm=scale, **(given | more))  # type: ignore[arg-type]


def by_column(particles: tuple[Particle, ...]) -> dict[int, Particle]:
    return {round(one.center_col_px + one.center_row_px): one for one in particles}


def test_discs_have_their_areas_diameters_and_places() -> None:
    found = by_column(measure(find(MASK), view()))
    large, small = found[160], found[180]
    assert large.area_nm2 == pytest.approx(math.pi * 0.8**2, rel=0.01)
    assert large.equivalent_diameter_nm == pytest.approx(1.6, rel=0.01)
    assert small.equivalent_diameter_nm == pytest.approx(0.8, rel=0.02)
    assert large.feret_diameter_nm == pytest.approx(1.6, rel=0.03)
    assert large.circularity > 0.97
    assert (large.center_x_nm, large.center_y_nm) == pytest.approx((60.5 * SCALE, 100.5 * SCALE))
    assert large.mean_probability == pytest.approx(0.9)
    assert large.agreement is None
    assert [one.touches_border for one in found.values()].count(True) == 1


def test_a_rod_is_as_long_as_it_is() -> None:
    rod = np.zeros((200, 200), bool)
    rod[90:100, 40:160] = True
    (one,) = measure(find(rod), View("rod", rod.astype(np.float32), pixel_scale_nm=0.1))
    assert one.feret_diameter_nm == pytest.approx(math.hypot(120, 10) / 10, rel=0.01)
    assert one.area_nm2 == pytest.approx(12.0)
    in_four_directions = 0.15
    assert one.circularity == pytest.approx(4 * math.pi * 1200 / 260**2, rel=in_four_directions)


def test_without_a_scale_what_is_in_nm_is_unknown() -> None:
    for one in measure(find(MASK), view(scale=None)):
        told = vars(one)
        assert {told[c.name] for c in COLUMNS if c.unit.startswith("nm")} == {None}
        assert one.area_px > 0


def test_networks_agree_where_they_agree_near_each_particle() -> None:
    other = MASK & ~discs((30, 150, 20)) | discs((30, 150, 12))
    found = by_column(measure(find(MASK), view(masks=(MASK, other))))
    assert found[160].agreement == pytest.approx(1.0)
    there, shrunk = discs((30, 150, 20)).sum(), discs((30, 150, 12)).sum()
    assert found[180].agreement == pytest.approx(2 * shrunk / (there + shrunk), rel=0.01)


def test_every_column_has_a_meaning() -> None:
    assert [column.name for column in COLUMNS] == list(Particle.__dataclass_fields__)
    assert all(column.meaning.endswith(".") for column in COLUMNS)
    assert all(column.unit for column in COLUMNS if column.name.endswith(("_nm", "_nm2", "_px")))

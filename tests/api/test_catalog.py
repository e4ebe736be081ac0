"""Catalogs from Python; the options of the command line have the same defaults."""

from __future__ import annotations

import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studyspec import api
from studyspec.catalog.columns import BY_NAME, KNOBS, Column
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.cli import catalog as commands
from studyspec.errors import CatalogError, SpecError, TwinError

FOCUS = """\
[study]
name = "focus"
question = "Does a network trained near focus work out of focus?"

[catalog]
path = "catalog.parquet"
collection = "twin"

[datasets]
near = { defocus_nm = { min = -10, max = 10 } }
over = { defocus_nm = 20 }
under = { defocus_nm = -20 }

[matrix]
train = ["near"]
test = ["over", "under"]

[preprocess]
patch.size = 64

[[claims]]
says = "Overfocus is easier"
left = { train = "near", test = ["over", "under"] }
trend = { over = "defocus_nm", sign = 1 }
"""


def test_conditions_are_counted(tmp_path: Path) -> None:
    file = str(tmp_path / "catalog.parquet")
    added = api.catalog.simulate("Pt", 2.0, api.catalog.Imaging(width_px=128), n=3, catalog=file)
    assert [row.width_px for row in added] == [128] * 3
    (found,) = api.catalog.conditions(file).dicts()
    assert (found["collection"], found["material"], found["images"]) == ("twin", "Pt", 3)
    assert api.catalog.conditions(file, "mine").rows == ()


def test_series_multiply(tmp_path: Path) -> None:
    file = tmp_path / "catalog.parquet"
    how = api.catalog.Imaging(defocus_nm=(-5, 5), dose_e_per_A2=[80, 423, 884], width_px=128)
    assert len(api.catalog.simulate("Pt", 2.0, how, n=2, catalog=file)) == 12
    found = api.catalog.conditions(file)
    assert found.columns[-2:] == ("defocus_nm", "images")
    assert {row[-2:] for row in found.rows} == {(-5.0, 2), (5.0, 2)}


def test_what_cannot_be_simulated_is_not_written(tmp_path: Path) -> None:
    file = tmp_path / "catalog.parquet"
    with pytest.raises(TwinError, match="knows no support 'mica'"):
        api.catalog.simulate("Au", 2.0, api.catalog.Imaging(support="mica"), catalog=file)
    with pytest.raises(CatalogError, match="no catalog here"):
        api.catalog.conditions(file)


def test_more_images_than_anybody_wants_are_refused(tmp_path: Path) -> None:
    how = api.catalog.Imaging(defocus_nm=range(-500, 501), dose_e_per_A2=range(30, 1030))
    with pytest.raises(TwinError, match="1001000 conditions of 1 images are 1001000; 100000 at"):
        api.catalog.simulate("Au", 5.0, how, n=1, catalog=tmp_path / "catalog.parquet")
    assert not (tmp_path / "catalog.parquet").exists()


@pytest.mark.parametrize(
    ("over", "why"),
    [("defocus_nm", "it may be negative or 0"), ("offset", "it is -1 in 'near'")],
)
def test_a_ratio_of_numbers_with_a_sign_is_refused_at_its_place(
    over: str, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "catalog.parquet"
    how = api.catalog.Imaging(defocus_nm=range(-20, 21, 10), width_px=128)
    rows = api.catalog.simulate("Au", 2.0, how, n=2, catalog=file)
    write_catalog([replace(row, further={"offset": -1.0}) for row in rows], file)
    trend = f'{{ over = "{over}", sign = 1, of = "ratio" }}'
    text = FOCUS.replace('{ over = "defocus_nm", sign = 1 }', trend)
    (tmp_path / "study.toml").write_text(text)
    with pytest.raises(SpecError, match=f"there is no ratio of '{over}': {why}; use of =") as found:
        api.check(tmp_path / "study.toml")
    (problem,) = found.value.problems
    assert problem.source[problem.column - 1 :].startswith('"ratio"')


def test_an_unknown_knob_is_told() -> None:
    with pytest.raises(TwinError, match="no knob 'defocus'; there are defocus_nm, spherical"):
        api.catalog.Imaging(defocus=3.0)


def test_a_distribution_draws_a_number_for_each_image(tmp_path: Path) -> None:
    spread = api.catalog.Distribution("normal", 5.0, 3.0)
    how = api.catalog.Imaging(defocus_nm=spread, width_px=128)
    files = [tmp_path / name for name in ("a.parquet", "b.parquet")]
    first, again = (api.catalog.simulate("Au", 2.0, how, 200, catalog=file) for file in files)
    assert first == again == Catalog.open(files[0]).rows
    values = [row.defocus_nm for row in first]
    assert all(isinstance(value, float) for value in values)
    assert len(set(values)) == 200
    assert sum(v for v in values if v) / 200 == pytest.approx(5, abs=0.8)
    more = api.catalog.simulate("Au", 2.0, how, 3, catalog=files[0])
    assert not {row.image_id for row in more} & {row.image_id for row in first}


@pytest.mark.parametrize("column", [*KNOBS, BY_NAME["dose_e_per_A2"], BY_NAME["voltage_kv"]])
def test_every_knob_can_be_drawn(column: Column, tmp_path: Path) -> None:
    how: dict[str, Any] = {column.name: api.catalog.Distribution("uniform", 5.0, 20.0)}
    imaging = api.catalog.Imaging(width_px=128, **how)
    rows = api.catalog.simulate("Au", 2.0, imaging, 5, catalog=tmp_path / "c.parquet")
    values = {getattr(row, column.name) for row in rows}
    assert len(values) == 5
    assert all(5 <= value <= 20 for value in values)


def test_a_drawn_number_that_cannot_be_is_told_and_nothing_written(tmp_path: Path) -> None:
    how = api.catalog.Imaging(focal_spread_nm=api.catalog.Distribution("normal", 0.0, 1.0))
    with pytest.raises(TwinError, match=r"normal\(0,1\)/\d+: 'focal_spread_nm' is -\d"):
        api.catalog.simulate("Au", 2.0, how, 20, catalog=tmp_path / "c.parquet")
    assert not (tmp_path / "c.parquet").exists()
    how = api.catalog.Imaging(pixel_scale_nm=api.catalog.Distribution("uniform", 0.02, 0.03))
    with pytest.raises(TwinError, match="'pixel_scale_nm' cannot be drawn for each image"):
        api.catalog.simulate("Au", 2.0, how, 20, catalog=tmp_path / "c.parquet")


def test_a_study_filters_by_focus_and_claims_a_trend_over_it(tmp_path: Path) -> None:
    how = api.catalog.Imaging(defocus_nm=range(-20, 21, 10), width_px=128)
    api.catalog.simulate("Au", 2.0, how, n=2, catalog=tmp_path / "catalog.parquet")
    (tmp_path / "study.toml").write_text(FOCUS)
    datasets = api.check(tmp_path / "study.toml").datasets
    focus = {name: {i.row.defocus_nm for i in one.images} for name, one in datasets.items()}
    assert focus == {"near": {-10, 0, 10}, "over": {20}, "under": {-20}}


def test_the_command_line_has_the_same_defaults() -> None:
    options = inspect.signature(commands.simulate).parameters
    names = {"dose": "dose_e_per_A2"}
    numeric = ("dose", "pixel_scale_nm", "voltage_kv")
    of_particles = ("material", "structure", "diameter_nm", "n", "catalog")
    given: dict[str, Any] = {
        names.get(name, name): float(one.default) if name in numeric else one.default
        for name, one in options.items()
        if name not in of_particles
    }
    assert all(given[column.name] is None for column in KNOBS)
    without = {name: one for name, one in given.items() if name not in BY_NAME or one is not None}
    assert api.catalog.Imaging(**without) == api.catalog.Imaging()
    options = inspect.signature(commands.compare).parameters
    extent = api.catalog.Extent(*(options[n].default for n in ("images", "everything", "patch")))
    assert extent == api.catalog.Extent()
    assert str(commands.DEFAULT) == api.catalog.FILE

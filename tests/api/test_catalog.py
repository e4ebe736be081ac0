"""Catalogs from Python; the options of the command line have the same defaults."""

from __future__ import annotations

import inspect
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from studyspec import api
from studyspec.cli import catalog as commands
from studyspec.errors import CatalogError, TwinError

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


def test_a_study_filters_by_focus_and_claims_a_trend_over_it(tmp_path: Path) -> None:
    how = api.catalog.Imaging(defocus_nm=range(-20, 21, 10), width_px=128)
    api.catalog.simulate("Au", 2.0, how, n=2, catalog=tmp_path / "catalog.parquet")
    (tmp_path / "study.toml").write_text(FOCUS)
    datasets = api.check(tmp_path / "study.toml").datasets
    focus = {name: {i.row.defocus_nm for i in one.images} for name, one in datasets.items()}
    assert focus == {"near": {-10, 0, 10}, "over": {20}, "under": {-20}}


def test_the_command_line_has_the_same_defaults() -> None:
    options = inspect.signature(commands.simulate).parameters
    of_particles = ("material", "structure", "diameter_nm", "n", "catalog")
    asked = [name for name in options if name not in of_particles]
    texts = [options[name].default for name in asked]
    assert len(texts) == len(fields(api.catalog.Imaging))
    numeric = ("dose", "pixel_scale_nm", "voltage_kv")
    given: list[Any] = [
        float(t) if name in numeric else t for name, t in zip(asked, texts, strict=True)
    ]
    assert api.catalog.Imaging(*given) == api.catalog.Imaging()
    options = inspect.signature(commands.compare).parameters
    extent = api.catalog.Extent(*(options[n].default for n in ("images", "everything", "patch")))
    assert extent == api.catalog.Extent()
    assert str(commands.DEFAULT) == api.catalog.FILE

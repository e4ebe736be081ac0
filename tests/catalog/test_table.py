from __future__ import annotations

import re
import tomllib
from collections import Counter
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.catalog.build import build
from studyspec.catalog.published import published_rows
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, FilterProblem, write_catalog
from studyspec.catalog.twin_rows import CONDITION, IMAGES_PER_CONDITION
from studyspec.errors import CatalogError
from studyspec.spec.filters import DatasetFilter

PROJECT = Path(__file__).parents[2]
CATALOG = Catalog.open(PROJECT / "data_catalog.parquet")
DATASETS = tomllib.loads(Path(__file__).with_name("datasets.toml").read_text())["dataset"]


def wanted(**conditions: object) -> DatasetFilter:
    return DatasetFilter.model_validate(conditions)


def paper_filter(dataset: dict[str, object]) -> DatasetFilter:
    """The filter of one of the paper's datasets, in the words of a study file."""
    chosen: dict[str, object] = dict(dataset["filter"])  # type: ignore[call-overload]
    conditions: dict[str, object] = {
        "support": "ultrathin carbon",
        "material": chosen["material"],
        "diameter_nm": chosen["size_nm"],
        "pixel_scale_nm": chosen["pixel_size_nm"],
        "dose_e_per_A2": {"near": chosen["dose"], "within": chosen.get("dose_tol", 19.9)},
    }
    if "date" in chosen:
        conditions["acquired_on"] = chosen["date"]
    return wanted(**conditions)


def test_the_shipped_catalog_is_what_build_writes(tmp_path: Path) -> None:
    assert build(tmp_path / "catalog.parquet") == len(CATALOG.rows)
    built = (tmp_path / "catalog.parquet").read_bytes()
    assert built == (PROJECT / "data_catalog.parquet").read_bytes()


def test_there_are_407_published_images_with_names_of_their_own() -> None:
    rows = list(published_rows())
    assert len(rows) == 407
    assert len({row.image_id for row in rows}) == 407
    names = Counter(row.image_id.rpartition("/")[2] for row in rows)
    assert sum(times > 1 for times in names.values()) == 14
    assert rows[0].image_uri.startswith("published:2021_08_26%205nm%20Au")


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d["id"])
def test_every_dataset_of_the_paper_has_its_images(dataset: dict[str, object]) -> None:
    chosen = paper_filter(dataset)
    assert len(CATALOG.select(chosen, "sytwu-2023")) == dataset["n_images"]


@pytest.mark.parametrize("dataset", DATASETS, ids=lambda d: d["id"])
def test_the_same_filters_choose_as_many_twin_images_of_each_condition(
    dataset: dict[str, object],
) -> None:
    chosen = paper_filter(dataset)
    published = CATALOG.select(chosen, "sytwu-2023")
    conditions = {tuple(getattr(row, name) for name in CONDITION) for row in published}
    assert len(CATALOG.select(chosen, "twin")) == IMAGES_PER_CONDITION * len(conditions)


def test_twin_fields_are_three_particles_wide() -> None:
    for row in CATALOG.rows_of("twin"):
        assert row.width_px is not None
        assert row.diameter_nm is not None
        assert row.pixel_scale_nm is not None
        across = row.width_px * row.pixel_scale_nm / row.diameter_nm
        assert across >= 3
        assert row.width_px == 512 or across < 3 + 256 * row.pixel_scale_nm / row.diameter_nm


def test_units_stand_in_the_metadata_of_the_file() -> None:
    query = "select decode(value) from parquet_kv_metadata(?) where decode(key) = 'columns'"
    found = duckdb.execute(query, [str(PROJECT / "data_catalog.parquet")]).fetchone()
    assert found is not None
    assert '"dose_e_per_A2":{"meaning":"Dose of the image as published","unit":"e/Å^2"}' in found[0]


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    path = tmp_path_factory.mktemp("catalog") / "catalog.parquet"
    rows = [
        ImageRow(f"i{n}", "mine", f"{n}.tif", dose_e_per_A2=dose, material=material,
                 acquired_on=date(2021, 1, 1 + n), further={"tilted": n % 2 == 0, "grid": n})
        for n, (dose, material) in enumerate(
            [(80.0, "Au"), (423.0, "Au"), (422.9999, "Ag"), (None, None), (884.0, "CdSe")]
        )
    ]  # fmt: skip
    write_catalog(rows, path)
    return Catalog.open(path)


@pytest.mark.parametrize(
    ("conditions", "chosen"),
    [
        ({}, "01234"),
        ({"dose_e_per_A2": 423}, "12"),
        ({"dose_e_per_A2": {"near": 400, "within": 23}}, "12"),
        ({"dose_e_per_A2": {"min": 423, "max": 884}}, "14"),
        ({"material": ["Au", "CdSe"]}, "014"),
        ({"material": {"not": "Au"}}, "234"),
        ({"material": {"not": ["Au", "Ag"]}}, "34"),
        ({"material": {"like": "A%"}}, "012"),
        ({"tilted": True, "grid": {"min": 1}}, "24"),
        ({"acquired_on": date(2021, 1, 2)}, "1"),
        ({"sql": "dose_e_per_A2 > 100 -- low dose"}, "124"),
        ({"material": "Au", "sql": "grid = 0 or grid = 4"}, "0"),
    ],
)
def test_filters_choose_in_row_order(
    small: Catalog, conditions: dict[str, object], chosen: str
) -> None:
    rows = small.select(wanted(**conditions), "mine")
    assert "".join(row.image_id[1:] for row in rows) == chosen


DOSES = [None, 80.0, 422.9999, 423.0, 423.1, 884.0, -80.0, 0.0]
MATERIALS = [None, "Au", "Ag", "CdSe", "A_%"]
DAYS = [None, date(2021, 8, 26), date(2022, 2, 2)]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """A row for every combination of a dose, a material, a day and a flag."""
    path = tmp_path_factory.mktemp("every") / "catalog.parquet"
    rows = [
        ImageRow(str(n), "mine", "x", dose_e_per_A2=dose, material=material, acquired_on=day,
                 further={"tilted": tilted})
        for n, (dose, material, day, tilted) in enumerate(
            product(DOSES, MATERIALS, DAYS, [None, True, False])
        )
    ]  # fmt: skip
    write_catalog(rows, path)
    return Catalog.open(path)


def either_order(first: Any, second: Any) -> dict[str, object]:
    return {"min": min(first, second), "max": max(first, second)}


def value_conditions(values: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    several = st.lists(values, min_size=1, max_size=3)
    some = st.one_of(values, several)
    return st.one_of(some, st.builds(lambda value: {"not": value}, some))


def ranges(ends: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    one_end = st.builds(lambda end, value: {end: value}, st.sampled_from(["min", "max"]), ends)
    return st.one_of(one_end, st.builds(either_order, ends, ends))


NUMBERS = st.one_of(st.sampled_from(DOSES[1:]), st.floats(-1e3, 1e3), st.integers(-900, 900))
DATES = st.sampled_from(DAYS[1:])
FILTERS: st.SearchStrategy[dict[str, object]] = st.fixed_dictionaries(
    {},
    optional={
        "dose_e_per_A2": st.one_of(
            value_conditions(NUMBERS),
            ranges(NUMBERS),
            st.builds(lambda n, w: {"near": n, "within": w}, NUMBERS, st.floats(0, 500)),
        ),
        "material": st.one_of(
            value_conditions(st.sampled_from(MATERIALS[1:])),
            st.builds(lambda text: {"like": text}, st.text("AugCd%_", max_size=4)),
        ),
        "acquired_on": st.one_of(value_conditions(DATES), ranges(DATES)),
        "tilted": value_conditions(st.booleans()),
    },
)


def equal(value: object, given: object) -> bool:
    if isinstance(value, float):
        assert isinstance(given, int | float)
        return abs(value - given) <= 1e-6 * abs(given)
    return value == given


def meets(value: Any, condition: Any) -> bool:
    """What DESIGN.md says of one condition, in Python; an unknown value (None) meets only `not`."""
    if isinstance(condition, dict) and "not" in condition:
        return value is None or not meets(value, condition["not"])
    if value is None:
        return False
    if not isinstance(condition, dict):
        given = condition if isinstance(condition, list) else [condition]
        return any(equal(value, one) for one in given)
    if "near" in condition:
        return bool(abs(value - condition["near"]) <= condition["within"] * (1 + 1e-12))
    if "like" in condition:
        parts = {"%": ".*", "_": "."}
        pattern = "".join(parts.get(c, re.escape(c)) for c in condition["like"])
        return re.fullmatch(pattern, value, re.DOTALL) is not None
    return bool(condition.get("min", value) <= value <= condition.get("max", value))


@settings(max_examples=120, deadline=None)
@given(FILTERS)
def test_filters_choose_as_python_would(every: Catalog, conditions: dict[str, object]) -> None:
    expected = [
        row
        for row in every.rows
        if all(meets(row.values()[name], condition) for name, condition in conditions.items())
    ]
    assert list(every.select(wanted(**conditions), "mine")) == expected


@pytest.mark.parametrize(
    ("conditions", "column", "message"),
    [
        ({"materal": "Au"}, "materal", "unknown column 'materal'; did you mean 'material'?"),
        ({"dose_e_per_A2": "high"}, "dose_e_per_A2", "is compared with 'high'; it holds a number"),
        ({"material": 5}, "material", "is compared with 5; it holds text in quotes"),
        ({"acquired_on": "today"}, "acquired_on", "it holds a date"),
        ({"sql": "dose >"}, "sql", "write one condition"),
        ({"sql": "true); drop table catalog; select (true"}, "sql", "one"),
        ({"sql": "nodose > 1"}, "sql", "nodose"),
        ({"sql": "(select count(*) from read_text('/etc/hostname')) > 0"}, "sql", "disabled"),
        ({"sql": "grid = 0) or (grid = 4"}, "sql", "write one condition"),
        ({"sql": "grid"}, "sql", "its value is BIGINT, not true or false"),
        ({"sql": "grid = 0, grid = 4"}, "sql", "not true or false"),
        ({"sql": "grid = ?"}, "sql", "write one condition"),
        ({"sql": "dose > 80"}, "sql", 'Candidate bindings: "dose_e_per_A2"'),
    ],
)
def test_wrong_filters_name_the_key_and_a_way_out(
    small: Catalog, conditions: dict[str, object], column: str, message: str
) -> None:
    with pytest.raises(FilterProblem) as caught:
        small.select(wanted(**conditions), "mine")
    assert caught.value.column == column
    assert message in str(caught.value)


def test_an_unknown_collection_names_those_there_are(small: Catalog) -> None:
    with pytest.raises(FilterProblem, match="unknown collection 'twn'; there are mine"):
        small.select(wanted(), "twn")


def test_an_empty_choice_names_the_condition_to_blame(small: Catalog) -> None:
    chosen = wanted(material="Ag", dose_e_per_A2=80)
    assert small.select(chosen, "mine") == ()
    assert small.blame(chosen, "mine") == "without 'material' it would match 1"


def test_an_sql_condition_may_be_to_blame(small: Catalog) -> None:
    assert small.blame(wanted(material="Ag", sql="grid > 5"), "mine") == (
        "without 'sql' it would match 1"
    )


def test_rows_survive_writing_and_reading(small: Catalog, tmp_path: Path) -> None:
    write_catalog(small.rows, tmp_path / "again.parquet")
    assert Catalog.open(tmp_path / "again.parquet").rows == small.rows
    assert ImageRow.from_json(small.rows[1].to_json()) == small.rows[1]


def test_a_missing_catalog_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(
        CatalogError, match=r"no catalog here; .*: studyspec catalog build --output"
    ):
        Catalog.open(tmp_path / "none.parquet")


def test_another_file_is_no_catalog(tmp_path: Path) -> None:
    (tmp_path / "catalog.parquet").write_text("image_id\n")
    with pytest.raises(CatalogError, match="not a catalog"):
        Catalog.open(tmp_path / "catalog.parquet")


def written_by_another(tmp_path: Path, columns: str) -> Path:
    """A Parquet file of one row that was not written by us, in a folder named as a partition."""
    path = tmp_path / "material=Au" / "catalog.parquet"
    path.parent.mkdir()
    duckdb.execute(f"copy (select {columns}) to '{path}' (format parquet)")
    return path


def test_a_catalog_of_another_writer_is_read_in_our_types(tmp_path: Path) -> None:
    columns = "'a' as image_id, 'c' as collection, 'x' as image_uri, "
    columns += "0.02::float as pixel_scale_nm, 1.5 as thickness, 7::usmallint as grid"
    catalog = Catalog.open(written_by_another(tmp_path, columns))
    assert (catalog.rows[0].material, catalog.rows[0].further) == (
        None,
        {"thickness": 1.5, "grid": 7},
    )
    assert len(catalog.select(wanted(pixel_scale_nm=0.02, thickness=1.5, grid=7), "c")) == 1


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ("'a' as image_id, 'c' as collection", "no column 'image_uri'"),
        (
            "'a' as image_id, 'c' as collection, unnest(['x', 'y']) as image_uri",
            "more than one image is 'a'",
        ),
        (
            "'a' as image_id, 'c' as collection, null as image_uri",
            "column 'image_uri' has empty cells",
        ),
        (
            "'a' as image_id, 'c' as collection, 'x' as image_uri, 'wide' as width_px",
            "Could not convert string 'wide' to INT32",
        ),
    ],
)
def test_a_wrong_catalog_is_told(tmp_path: Path, columns: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        Catalog.open(written_by_another(tmp_path, columns))


def test_a_catalog_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CatalogError, match="cannot be written"):
        write_catalog([], tmp_path / "file" / "catalog.parquet")


def test_a_focus_series_can_be_filtered_by_focus(tmp_path: Path) -> None:
    known: list[float | None] = [-25.0, -5.0, 0.0, 5.0, None]
    rows = [ImageRow(f"i{n}", "mine", "x.tif", defocus_nm=nm) for n, nm in enumerate(known)]
    write_catalog(rows, tmp_path / "catalog.parquet")
    series = Catalog.open(tmp_path / "catalog.parquet")
    for condition, chosen in [(-25, [0]), (0, [2]), ([-5, 5], [1, 3]), ({"min": -5}, [1, 2, 3])]:
        found = series.select(wanted(defocus_nm=condition), "mine")
        assert [row.image_id for row in found] == [f"i{n}" for n in chosen]


@pytest.mark.parametrize(
    "sql",
    [
        *("random() > 0.5", "acquired_on < now()::date", "acquired_on < current_date"),
        *("today() > acquired_on", "age(acquired_on::timestamp) > interval 1 day", "rowid > 3"),
        *("uuid() > 'a'", "image_id > (select min(image_id) from catalog)", "current_user = 'a'"),
        *("row_number() over () > 2", "exists (from catalog)", "localtime > time '12:00'"),
        *("current_setting('threads') = '1'", "txid_current() > 3", "getvariable('a') is null"),
    ],
)
def test_a_filter_is_a_function_of_the_row(small: Catalog, sql: str) -> None:
    wanted = DatasetFilter.model_validate({"sql": sql})
    with pytest.raises(FilterProblem, match="no condition on a row by itself: "):
        small.select(wanted, small.collections[0])


@pytest.mark.parametrize(
    "sql",
    [
        *("date_part('year', acquired_on) > 2000 or true", "lower(material) like 'a%' or true"),
        *("case when dose_e_per_A2 > 3 then true else true end", "material in ('Au') or true"),
        "len(list_filter([1, 2], lambda x: x > 1)) = 1",
    ],
)
def test_functions_of_the_row_are_allowed(small: Catalog, sql: str) -> None:
    wanted = DatasetFilter.model_validate({"sql": sql})
    assert small.select(wanted, small.collections[0])


def test_columns_that_differ_in_case_alone_are_refused(tmp_path: Path) -> None:
    row = ImageRow("a", "b", "c", further={"grid": 1, "Grid": 2})
    with pytest.raises(CatalogError, match="'grid' and 'Grid' differ in case alone"):
        write_catalog([row], tmp_path / "c.parquet")


def test_a_users_condition_sees_no_python_object(small: Catalog) -> None:
    with small._table() as connection:
        asked = "select current_setting('python_enable_replacements')::bool"
        assert connection.execute(asked).fetchall() == [(False,)]

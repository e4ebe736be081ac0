from __future__ import annotations

import tomllib

from hypothesis import given
from hypothesis import strategies as st

from studyspec.spec.layers import Layer, merged
from studyspec.spec.places import places


def layer(text: str) -> Layer:
    return Layer(tomllib.loads(text), places(text))


def test_a_merged_value_keeps_its_place() -> None:
    whole = layer("a.x = 1\na.y = [1, 2]\n[p]\na.y = [3]\n")
    found = whole.without("p").under(whole.within("p"))
    assert found.table == {"a": {"x": 1, "y": [3]}}
    lines = {path: entry.value.line for path, entry in found.entries.items()}
    assert lines["a", "x"] == 1
    assert lines["a", "y"] == lines["a", "y", 0] == 4
    assert ("a", "y", 1) not in lines


def test_a_value_over_a_table_forgets_the_places_within() -> None:
    whole = layer("a.x = 1\n[p]\na = 3\n")
    found = whole.without("p").under(whole.within("p"))
    assert set(found.entries) == {(), ("a",)}


def test_common_lends_its_places() -> None:
    found = layer("[datasets.common]\nx = 1\ny = { near = 2 }\n[datasets.A]\nx = 3\n").with_common()
    assert found.table == {"datasets": {"A": {"x": 3, "y": {"near": 2}}}}
    assert found.entries["datasets", "A", "x"].value.line == 5
    assert found.entries["datasets", "A", "y", "near"].value.line == 3


TABLES: st.SearchStrategy[dict[str, object]] = st.dictionaries(
    st.sampled_from("abc"),
    st.recursive(
        st.integers(), lambda inner: st.dictionaries(st.sampled_from("abc"), inner), max_leaves=4
    ),
)


@given(TABLES, TABLES)
def test_merging_twice_is_merging_once(below: dict[str, object], above: dict[str, object]) -> None:
    once = merged(below, above)
    assert merged(once, above) == once
    assert merged({}, above) == above
    assert merged(below, {}) == below

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.spec.identity import canonical_json, digest

LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
FINITE = LEAVES.filter(lambda value: value not in (float("inf"), float("-inf")))
VALUES = st.recursive(
    FINITE,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(st.text(), VALUES, min_size=1, max_size=4)


def _shuffled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _shuffled(value[key]) for key in reversed(list(value))}
    return [_shuffled(inner) for inner in value] if isinstance(value, list) else value


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every leaf."""
    if isinstance(value, dict | list):
        steps = value if isinstance(value, dict) else range(len(value))
        return [place for step in steps for place in _places(value[step], (*path, step))]
    return [path]


@given(TABLES)
def test_the_order_of_keys_does_not_matter(table: dict[str, Any]) -> None:
    assert digest(_shuffled(table)) == digest(table)


@given(TABLES, st.data())
def test_any_changed_leaf_changes_the_digest(table: dict[str, Any], data: st.DataObject) -> None:
    places = _places(table)
    if not places:
        return
    *above, last = data.draw(st.sampled_from(places))
    changed = copy.deepcopy(table)
    inner = changed
    for step in above:
        inner = inner[step]
    value = data.draw(FINITE)
    same = type(value) is type(inner[last]) and repr(value) == repr(inner[last])
    inner[last] = value
    assert (digest(changed) == digest(table)) == same


@given(TABLES)
def test_a_copy_read_back_has_the_same_digest(table: dict[str, Any]) -> None:
    assert digest(json.loads(canonical_json(table))) == digest(table)


def test_the_order_of_a_list_matters() -> None:
    assert digest([1, 2]) != digest([2, 1])


def test_a_digest_is_sha256_of_the_canonical_json() -> None:
    expected = "905b6b3a902bb63d511159faf6bfc2780e541b5c1484473f9d214a3eef67d545"
    assert digest({"b": [1, 2.5, None, True], "a": "Å"}) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical_json({"a": value})

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from studyspec.spec.filters import DatasetFilter, Like, Near, Not, Range

DAY = date(2021, 8, 26)
FORMS: list[tuple[Any, Any]] = [
    ("Au", "Au"),
    (5, 5),
    (0.02, 0.02),
    (True, True),
    (DAY, DAY),
    (["Au", "Ag"], ("Au", "Ag")),
    ({"near": 423, "within": 5}, Near(near=423, within=5)),
    ({"min": 80}, Range(min=80)),
    ({"min": DAY, "max": DAY}, Range(min=DAY, max=DAY)),
    ({"not": "Au"}, Not.model_validate({"not": "Au"})),
    ({"not": ["Au", 3]}, Not.model_validate({"not": ["Au", 3]})),
    ({"like": "2021-%"}, Like(like="2021-%")),
]


@pytest.mark.parametrize(("written", "condition"), FORMS, ids=str)
def test_every_form_of_filter(written: Any, condition: Any) -> None:
    found = DatasetFilter.model_validate({"column": written}).columns["column"]
    assert found == condition
    assert type(found) is type(condition)


def test_own_keys_are_no_columns() -> None:
    found = DatasetFilter.model_validate({"label": "exact", "sql": "1 = 1", "material": "Au"})
    assert list(found.columns) == ["material"]


def test_written_is_what_the_user_wrote() -> None:
    table = {"label": "exact", "dose": {"not": [80]}, "on": {"min": DAY}}
    expected = {"label": "exact", "dose": {"not": [80]}, "on": {"min": "2021-08-26"}}
    assert DatasetFilter.model_validate(table).written() == expected


WRONG: st.SearchStrategy[Any] = st.sampled_from(
    [{}, [], None, {"near": 1}, {"nearr": 1}, {"min": "x"}, {"not": {}}]
)


@given(st.text(min_size=1).filter(lambda name: name not in DatasetFilter.model_fields), WRONG)
def test_wrong_forms_are_refused_for_any_column(column: str, value: Any) -> None:
    with pytest.raises(ValidationError):
        DatasetFilter.model_validate({column: value})


def test_an_error_on_an_unknown_form_is_one_and_names_the_forms() -> None:
    forms = "a table of near and within, min and max, not, or like"
    with pytest.raises(ValidationError, match=forms) as caught:
        DatasetFilter.model_validate({"a": {"above": 3}})
    assert caught.value.error_count() == 1

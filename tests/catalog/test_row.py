from __future__ import annotations

import pickle
from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.catalog.row import ImageRow

VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False)


@settings(deadline=None)
@given(st.dictionaries(st.sampled_from(["further", "operator", "é"]), VALUES))
def test_a_row_comes_back_from_json_and_from_another_process(own: dict[str, object]) -> None:
    day = date(2021, 8, 26)
    row = ImageRow.from_json({**own, "image_id": "i", "collection": "c", "image_uri": "u.dm3"})
    row = ImageRow.from_json({**row.values(), "acquired_on": day})
    assert dict(row.further) == own
    assert row.to_json()["acquired_on"] == "2021-08-26"
    assert ImageRow.from_json(row.to_json()) == row
    assert pickle.loads(pickle.dumps(row)) == row

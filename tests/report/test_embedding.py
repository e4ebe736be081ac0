from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.report.embedding import columnar, policy, safe_json, script_text, vega_bundle
from tests.report.examples import HOSTILE

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@given(JSON)
def test_safe_json_is_json_and_holds_nothing_that_html_reads(value: Any) -> None:
    text = safe_json(value)
    assert json.loads(text) == value
    assert not set(text) & set("<>&\u2028\u2029")


def test_a_hostile_name_cannot_end_its_script() -> None:
    assert "</script" not in safe_json({HOSTILE: [HOSTILE]})


def test_safe_json_refuses_nan() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        safe_json([float("nan")])


def test_columns_hold_each_text_once() -> None:
    rows: list[dict[str, Any]] = [
        {"train": "Au", "dice": 0.123456789},
        {"train": "Ag"},
        {"train": "Au", "dice": None},
    ]
    assert columnar(rows) == {
        "train": {"of": ["Au", "Ag"], "at": [0, 1, 0]},
        "dice": [0.12346, None, None],
    }


def test_the_policy_names_scripts_by_their_hash() -> None:
    hashed = base64.b64encode(hashlib.sha256(b"let a").digest()).decode()
    said = policy(["let a"], ["p{}"])
    assert f"script-src 'sha256-{hashed}';" in said
    assert "default-src 'none'" in said
    assert "unsafe" not in said


@pytest.mark.parametrize("text", ["a</SCRIPT>", "<!-- a"])
def test_a_script_that_would_end_early_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="cannot be embedded"):
        script_text(text)


def test_the_bundle_offers_vega_embed() -> None:
    bundle = vega_bundle()
    assert "window.vegaEmbed" in bundle
    assert 500_000 < len(bundle) < 1_200_000

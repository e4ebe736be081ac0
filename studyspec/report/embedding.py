"""Embedding in one HTML file: JSON that cannot end its script, and the hashes of the policy.

Knows no study. The policy lets the page run its own scripts and nothing else: no network, no eval.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cache

import vl_convert
from pydantic import JsonValue

Scalar = str | int | float | bool | None
VEGA_LITE = "6.4"

# The only characters that mean something to the HTML parser inside a script, and the two line ends
# that older JavaScript does not allow in a string.
_ESCAPES = str.maketrans(
    {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)


def safe_json(value: object) -> str:
    """JSON for a `<script type="application/json">`: no text in it can leave it.

    Raises
    ------
    ValueError
        If a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_ESCAPES)


def columnar(rows: Sequence[Mapping[str, Scalar]]) -> dict[str, JsonValue]:
    """Flat rows as columns, which is about a quarter of their size as objects.

    A column of repeated text becomes `{"of": values, "at": positions}`; floats keep 5 digits.
    """
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: _column([row.get(name) for row in rows]) for name in names}


@cache
def vega_bundle() -> str:
    """Vega, Vega-Lite and vega-embed as one script that sets `window.vegaEmbed`."""
    bundle: str = vl_convert.javascript_bundle("window.vegaEmbed=vegaEmbed;", vl_version=VEGA_LITE)
    return script_text(bundle)


def script_text(text: str) -> str:
    """The text, if it may stand between script tags.

    Raises
    ------
    ValueError
        If it holds what would end its script.
    """
    if "</script" in text.lower() or "<!--" in text:
        raise ValueError("a script that holds '</script' or '<!--' cannot be embedded")
    return text


def policy(scripts: Sequence[str], styles: Sequence[str], files: bool = False) -> str:
    """The content security policy that allows exactly these inline scripts and styles.

    With `files` also pictures that lie beside the page.
    """
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {' '.join(_hash(text) for text in scripts)}",
            f"style-src {' '.join(_hash(text) for text in styles)}",
            "img-src data: 'self' file:" if files else "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _column(values: Sequence[Scalar]) -> JsonValue:
    if any(isinstance(value, str) for value in values):
        # True is 1 and 1.0 is 1: only together with their type are values told apart
        distinct = {pair: i for i, pair in enumerate(dict.fromkeys(map(_typed, values)))}
        of: list[JsonValue] = [value for _, value in distinct]
        return {"of": of, "at": [distinct[_typed(value)] for value in values]}
    return [float(f"{value:.5g}") if isinstance(value, float) else value for value in values]


def _typed(value: Scalar) -> tuple[type, Scalar]:
    return type(value), value

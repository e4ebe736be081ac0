"""Mutations: files that were whole, damaged at random; and how many a target tries."""

from __future__ import annotations

import copy
import os
from collections.abc import Callable
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

T = TypeVar("T", bound=Callable[..., None])
CASES = "STUDYSPEC_FUZZ"
"""The environment variable that says how many cases a target tries; `make fuzz` sets 10,000."""
ODD: list[Any] = [
    *(None, True, 0, -1, 2**63, 2**70, 0.5, -1e300, float("nan"), float("inf"), "", "x", "\0"),
    *("é'\"\n", "9" * 5000, [], [None], [[]], [1, "x"], {}, {"": {}}, {"x": [1]}, "2025-13-45"),
    *("1" * 64, "../x", [{}] * 3),
]
DEEP = 10_000


def fuzz(cases: int) -> Callable[[T], T]:
    """So many cases in a plain run of the tests, and as many as asked for in a long one."""
    n = int(os.environ.get(CASES, cases))
    return settings(max_examples=n, deadline=None, suppress_health_check=list(HealthCheck))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with bytes changed, cut out, repeated or put in."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, min(len(data), 4096)))
        length = draw(st.integers(0, 64))
        match draw(st.sampled_from(["change", "cut", "end", "repeat", "insert"])):
            case "change":
                new = draw(st.binary(min_size=1, max_size=8))
                data[place : place + len(new)] = new
            case "cut":
                del data[place : place + length]
            case "end":
                del data[place:]
            case "repeat":
                data[place:place] = data[place : place + length]
            case _:
                data[place:place] = draw(st.binary(max_size=16))
    return bytes(data)


@st.composite
def altered(draw: st.DrawFn, whole: Any) -> Any:
    """A JSON value with some of its parts replaced, left out or put in."""
    value = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        holder, key = draw(st.sampled_from(_places(value)))
        match draw(st.sampled_from(["replace", "replace", "drop", "nest", "add"])):
            case "replace":
                holder[key] = copy.deepcopy(draw(st.sampled_from(ODD)))
            case "drop":
                del holder[key]
            case "nest":
                holder[key] = [holder[key]]
            case _ if isinstance(holder, dict):
                holder[draw(st.text(max_size=4))] = copy.deepcopy(draw(st.sampled_from(ODD)))
    return value


def _places(value: Any) -> list[tuple[Any, Any]]:
    """Every key and index within, with what holds it; the whole too."""
    found: list[tuple[Any, Any]] = []

    def walk(inner: Any) -> None:
        pairs = inner.items() if isinstance(inner, dict) else enumerate(inner)
        for key, held in list(pairs)[:40]:
            found.append((inner, key))
            if isinstance(held, dict | list):
                walk(held)

    walk(value)
    return found or [({"": value}, "")]

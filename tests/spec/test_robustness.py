"""Whatever stands where in a study file: it is valid, or a SpecError says what is wrong."""

from __future__ import annotations

import copy
import json
import tomllib
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studyspec.errors import Problem, SpecError
from studyspec.spec.loading import load
from studyspec.spec.variants import expand

TEXT = Path(__file__).with_name("material.toml").read_text()
STUDY = tomllib.loads(TEXT)
VALUES: list[Any] = [
    *(0, -1, 3, 0.5, float("nan"), True, "", "x", "Au", "Au+", "+", "Ax", "é'\"", "twin"),
    *([], [0], [[]], ["Au"], ["Au", "Au"], [{}], [{"says": "x"}], [["Au", "Ag"]]),
    *({}, {"x": 1}, {"near": 1}, {"min": 3}, {"training": {"epochs": "x"}}, {"sweep": 3}),
    *({"sweep": {"training.epochs": [1, 0]}}, {"train": 3}, {"common": 1}, date.min, time.min),
]
KEYS = ["", "x", "common", "base", "sweep", "matrix", "train", "near", "within"]
KEYS += ["profiles", "[key]"]


def _written(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, dict):
        pairs = (f"{json.dumps(key)} = {_written(inner)}" for key, inner in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    if isinstance(value, date | time):
        return value.isoformat()
    return "nan" if value != value else json.dumps(value)


def _tables(value: Any) -> list[Any]:
    """Every table and list within."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict | list) else []
    return own + [found for inner in inside for found in _tables(inner)]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("study") / "study.toml"


@given(st.data(), st.sampled_from([None, "paper", "x"]))
def test_a_wrong_file_gives_problems_and_nothing_else(
    path: Path, data: st.DataObject, profile: str | None
) -> None:
    study = copy.deepcopy(STUDY)
    for _ in range(data.draw(st.integers(0, 3))):
        table = data.draw(st.sampled_from(_tables(study)))
        keys = [*table, *KEYS] if isinstance(table, dict) else range(len(table))
        if keys:
            key = data.draw(st.sampled_from(keys))
            table[key] = copy.deepcopy(data.draw(st.sampled_from(VALUES)))
    path.write_text("".join(f"{json.dumps(k)} = {_written(v)}\n" for k, v in study.items()))
    _check(path, profile)


@given(st.integers(0, len(TEXT)), st.integers(0, 9), st.sampled_from(["", *"[]{}\"'=.#\n,\\é\t0"]))
def test_a_mistyped_file_gives_problems_and_nothing_else(
    path: Path, start: int, length: int, typed: str
) -> None:
    path.write_text(TEXT[:start] + typed + TEXT[start + length :])
    _check(path, None)


def _check(path: Path, profile: str | None) -> None:
    lines = path.read_text().split("\n")
    for problem in _problems(path, profile):
        assert problem.source == lines[problem.line - 1]
        assert 1 <= problem.column <= len(problem.source) + 1
        assert problem.what


def _problems(path: Path, profile: str | None) -> tuple[Problem, ...]:
    try:
        expand(load(path, profile).study)
    except SpecError as error:
        return error.problems
    return ()

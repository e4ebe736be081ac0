"""Exclusive keys: those that one table of one file may not give both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studyspec.errors import Problem
from studyspec.spec.layers import Layer
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer

BOTH = "give training.epochs or training.steps, not both"


def exclusive_problems(file: Layer, path: str) -> Iterator[Problem]:
    """Each place of epochs and steps in a file that gives both in one of its tables."""
    pointer = Pointer(path, file.entries)
    for where, study in _studies(file.table, ()):
        for table, keys in (
            (("training",), ("epochs", "steps")),
            (("sweep",), ("training.epochs", "training.steps")),
        ):
            found = study.get(table[0])
            if isinstance(found, Mapping) and all(key in found for key in keys):
                for key in keys:
                    yield pointer.problem((*where, *table, key), BOTH)


def _studies(
    table: Mapping[str, object], where: Path
) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """The tables that hold settings: the file's own, of its variants, and of its profiles."""
    yield where, table
    for key in ("profiles", "variants"):
        inner = table.get(key)
        for name, one in inner.items() if isinstance(inner, Mapping) else ():
            if isinstance(one, Mapping):
                yield from _studies(one, (*where, key, name))

"""Rows of the store as a person handles them: as a table, a frame, a file, a chart."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Self

from studyspec.api.workplace import AnyPath
from studyspec.errors import NothingThere
from studyspec.plugins.registry import METRICS
from studyspec.spec.derived import DICE, NORMALIZED
from studyspec.spec.names import BASE
from studyspec.store import answer_files
from studyspec.store.snapshot import Cell, Table

if TYPE_CHECKING:
    import altair as alt

MAKERS = (("polars", "DataFrame"), ("pandas", "DataFrame"), ("pyarrow", "Table"))


@dataclass(frozen=True)
class Rows:
    """The answer to a question: columns with their DuckDB types, and rows; a notebook shows them.

    A cell is of whatever type its column has: a number, text, time, list, table, or None.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    types: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: Table) -> Self:
        """The rows of a table of the store."""
        return cls(table.columns, tuple(table.rows), table.types)

    def dicts(self) -> list[dict[str, object]]:  # each value is of its column's type
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> object:  # of a library that need not be installed
        """A frame of polars, of pandas, or an Arrow table: the first of them that is installed.

        Raises
        ------
        NothingThere
            If none is.
        """
        columns = {name: [row[i] for row in self.rows] for i, name in enumerate(self.columns)}
        for module, kind in MAKERS:
            try:
                made = getattr(importlib.import_module(module), kind)
            except ImportError:
                continue
            return made.from_pydict(columns) if module == "pyarrow" else made(columns)
        raise NothingThere(
            "no library of frames is installed", hint="pip install polars, pandas or pyarrow"
        )

    def write_csv(self, path: AnyPath) -> None:
        """Write CSV (RFC 4180), unknown values as nothing."""
        self._write(answer_files.write_csv, path)

    def write_json(self, path: AnyPath) -> None:
        """Write a JSON list of objects, times as ISO text."""
        self._write(answer_files.write_json, path)

    def write_parquet(self, path: AnyPath) -> None:
        """Write Parquet, each column in its type."""
        self._write(answer_files.write_parquet, path)

    def _write(self, write: Callable[[Table, Path], None], path: AnyPath) -> None:
        write(Table(self.columns, self.types, list(self.rows)), Path(path))

    def _repr_html_(self) -> str:
        def line(cells: Sequence[Cell], tag: str) -> str:
            return "".join(f"<{tag}>{escape(_shown(cell))}</{tag}>" for cell in cells)

        body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in self.rows)
        return f"<table><thead><tr>{line(self.columns, 'th')}</tr></thead>{body}</table>"


@dataclass(frozen=True)
class MatrixRows(Rows):
    """The matrix of a study, a row for each cell; `variant` is the one to draw."""

    variant: str = BASE

    @property
    def brief(self) -> Rows:
        """What a terminal has room for, under short names: the metric that all is judged by."""
        judged = f"{DICE}_mean", f"{DICE}_sd"
        names = {name: name for name in ("variant", "train", "test", "folds")}
        names |= {judged[0]: METRICS.get(DICE).label.lower(), judged[1]: "sd"}
        names[NORMALIZED.name] = NORMALIZED.label.lower()
        rows = tuple(tuple(cell[name] for name in names) for cell in self.dicts())
        return Rows(tuple(names.values()), rows)

    def ordered(self, cells: Sequence[tuple[str, str, str]]) -> MatrixRows:
        """The same in the order of some (variant, train, test); what is not among them first."""
        place = {cell: number for number, cell in enumerate(cells)}
        at = [self.columns.index(name) for name in ("variant", "train", "test")]

        def number(row: tuple[Cell, ...]) -> int:
            variant, train, test = (str(row[i]) for i in at)
            return place.get((variant, train, test), -1)

        return replace(self, rows=tuple(sorted(self.rows, key=number)))

    def chart(self, column: str = f"{DICE}_mean") -> alt.LayerChart | alt.FacetChart:
        """The train x test matrix as an Altair chart of one of the columns."""
        from studyspec.report.linked import drawn_matrix

        cells = [row for row in self.dicts() if row["variant"] == self.variant]
        names = dict.fromkeys(str(c[part]) for part in ("train", "test") for c in cells)
        return drawn_matrix(list(names), [_drawn(cell, column) for cell in cells])


def _drawn(cell: Mapping[str, Cell], column: str) -> dict[str, Cell]:
    """A row of the chart of the matrix."""
    value, spread = cell[column], cell.get(column.replace("_mean", "_sd"))
    spreads = isinstance(spread, float) and column.endswith("_mean")
    return {
        "train": cell["train"],
        "test": cell["test"],
        "state": "missing" if value is None else "done",
        "value": value,
        "text": "–" if value is None else f"{value:.2f}",
        "spread": f"± {spread:.2f}" if spreads else "",
        "aria": f"{cell['train']} on {cell['test']}: {_shown(value)}",
    }


def _shown(value: Cell) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)

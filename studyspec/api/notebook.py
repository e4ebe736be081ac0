"""Results in a notebook: `studyspec.open("results").matrix("material")`, as a frame and a chart."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studyspec.errors import NothingThere

if TYPE_CHECKING:
    from studyspec.store.layout import Results

MAKERS = (("polars", "DataFrame"), ("pandas", "DataFrame"), ("pyarrow", "Table"))


@dataclass(frozen=True)
class Rows:
    """Rows of the store; a notebook shows them as a table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]

    def dicts(self) -> list[dict[str, Any]]:
        """Each row by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]

    def frame(self) -> Any:
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

    def _repr_html_(self) -> str:
        def line(cells: Sequence[Any], tag: str) -> str:
            return "".join(f"<{tag}>{escape(_shown(cell))}</{tag}>" for cell in cells)

        body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in self.rows)
        return f"<table><thead><tr>{line(self.columns, 'th')}</tr></thead>{body}</table>"


@dataclass(frozen=True)
class MatrixRows(Rows):
    """The matrix of a study, a row for each cell."""

    variant: str = "base"

    def chart(self, metric: str = "dice_mean") -> Any:
        """The train x test matrix as an Altair chart; `metric` is one of the columns."""
        from studyspec.report.charts import drawn_matrix

        cells = [row for row in self.dicts() if row["variant"] == self.variant]
        names = list(dict.fromkeys([c["train"] for c in cells] + [c["test"] for c in cells]))
        shown = [_cell(cell, metric) for cell in cells]
        return drawn_matrix(names, shown)


@dataclass(frozen=True)
class OpenResults:
    """A results folder, open for questions; the store itself is opened for each alone."""

    results: Results

    def sql(self, query: str) -> Rows:
        """Answer SQL, or a query by its name ("@matrix")."""
        from studyspec.store.queries import user_query

        found = user_query(self.results, query)
        return Rows(tuple(found.columns), tuple(found.rows))

    def studies(self) -> Rows:
        """The studies in the store."""
        return self.sql("@studies")

    def matrix(self, study: str, profile: str | None = None, variant: str = "base") -> MatrixRows:
        """The matrix of a study: mean and standard deviation (ddof 1) over the folds.

        Raises
        ------
        NothingThere
            If the study has no scores.
        """
        from studyspec.store.queries import study_matrix

        found: list[Mapping[str, Any]] = list(study_matrix(self.results, study, profile))
        if not found:
            known = ", ".join(str(row["study"]) for row in self.studies().dicts())
            raise NothingThere(f"study '{study}' has no scores here", hint=f"there are {known}")
        columns = tuple(found[0])
        return MatrixRows(columns, tuple(tuple(row.values()) for row in found), variant)


def open_results(folder: str | Path = "results") -> OpenResults:
    """Open a results folder, brought up to date with its records.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    from studyspec.store.ingest import ingest
    from studyspec.store.layout import Results

    results = Results(Path(folder).absolute())
    ingest(results)
    if not results.database.exists():
        raise NothingThere("no results here", where=str(folder), hint="studyspec run makes them")
    return OpenResults(results)


def _cell(cell: Mapping[str, Any], metric: str) -> dict[str, Any]:
    value, spread = cell[metric], cell.get(metric.replace("_mean", "_sd"))
    whole = isinstance(spread, float) and metric.endswith("_mean")
    return {
        "train": cell["train"],
        "test": cell["test"],
        "state": "missing" if value is None else "done",
        "value": value,
        "text": "–" if value is None else f"{value:.2f}",
        "spread": f"± {spread:.2f}" if whole else "",
        "aria": f"{cell['train']} on {cell['test']}: {_shown(value)}",
    }


def _shown(value: Any) -> str:
    return f"{value:.4f}" if isinstance(value, float) else str(value)

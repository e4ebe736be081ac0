"""The matrix as LaTeX (booktabs), for a paper."""

from __future__ import annotations

from collections.abc import Sequence

from studyspec.report.cells import CellResult, Cells, of_variant, sets
from studyspec.report.shown import Shown

SPECIAL = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def latex(cells: Cells, variants: Sequence[str], columns: Sequence[Shown]) -> str:
    """A table for each metric and variant: mean and standard deviation over the folds (ddof 1)."""
    tables = [
        _table(of_variant(cells, variant), variant, column)
        for column in columns
        for variant in variants
    ]
    return "\n".join(table for table in tables if table)


def _table(cells: Cells, variant: str, column: Shown) -> str:
    if not cells:
        return ""
    trains, tests = sets(cells)
    found = {(cell.name.train, cell.name.test): cell for cell in cells}
    head = " & ".join([r"trained on \textbackslash{} tested on", *map(_text, tests)])
    spread = "mean \\pm sd over folds (ddof 1)" if column.spread_column else "mean over folds"
    lines = [
        f"% {column.quantity.label}, {spread}, variant {variant}".replace("\n", " "),
        rf"\begin{{tabular}}{{l{'c' * len(tests)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for train in trains:
        row = [_text(train), *(_score(found.get((train, test)), column) for test in tests)]
        lines.append(rf"{' & '.join(row)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _score(cell: CellResult | None, column: Shown) -> str:
    scores = None if cell is None else cell.scores
    value, sd = column.value(scores), column.spread(scores)
    if value is None:
        return "--"
    return f"${value:.3f}" + ("" if sd is None else rf" \pm {sd:.3f}") + "$"


def _text(name: str) -> str:
    return name.translate(SPECIAL)

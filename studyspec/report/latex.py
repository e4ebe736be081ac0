"""The matrix as LaTeX (booktabs), for a paper."""

from __future__ import annotations

from collections.abc import Sequence

from studyspec.neutral import for_latex
from studyspec.report.cells import CellResult, Cells, of_variant, sets
from studyspec.report.shown import Shown


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
    head = " & ".join([r"trained on \textbackslash{} tested on", *map(for_latex, tests)])
    spread = "mean \\pm sd over folds (ddof 1)" if column.spread_column else "mean over folds"
    lines = [
        f"% {for_latex(column.quantity.label)}, {spread}, variant {for_latex(variant)}",
        rf"\begin{{tabular}}{{l{'c' * len(tests)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for train in trains:
        row = [for_latex(train), *(_score(found.get((train, test)), column) for test in tests)]
        lines.append(rf"{' & '.join(row)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _score(cell: CellResult | None, column: Shown) -> str:
    scores = None if cell is None else cell.scores
    value, sd = column.value(scores), column.spread(scores)
    if value is None:
        return "--"
    return f"${value:.3f}" + ("" if sd is None else rf" \pm {sd:.3f}") + "$"

"""The matrix as LaTeX (booktabs), for a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

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
Cells = Sequence[Mapping[str, Any]]


def latex(cells: Cells, variants: Sequence[str]) -> str:
    """A table for each variant: dice, mean and standard deviation over the folds (ddof 1)."""
    tables = [_table([c for c in cells if c["variant"] == v], v) for v in variants]
    return "\n".join(table for table in tables if table)


def _table(cells: Cells, variant: str) -> str:
    trains = list(dict.fromkeys(cell["train"] for cell in cells))
    tests = list(dict.fromkeys(cell["test"] for cell in cells))
    if not cells:
        return ""
    found = {(cell["train"], cell["test"]): cell for cell in cells}
    head = " & ".join([r"trained on \textbackslash{} tested on", *map(_text, tests)])
    lines = [
        f"% dice, mean \\pm sd over folds (ddof 1), variant {variant}".replace("\n", " "),
        rf"\begin{{tabular}}{{l{'c' * len(tests)}}}",
        r"\toprule",
        rf"{head} \\",
        r"\midrule",
    ]
    for train in trains:
        row = [_text(train), *(_score(found.get((train, test))) for test in tests)]
        lines.append(rf"{' & '.join(row)} \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}", ""])


def _score(cell: Mapping[str, Any] | None) -> str:
    if cell is None or cell["dice_mean"] is None:
        return "--"
    spread = "" if cell["dice_sd"] is None else rf" \pm {cell['dice_sd']:.3f}"
    return f"${cell['dice_mean']:.3f}{spread}$"


def _text(name: str) -> str:
    return name.translate(SPECIAL)

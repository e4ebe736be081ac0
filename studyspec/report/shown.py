"""What of a matrix is shown: every metric that has scores, and what is derived from them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from studyspec.plugins.contracts import Metric
from studyspec.plugins.registry import METRICS
from studyspec.report.frames import MatrixCell
from studyspec.spec.derived import NORMALIZED, Derived

NARROWEST = 0.1
"""A scale of colours that follows the data is as wide, so that noise is no rainbow."""


@dataclass(frozen=True)
class Shown:
    """A metric or derived quantity as menus, tables and files show it, for every cell.

    `low` and `high` are the ends of its scale of colours.
    """

    quantity: Metric | Derived
    low: float = 0.0
    high: float = 1.0

    @property
    def name(self) -> str:
        """Its name."""
        return self.quantity.name

    @property
    def value_column(self) -> str:
        """The column of its value in tables of cells, as in the view `matrix`."""
        return self.name if isinstance(self.quantity, Derived) else f"{self.name}_mean"

    @property
    def spread_column(self) -> str | None:
        """The column of its standard deviation; a derived quantity has none."""
        return None if isinstance(self.quantity, Derived) else f"{self.name}_sd"

    def value(self, cell: MatrixCell | None) -> float | None:
        """What it is in a cell."""
        if cell is None:
            return None
        derived = isinstance(self.quantity, Derived)
        return cell.normalized if derived else cell.means.get(self.name)

    def spread(self, cell: MatrixCell | None) -> float | None:
        """Its standard deviation over the folds of a cell."""
        return None if cell is None else cell.sds.get(self.name)


def scale_of(values: Sequence[object]) -> tuple[float, float]:
    """The ends of a scale of colours that follows the data, a tenth wide at least."""
    known = [float(v) for v in values if isinstance(v, int | float) and math.isfinite(v)]
    if not known:
        return 0.0, 1.0
    low, high = min(known), max(known)
    missing = max(0.0, NARROWEST - (high - low)) / 2
    return low - missing, high + missing


def shown(cells: Sequence[MatrixCell]) -> tuple[Shown, ...]:
    """All that any cell has a score of; the metrics in their order, then what is derived."""
    found = []
    for quantity in (*METRICS, NORMALIZED):
        values = [Shown(quantity).value(cell) for cell in cells]
        known = [value for value in values if value is not None and math.isfinite(value)]
        if known:
            found.append(Shown(quantity, min(0.0, *known), max(1.0, *known)))
    return tuple(found)

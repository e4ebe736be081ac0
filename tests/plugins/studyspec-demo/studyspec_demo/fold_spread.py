"""A chart: the dice of every fold, by training set."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from studyspec.plugins.contracts import Chart, Drawing

if TYPE_CHECKING:
    from studyspec.report.frames import StudyFrames


class FoldSpread(Chart):
    """A tick for each fold of each cell."""

    name = "fold_spread"

    def draw(self, study: StudyFrames) -> Iterable[Drawing]:
        """One drawing, if anything is scored."""
        rows = tuple(
            {"train": f"{row.train} on {row.test}", "dice": row.metrics["dice"]}
            for row in study.folds.rows
            if row.split == "test"
        )
        spec = {
            "mark": "tick",
            "encoding": {
                "x": {"field": "dice", "type": "quantitative"},
                "y": {"field": "train", "type": "nominal", "title": None},
            },
        }
        if rows:
            caption = "A tick for each fold."
            yield Drawing("fold_spread", "Spread of the folds", caption, spec, rows)


FOLD_SPREAD = FoldSpread()

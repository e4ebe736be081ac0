"""Cells: every planned cell with its state, its scores, its distance from its own set. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from studyspec.report.completeness import CellState, cell_states
from studyspec.report.frames import MatrixCell, StudyFrames
from studyspec.spec.derived import DICE
from studyspec.stats.scores import CellName


@dataclass(frozen=True)
class LessOwn:
    """The dice of a cell less that of its own set; no interval on too few micrographs."""

    difference: float
    micrographs: int
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class CellResult:
    """What came of one planned cell.

    Attributes
    ----------
    state
        How far it has come.
    scores
        None where there are none.
    own_dice
        The mean dice in its own set.
    less_own
        None where one of both is incomplete, or it is its own set.
    intervals
        The 95 % interval of the mean of each metric, over micrographs and networks; without those
        of incomplete cells and of too few micrographs.
    """

    state: CellState
    scores: MatrixCell | None = None
    own_dice: float | None = None
    less_own: LessOwn | None = None
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    @property
    def name(self) -> CellName:
        """Which cell it is."""
        return self.state.name

    @property
    def own(self) -> bool:
        """Whether it is the own set of others: trained and tested on one set."""
        return self.name.train == self.name.test

    @property
    def dice(self) -> float | None:
        """The mean dice over the folds."""
        return None if self.scores is None else self.scores.means.get(DICE)

    @property
    def dice_sd(self) -> float | None:
        """The standard deviation of dice over the folds (ddof 1)."""
        return None if self.scores is None else self.scores.sds.get(DICE)


Cells = Sequence[CellResult]


def merged_cells(frames: StudyFrames) -> Cells:
    """Every planned cell with its state, and its scores where it has some."""
    scored = {row.evaluation for row in frames.folds.rows if row.split == "test"}
    return [
        CellResult(state, frames.scored.get(state.name), frames.own_score(state.name))
        for state in cell_states(frames.plan, scored, frames.failures)
    ]


def of_variant(cells: Cells, variant: str) -> Cells:
    """The cells of one variant."""
    return [cell for cell in cells if cell.name.variant == variant]


def sets(cells: Cells) -> tuple[list[str], list[str]]:
    """The training sets and the test sets, in order."""
    trains = dict.fromkeys(cell.name.train for cell in cells)
    return list(trains), list(dict.fromkeys(cell.name.test for cell in cells))

"""Which cells of the matrix are there, and why the others are not. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from studyspec.stats.scores import CellName

if TYPE_CHECKING:
    from studyspec.plan.record import FoldCell, PlanRecord

NOT_RUN = "not run yet"


@dataclass(frozen=True)
class CellState:
    """How far a cell has come: `done` of `planned` folds, and why not all."""

    name: CellName
    done: int
    planned: int
    why: str = ""

    @property
    def state(self) -> Literal["done", "part", "missing"]:
        """done: every fold; part: some; missing: none."""
        if self.done == self.planned:
            return "done"
        return "part" if self.done else "missing"


def cell_states(
    plan: PlanRecord, scored: Collection[str], failures: Mapping[str, str]
) -> tuple[CellState, ...]:
    """The state of every cell of the plan on split test, in matrix order.

    Parameters
    ----------
    plan
        The plan.
    scored
        Keys of the evaluations that have scores.
    failures
        Why a job failed, by its key.
    """
    folds: dict[CellName, list[FoldCell]] = {}
    for cell in plan.cells:
        if cell.split == "test":
            folds.setdefault(CellName(cell.variant, cell.train, cell.test), []).append(cell)
    states = []
    for name, planned in folds.items():
        missing = [cell for cell in planned if cell.evaluation not in scored]
        found = dict.fromkeys(_reason(cell, plan, failures) for cell in missing)
        reasons = sorted(found, key=NOT_RUN.__eq__)  # what failed comes first
        done = len(planned) - len(missing)
        states.append(CellState(name, done, len(planned), " and ".join(reasons)))
    return tuple(states)


def sentence(states: Sequence[CellState]) -> str:
    """As "43 of 45 cells; 2 missing: out of memory"."""
    done = sum(state.state == "done" for state in states)
    said = [f"{done} of {len(states)} cells"]
    for state, word in (("missing", "missing"), ("part", "incomplete")):
        whys = Counter(s.why for s in states if s.state == state)
        if len(whys) == 1:
            said += [f"{n} {word}: {why}" for why, n in whys.items()]
        elif whys:
            parts = ", ".join(f"{n} {why}" for why, n in whys.most_common())
            said.append(f"{whys.total()} {word}: {parts}")
    return "; ".join(said)


def _reason(cell: FoldCell, plan: PlanRecord, failures: Mapping[str, str]) -> str:
    """Why a fold cell has no scores: its test, its training, or an image that both need."""
    keys = [cell.evaluation, cell.network]
    for name in _lists(cell, plan):
        keys += plan.lists.get(name, ())
    return next((failures[key] for key in keys if key in failures), NOT_RUN)


def _lists(cell: FoldCell, plan: PlanRecord) -> Iterator[str]:
    """The names of the lists of images that a fold cell needs."""
    images = plan.evaluations.get(cell.evaluation, {}).get("images")
    members = plan.networks.get(cell.network, {}).get("members")
    for name in (images, *(members if isinstance(members, list) else ())):
        if isinstance(name, str):
            yield name

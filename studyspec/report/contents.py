"""The contents of one study's part of the page, as plain values for the template. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studyspec.report.cells import CellResult, Cells, of_variant, sets
from studyspec.report.completeness import sentence
from studyspec.report.described import described
from studyspec.report.done import Done
from studyspec.report.drawings import Drawn
from studyspec.report.frames import StudyFrames
from studyspec.report.methods import methods, on_the_twin
from studyspec.report.provenance import (
    DatasetWords,
    VariantWords,
    changes,
    command,
    datasets,
    label,
    provenance,
)
from studyspec.report.shown import shown
from studyspec.spec.derived import DICE, quantity

MEASURED = "Nothing is trained: the images are measured."


@dataclass(frozen=True)
class TableCell:
    """A cell of the matrix as a table: its class (own, other, missing, unasked), and its text."""

    kind: str
    text: str


@dataclass(frozen=True)
class TableRow:
    """The cells of a training set."""

    train: str
    cells: tuple[TableCell, ...]


@dataclass(frozen=True)
class MatrixTable:
    """The matrix of one variant as a table."""

    caption: str
    tests: tuple[str, ...]
    rows: tuple[TableRow, ...]


@dataclass(frozen=True)
class ImageHashes:
    """An image, and the hashes of it and of its label."""

    name: str
    image: str
    label: str


@dataclass(frozen=True)
class Contents:
    """All that the template says of a study in words and tables."""

    label: str
    title: str
    outcome: str
    complete: str
    twin: bool
    edited: str
    variants: tuple[str, ...]
    matrix_note: str
    tables: tuple[MatrixTable, ...]
    datasets: Sequence[DatasetWords]
    changes: Sequence[VariantWords]
    methods: Sequence[tuple[str, str]]
    provenance: Sequence[tuple[str, str]]
    command: str
    source: str
    hashes: Sequence[ImageHashes]


def contents(frames: StudyFrames, cells: Cells, drawings: Sequence[Drawn] = ()) -> Contents:
    """Words and tables of a study; `drawings` are the charts that it has."""
    plan, said, done = frames.plan, described(frames.plan.spec), Done(frames.plan)
    variants = changes(plan, said)
    charts = [one.package for one in drawings if one.package]
    return Contents(
        label=label(plan),
        title=plan.question or plan.study,
        outcome=outcome(cells) if cells else MEASURED,
        complete=f"{completeness(cells)}." if cells else "",
        twin=on_the_twin(plan),
        edited=frames.edited,
        variants=tuple(plan.variants),
        matrix_note=_matrix_note(said.settings.cross_validation.networks, done),
        tables=tuple(_table(name, of_variant(cells, name), done) for name in plan.variants),
        datasets=datasets(frames),
        changes=variants,
        methods=methods(said, shown(frames.matrix.rows), done),
        provenance=provenance(frames, [*frames.packages, *charts]),
        command=command(plan),
        source=plan.source,
        hashes=[
            ImageHashes(name, str(row["image_sha256"]), str(row["label_sha256"]))
            for name, row in plan.images.items()
        ],
    )


def completeness(cells: Cells) -> str:
    """How many cells there are, and why others are missing."""
    return sentence([cell.state for cell in cells])


def outcome(cells: Cells) -> str:
    """The scores in one sentence: the own sets, and the best and worst transfer."""
    first = of_variant(cells, cells[0].name.variant) if cells else []
    scored = [(cell.dice, cell) for cell in first if cell.dice is not None]
    own = [(dice, cell) for dice, cell in scored if cell.own]
    others = [(dice, cell) for dice, cell in scored if not cell.own]
    said = []
    if own:
        said.append(f"Tested on their own set, networks reach a dice of {_span(own)}.")
    if len(others) > 1:
        best, worst = max(others, key=_dice), min(others, key=_dice)
        said.append(
            f"Tested on another, the best is {_transfer(*best)} and the worst is "
            f"{_transfer(*worst)}."
        )
    elif others:
        said.append(f"Tested on another: {_transfer(*others[0])}.")
    return " ".join(said) or "Nothing has been scored yet."


def _dice(scored: tuple[float, CellResult]) -> float:
    return scored[0]


def _span(scored: Sequence[tuple[float, CellResult]]) -> str:
    low, high = min(scored, key=_dice), max(scored, key=_dice)
    if low is high:
        return f"{low[0]:.2f} ({low[1].name.test})"
    return f"{low[0]:.2f} ({low[1].name.test}) to {high[0]:.2f} ({high[1].name.test})"


def _transfer(dice: float, cell: CellResult) -> str:
    normalized = None if cell.scores is None else cell.scores.normalized
    of_own = f", {normalized:.0%} of own-set dice" if normalized is not None else ""
    return f"{cell.name.train} on {cell.name.test} ({dice:.2f}{of_own})"


def _matrix_note(folds: int, done: Done) -> str:
    told = []
    if done.trained:
        told.append(
            f"Mean ± standard deviation over {folds} folds (ddof 1). On the diagonal every network "
            "sees only what it was not trained on."
        )
    if done.others:
        told.append("Networks of others have no folds: one score each.")
    told.append("Below: 95 % interval of the mean. Hatched: missing.")
    return " ".join(told)


def _table(variant: str, cells: Cells, done: Done) -> MatrixTable:
    mine = {(cell.name.train, cell.name.test): cell for cell in cells}
    trains, tests = sets(cells)
    return MatrixTable(
        ", ".join(
            [
                quantity(DICE).label,
                *(["mean ± sd over folds (ddof 1)"] if done.trained else []),
                "95 % interval of the mean in brackets",
                f"variant {variant}",
            ]
        ),
        tuple(tests),
        tuple(
            TableRow(train, tuple(_table_cell(mine.get((train, test))) for test in tests))
            for train in trains
        ),
    )


def _table_cell(cell: CellResult | None) -> TableCell:
    if cell is None:
        return TableCell("unasked", "–")
    if cell.dice is None:
        return TableCell("missing", cell.state.why)
    spread = "" if cell.dice_sd is None else f" ± {cell.dice_sd:.3f}"
    if DICE in cell.intervals:
        low, high = cell.intervals[DICE]
        spread += f" ({low:.3f} to {high:.3f})"
    state = cell.state
    part = "" if state.state == "done" else f" ({state.done} of {state.planned} folds)"
    return TableCell("own" if cell.own else "other", f"{cell.dice:.3f}{spread}{part}")

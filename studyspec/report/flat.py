"""Tables: the typed rows of a study as flat ones, a column for each metric, for page and CSV."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studyspec.report.cells import CellResult, Cells
from studyspec.report.done import Done
from studyspec.report.embedding import Scalar
from studyspec.report.frames import CurveRow, FoldRow, MatrixCell, ScoredImage, StudyFrames
from studyspec.report.gallery import Picture
from studyspec.report.micrographs import Micrograph
from studyspec.report.shown import Shown, shown
from studyspec.spec.sections import TrainingNumbers
from studyspec.stats.scores import Metrics

FlatRow = Mapping[str, Scalar]


def cell_rows(cells: Cells, columns: Sequence[Shown]) -> list[FlatRow]:
    """A row for each planned cell: its state, its scores, and the difference from its own set."""
    return [_cell(cell, columns) for cell in cells]


def fold_rows(frames: StudyFrames) -> list[FlatRow]:
    """A row for each fold cell and split."""
    names = metric_names(frames.matrix.rows)
    return [_flat(row, names) for row in frames.folds.rows]


def image_rows(frames: StudyFrames) -> list[FlatRow]:
    """A row for each image of each fold cell and split."""
    names = metric_names(frames.matrix.rows)
    return [_flat(row, names) for row in frames.images.rows]


def curve_rows(frames: StudyFrames) -> list[FlatRow]:
    """A row for each validation of each network: at which epoch, or step, and its losses."""
    done = Done(frames.plan)
    lengths = {name: done.length(name) for name in {row.network for row in frames.curves.rows}}
    return [_curve(row, lengths[row.network]) for row in frames.curves.rows]


def network_rows(frames: StudyFrames) -> list[FlatRow]:
    """A row for each fold cell of the plan on split test: which network answers it."""
    return [
        {
            "variant": cell.variant,
            "train": cell.train,
            "test": cell.test,
            "fold": cell.fold,
            "network": cell.network,
        }
        for cell in frames.plan.cells
        if cell.split == "test"
    ]


def picture_row(picture: Picture | Micrograph, data: str) -> FlatRow:
    """A row of a picture; `data` is its address, or the picture itself as one."""
    told: dict[str, Scalar] = {k: v for k, v in vars(picture).items() if k != "jpeg"}
    return {**told, "data": data}


def metric_names(cells: Sequence[MatrixCell]) -> list[str]:
    """The metrics that have scores."""
    return [column.name for column in shown(cells) if column.spread_column]


def _cell(cell: CellResult, columns: Sequence[Shown]) -> FlatRow:
    state, less = cell.state, cell.less_own
    scores: dict[str, Scalar] = {}
    for column in columns:
        scores[column.value_column] = column.value(cell.scores)
        if column.spread_column is not None:
            scores[column.spread_column] = column.spread(cell.scores)
        if column.name in cell.intervals:
            low, high = cell.intervals[column.name]
            scores |= {f"{column.name}_low": low, f"{column.name}_high": high}
    return {
        "variant": cell.name.variant,
        "train": cell.name.train,
        "test": cell.name.test,
        "own": cell.own,
        "state": state.state,
        "why": state.why,
        "done": state.done,
        "planned": state.planned,
        **scores,
        "own_set_dice": cell.own_dice,
        "difference": None if less is None else less.difference,
        "low": None if less is None else less.low,
        "high": None if less is None else less.high,
        "micrographs": None if less is None else less.micrographs,
    }


def _flat(row: FoldRow | ScoredImage, names: Sequence[str]) -> FlatRow:
    told: dict[str, Scalar] = {k: v for k, v in row._asdict().items() if k != "metrics"}
    return {**told, **_metrics(row.metrics, names)}


def _metrics(metrics: Metrics, names: Sequence[str]) -> FlatRow:
    return {name: metrics.get(name) for name in names}


def _curve(row: CurveRow, length: TrainingNumbers) -> FlatRow:
    return {
        "network": row.network,
        "unit": length.unit,
        "at": length.reached(row.epoch),
        "train_loss": row.train_loss,
        "validation_loss": row.validation_loss,
    }

"""What the page says of a study, as typed rows; knows no chart and no HTML."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

from studyspec.spec.derived import DICE
from studyspec.stats.scores import CellName, Metrics, Planned, own_set
from studyspec.store.prepared import AtHand

if TYPE_CHECKING:
    from studyspec.jobs.kept import KeptPatch
    from studyspec.plan.record import PlanRecord

R = TypeVar("R", bound=NamedTuple)


class MatrixCell(NamedTuple):
    """The scores of a cell on split test: mean and standard deviation (ddof 1) over its folds."""

    variant: str
    train: str
    test: str
    folds: int
    means: Metrics
    sds: Metrics
    normalized: float | None

    @property
    def name(self) -> CellName:
        """Which cell it is."""
        return CellName(self.variant, self.train, self.test)


class FoldRow(NamedTuple):
    """The scores of a fold cell on a split; a foreign network has no fold."""

    variant: str
    train: str
    test: str
    fold: int | None
    split: str
    n_patches: int
    metrics: Metrics
    network: str
    evaluation: str

    @property
    def name(self) -> CellName:
        """Which cell, on which split, it is a fold of."""
        return CellName(self.variant, self.train, self.test, self.split)


class ScoredImage(NamedTuple):
    """The scores of one image in a fold cell."""

    variant: str
    train: str
    test: str
    fold: int | None
    split: str
    image_id: str
    n_patches: int
    metrics: Metrics

    @property
    def name(self) -> CellName:
        """Which cell, on which split, it is a part of."""
        return CellName(self.variant, self.train, self.test, self.split)


class CurveRow(NamedTuple):
    """The losses of a network after an epoch, which count from 1 [nat]."""

    network: str
    epoch: int
    train_loss: float | None
    validation_loss: float | None


class RunRow(NamedTuple):
    """What some jobs of the study ran on; `finished_at` is the newest [UTC]."""

    device_name: str
    versions: Mapping[str, str]
    jobs: int
    seconds: float
    finished_at: datetime


class StatisticsRow(NamedTuple):
    """Means over the images of a dataset, with noise of strength `rho`; of prepared patches."""

    variant: str
    dataset: str
    rho: float
    images: int
    patches: int
    contrast: float | None
    film_sd: float | None
    particle_sd: float | None
    roughness: float | None


class HistogramRow(NamedTuple):
    """Pixels of particle and of background between two intensities, in a dataset."""

    variant: str
    dataset: str
    intensity_low: float
    intensity_high: float
    particle: int
    background: int


class PatchRow(NamedTuple):
    """The dice of a patch in its plain form, mean over the folds of a cell."""

    variant: str
    train: str
    test: str
    image_id: str
    row: int
    col: int
    dice: float


@dataclass(frozen=True)
class Frame(Generic[R]):
    """Rows of the store and the query that gave them."""

    rows: Sequence[R]
    sql: str = ""


@dataclass(frozen=True)
class StudyFrames:
    """All that the page needs of one study.

    Attributes
    ----------
    plan, key
        The newest plan of the study and profile, and the key of its record.
    matrix, folds, images
        Scores: a row for each cell, for each fold cell and split, and for each image of those.
    curves
        A row for each network and epoch.
    runs
        What the study's jobs ran on.
    statistics
        A row for each variant, dataset and rho; None if nothing was measured.
    histograms
        A row for each variant, dataset and bin.
    kept
        Patches that were kept of evaluations, by their key; opened when they are asked for.
    packages
        The distributions of plug-ins of others that the records name, each with its plug-ins.
    patches
        Patches of each dataset, by name; a dataset that is not prepared yet is missing.
    failures
        Why a job failed for now, by its key.
    edited
        What of the study file was edited since it ran; empty if nothing.
    at_hand
        The images and patches that are still here, opened when they are asked for.
    patch_scores
        A row for each patch of each cell, of the images that are shown whole.
    """

    plan: PlanRecord
    matrix: Frame[MatrixCell]
    folds: Frame[FoldRow]
    images: Frame[ScoredImage]
    curves: Frame[CurveRow]
    runs: Frame[RunRow]
    key: str = ""
    statistics: Frame[StatisticsRow] | None = None
    histograms: Frame[HistogramRow] | None = None
    kept: Mapping[str, Sequence[KeptPatch]] = field(default_factory=dict)
    packages: tuple[str, ...] = ()
    patches: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    edited: str = ""
    at_hand: AtHand = field(default_factory=AtHand)
    patch_scores: Sequence[PatchRow] = ()

    @cached_property
    def scored(self) -> Mapping[CellName, MatrixCell]:
        """The cells that have scores, by name."""
        return {cell.name: cell for cell in self.matrix.rows}

    @cached_property
    def planned(self) -> Mapping[Planned, int]:
        """How many folds every cell of the plan has on split test."""
        cells = (cell for cell in self.plan.cells if cell.split == "test")
        return Counter((cell.variant, cell.train, cell.test) for cell in cells)

    def own_score(self, name: CellName, metric: str = DICE) -> float | None:
        """The mean of a metric in the own set of a cell, if there is one and it is complete."""
        own = own_set(name, self.planned)
        cell = None if own is None else self.scored.get(own)
        if cell is None or cell.folds < self.planned[cell.name[:3]]:
            return None
        return cell.means.get(metric)

"""Power before the run: how sharp a study's answers will be, and what would sharpen them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from studyspec.api.planning import PlannedStudy
from studyspec.errors import NothingThere
from studyspec.plan.record import PlanRecord
from studyspec.report.cells import merged_cells
from studyspec.report.reading import read
from studyspec.report.verdicts import columns_of, scores_of
from studyspec.stats.components import Components, Design, estimated, typical
from studyspec.stats.power import Expected, Prospect, expect
from studyspec.stats.scores import CellName, Scores
from studyspec.store.snapshot import snapshot

__all__ = ["Expected", "Power", "power"]


@dataclass(frozen=True)
class Power:
    """What is to be expected of a study's claims; `known` if by variances of its past scores."""

    study: str
    known: bool
    claims: tuple[Expected, ...]


def power(planned: PlannedStudy) -> Power:
    """What is to be expected of every claim of a planned study.

    Variances are those of the study's scores so far; where it has none, typical ones
    (`studyspec.stats.components`).
    """
    claims = planned.checked.loaded.study.claims
    found = prospect(planned)
    return Power(planned.record.study, bool(found.past.folds), tuple(expect(claims, found)))


def prospect(planned: PlannedStudy) -> Prospect:
    """What is known of a planned study: its cells and sizes, and its scores so far."""
    record, past = planned.record, _past(planned)

    @cache
    def components(metric: str) -> Components:
        return estimated(past, metric) or typical(metric)

    parts = planned.checked.loaded.study.cross_validation.folds
    return Prospect(_planned(record), past, _design(record, parts), components)


def _past(planned: PlannedStudy) -> Scores:
    """The scores of the study's newest recorded plan; none before its first run."""
    record = planned.record
    try:
        with snapshot(planned.checked.results) as now:
            frames = read(planned.checked.results, now, record.study, record.profile)
    except NothingThere:
        return Scores([], [])
    return scores_of(frames, merged_cells(frames))


def _planned(record: PlanRecord) -> Scores:
    names = (CellName(cell.variant, cell.train, cell.test, cell.split) for cell in record.cells)
    columns = {name: columns_of(record, name) for name in record.datasets}
    absent = dict.fromkeys(names, "planned")
    return Scores([], [], absent=absent, variants=record.variants, columns=columns)


def _design(record: PlanRecord, parts: int) -> Design:
    """The folds of the study, and the micrographs of every set."""
    images = {name: dataset.images for name, dataset in record.datasets.items()}
    micrographs = {
        name: len({record.images[image].get("micrograph") or image for image in its})
        for name, its in images.items()
    }
    pairs = {(cell.train, cell.test) for cell in record.cells}
    return Design(
        folds=len({cell.fold for cell in record.cells if cell.fold is not None}),
        micrographs=micrographs,
        held_out=frozenset(pair for pair in pairs if _shared(pair, images)),
        parts=parts,
    )


def _shared(pair: tuple[str, str], images: Mapping[str, tuple[str, ...]]) -> bool:
    return bool(set(images.get(pair[0], ())) & set(images.get(pair[1], ())))

"""Two training sets on one test set: which is better, by how much, and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from studyspec.errors import NothingThere, QueryError
from studyspec.plugins.registry import METRICS
from studyspec.report.cells import merged_cells
from studyspec.report.verdicts import scores_of
from studyspec.spec.derived import DICE
from studyspec.spec.names import BASE
from studyspec.spec.wording import nearest
from studyspec.stats.claims import FEWEST_MICROGRAPHS, number
from studyspec.stats.differences import Difference, contrast, lacking, mean_of, value_of
from studyspec.stats.scores import CellName

if TYPE_CHECKING:
    from studyspec.store.folder import Results
    from studyspec.store.snapshot import Snapshot


@dataclass(frozen=True)
class PairDifference:
    """The metric of both, and the first less the second."""

    study: str
    means: tuple[float, float]
    difference: Difference

    @property
    def text(self) -> str:
        """The difference in words."""
        found = self.difference
        said = f"difference {number(found.value)}"
        folds = f"{found.folds} folds" if found.folds > 1 else "1 network"
        basis = f"{found.micrographs} micrographs, {folds}, {found.method}"
        if found.micrographs < FEWEST_MICROGRAPHS:
            few = f"fewer than {FEWEST_MICROGRAPHS} micrographs: no interval"
            return f"{said} ({few}; {basis}; study {self.study})"
        interval = f"95 % interval {number(found.low)} to {number(found.high)}"
        return f"{said}, {interval} ({basis}; study {self.study})"


def compare_pair(
    results: Results,
    trains: tuple[str, str],
    test: str,
    study: str | None = None,
    profile: str | None = None,
    variant: str = BASE,
    metric: str = DICE,
) -> PairDifference:
    """Compare two cells of the newest plan of a study.

    Raises
    ------
    QueryError
        If there is no such metric or cell, or several studies have both and none is named.
    NothingThere
        If there are no results, or the cells are not complete.
    """
    from studyspec.report.reading import read
    from studyspec.store.snapshot import snapshot

    if metric not in METRICS.names:
        raise QueryError(f"no metric '{metric}'", hint=nearest(metric, METRICS.names))
    with snapshot(results) as now:
        name = study or _only_study(now, trains, test, profile, variant)
        frames = read(results, now, name, profile)
    scores = scores_of(frames, merged_cells(frames))
    first, second = (CellName(variant, train, test) for train in trains)
    pieces = [*mean_of([first], metric), *mean_of([second], metric, -1)]
    if missing := lacking(scores, pieces):
        raise NothingThere(f"these cannot be compared: {missing}", where=f"study {name}")
    means = (value_of(scores, first, metric), value_of(scores, second, metric))
    return PairDifference(name, means, contrast(scores, pieces))


def _only_study(
    now: Snapshot, trains: tuple[str, str], test: str, profile: str | None, variant: str
) -> str:
    """The one study that has both cells."""
    rows = now.ask("select distinct study, profile, variant, train, test from cells")
    cells = {
        (str(study), str(train), str(tested))
        for study, of, name, train, tested in rows.rows
        if (of, name) == (profile or "", variant)
    }
    found = sorted(
        {study for study, *_ in cells if all((study, train, test) in cells for train in trains)}
    )
    if len(found) == 1:
        return found[0]
    if found:
        raise QueryError(
            f"{', '.join(found)} all test '{trains[0]}' and '{trains[1]}' on '{test}'",
            hint="choose one with --study",
        )
    names = sorted({name for _, *both in cells for name in both})
    unknown = next((name for name in (*trains, test) if name not in names), None)
    hint = nearest(unknown, names) if unknown else "studyspec sql @matrix shows what there is"
    raise QueryError(
        f"no study tests '{trains[0]}' and '{trains[1]}' on '{test}' (variant {variant})", hint=hint
    )

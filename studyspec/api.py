"""The commands as functions: check, plan, run, status, sql, report. For notebooks and for the CLI.

Brings the rooms together and prints nothing; what happens on the way goes to a callback.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studyspec.catalog.table import Catalog, FilterProblem
from studyspec.errors import FileError, NothingThere, Problem, SpecError
from studyspec.images.source import Source, Unfetched
from studyspec.plan.changes import Changes
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.overlaps import overlaps
from studyspec.plan.preparation import Files
from studyspec.plan.record import Question, plan_record
from studyspec.plan.states import Known, PlannedJob, judge
from studyspec.spec.loading import LoadedStudy, load
from studyspec.spec.variants import Variant, expand

if TYPE_CHECKING:
    from studyspec.run.runner import Event, Summary
    from studyspec.store.queries import Table


@dataclass(frozen=True)
class Workplace:
    """Where results, fetched files and the real images are; None: the defaults.

    The default results folder is `results/` in the study's project root, the default cache is the
    user's cache directory.
    """

    results: Path | None = None
    cache: Path | None = None
    base_address: str | None = None

    def results_of(self, root: Path) -> Path:
        """The results folder for a project root."""
        return (self.results or root / "results").absolute()

    def cache_folder(self) -> Path:
        """The folder of fetched files."""
        from platformdirs import user_cache_path

        return (self.cache or user_cache_path("studyspec")).absolute()


@dataclass(frozen=True)
class CheckedStudy:
    """A study that is valid: its variants, and its datasets as images with hashes."""

    loaded: LoadedStudy
    variants: tuple[Variant, ...]
    datasets: Mapping[str, ResolvedDataset]
    files: Files
    notes: tuple[str, ...] = ()

    @property
    def unfetched(self) -> tuple[str, ...]:
        """Addresses of images and labels that are not here yet, each once."""
        addresses: dict[str, None] = {}
        for dataset in self.datasets.values():
            for image in dataset.images:
                if not image.fetched:
                    addresses |= dict.fromkeys(_addresses(image))
        return tuple(addresses)


@dataclass(frozen=True)
class PlannedStudy:
    """A study's plan: every job with its state, and the record that names them."""

    checked: CheckedStudy
    expansion: Expansion
    jobs: tuple[PlannedJob, ...]
    record: Mapping[str, Any] = field(repr=False)

    def count(self, stage: str, state: str) -> int:
        """How many jobs of a stage are in a state."""
        return sum(p.job.stage == stage and p.state == state for p in self.jobs)


def check(
    study: Path, profile: str | None = None, workplace: Workplace | None = None
) -> CheckedStudy:
    """Load a study, choose its images, and find every mistake before anything runs.

    Raises
    ------
    SpecError
        With the place in the file of each problem.
    CatalogError
        If the catalog cannot be read.
    """
    workplace = workplace or Workplace()
    loaded = load(study, profile)
    variants = expand(loaded.study)
    settings = loaded.study.catalog
    catalog_path = loaded.root / settings.path
    catalog = Catalog.open(catalog_path)
    files = Files(
        str(catalog_path),
        str(workplace.cache_folder()),
        workplace.base_address or settings.base_address,
    )
    rows, problems = _select(loaded, catalog)
    if problems:
        raise SpecError(problems)
    datasets, problems = _identify(loaded, rows, files)
    problems += _fold_problems(loaded, variants, datasets) + [
        loaded.problem(("matrix",), overlap.text, "make the members disjoint, or one dataset")
        for overlap in overlaps(variants, datasets)
    ]
    if problems:
        raise SpecError(problems)
    return CheckedStudy(loaded, variants, datasets, files)


def plan(
    study: Path, profile: str | None = None, workplace: Workplace | None = None
) -> PlannedStudy:
    """Every job that a study implies, with its state and reason; changes nothing."""
    return plan_checked(check(study, profile, workplace), workplace)


def plan_checked(checked: CheckedStudy, workplace: Workplace | None = None) -> PlannedStudy:
    """The plan of a study that has been checked."""
    from studyspec.store.layout import Results
    from studyspec.store.planned import previous_plan
    from studyspec.store.records import RecordIndex

    results = Results((workplace or Workplace()).results_of(checked.loaded.root))
    expansion = expand_jobs(checked.variants, checked.datasets, checked.files)
    loaded = checked.loaded
    question = Question(
        loaded.study.study.name,
        loaded.study.study.question,
        loaded.profile,
        loaded.study.model_dump(mode="json", by_alias=True),
        loaded.source,
    )
    record = plan_record(question, checked.variants, checked.datasets, expansion)
    before = previous_plan(results, question.study, question.profile)
    changes = Changes(record, expansion, before)
    known = {
        key: Known(status.done, status.final_failure)
        for key, status in RecordIndex(results).statuses().items()
    }
    jobs = judge(expansion.jobs, known, results.has_artifact, changes.reason)
    return PlannedStudy(checked, expansion, jobs, record)


@dataclass(frozen=True)
class How:
    """How a run works: engine, workers, devices, and what it does with earlier failures."""

    engine: str = "local"
    workers: int | None = None
    devices: tuple[str, ...] = ()
    retry_failed: bool = False
    time_limit_s: float | None = None


class Listener(Protocol):
    """What a caller of `run` may want to hear."""

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download goes on: bytes so far and in all, if known."""

    def planned(self, planned: PlannedStudy) -> None:
        """A study was planned."""

    def happened(self, event: Event) -> None:
        """A job started, went on, ended or failed."""


def run(
    studies: Sequence[Path],
    profile: str | None = None,
    workplace: Workplace | None = None,
    how: How | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Fetch what is missing, plan, and do what is not yet known; studies share what they can.

    Raises
    ------
    SpecError, CatalogError, FetchError
        Before anything runs.
    KeyboardInterrupt
        After the workers have stopped cleanly.
    """
    from studyspec.run import runner
    from studyspec.store.layout import Results
    from studyspec.store.records import write_plan

    workplace, how = workplace or Workplace(), how or How()
    planned = []
    for study in studies:
        checked = check(study, profile, workplace)
        if checked.unfetched:
            fetch(checked, None if listener is None else listener.fetching)
            checked = check(study, profile, workplace)
        planned.append(plan_checked(checked, workplace))
        if listener is not None:
            listener.planned(planned[-1])
    if not planned:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    results = Results(workplace.results_of(planned[0].checked.loaded.root))
    for one in planned:
        write_plan(results, one.record)
    jobs = {p.job.key: p for one in planned for p in one.jobs}
    return runner.run(
        [p.job for p in jobs.values()],
        results,
        runner.Options(
            engine=how.engine,
            workers=how.workers,
            devices=how.devices,
            retry_failed=how.retry_failed,
            time_limit_s=how.time_limit_s,
            redo=frozenset(key for key, p in jobs.items() if p.state == "rebuild"),
        ),
        None if listener is None else listener.happened,
    )


def fetch(
    checked: CheckedStudy, progress: Callable[[str, int, int | None], None] | None = None
) -> None:
    """Fetch every file of a study that is not here yet.

    Raises
    ------
    FetchError
        Naming each file that could not be fetched or differs from its pin.
    """
    from studyspec.catalog.fetch import Fetcher

    files = checked.files
    fetcher = Fetcher(Path(files.cache), Path(files.catalog), files.base_address)
    fetcher.fetch(checked.unfetched, progress).raise_failures()

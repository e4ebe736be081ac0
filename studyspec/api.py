"""The commands as functions: check, plan, run, status, sql, report. For notebooks and for the CLI.

Brings the rooms together and prints nothing; what happens on the way goes to a listener.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from studyspec.catalog.table import Catalog
from studyspec.errors import LearnError, NothingThere, SpecError
from studyspec.images.choice import Mistake, identify, select
from studyspec.images.source import Source
from studyspec.learn.given import GivenNetwork
from studyspec.learn.given import identify as identify_network
from studyspec.plan.changes import Changes
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.feasibility import infeasible
from studyspec.plan.jobs import STAGES
from studyspec.plan.preparation import Files
from studyspec.plan.record import Question, plan_record
from studyspec.plan.states import Known, PlannedJob, judge
from studyspec.spec.loading import LoadedStudy, load
from studyspec.spec.variants import Variant, expand
from studyspec.store.layout import Results

if TYPE_CHECKING:
    from studyspec.plan.trials import Searched
    from studyspec.report.pairs import Compared
    from studyspec.run.events import Event, Summary
    from studyspec.run.runner import Options
    from studyspec.store.queries import Table
    from studyspec.store.records import RecordIndex


@dataclass(frozen=True)
class Workplace:
    """Where results, fetched files and the published images are; None: the defaults.

    The default results folder is `results/` in the study's project root, the default cache is the
    user's cache directory.
    """

    results: Path | None = None
    cache: Path | None = None
    base_address: str | None = None

    def results_of(self, root: Path) -> Results:
        """The results folder for a project root."""
        return Results((self.results or root / "results").absolute())

    def cache_folder(self) -> Path:
        """The folder of fetched files."""
        from platformdirs import user_cache_path

        return (self.cache or user_cache_path("studyspec")).absolute()


HERE = Workplace()


@dataclass(frozen=True)
class CheckedStudy:
    """A study that is valid: its variants, and its datasets as images with hashes."""

    loaded: LoadedStudy
    variants: tuple[Variant, ...]
    datasets: Mapping[str, ResolvedDataset]
    files: Files
    results: Results
    networks: Mapping[str, GivenNetwork] = field(default_factory=dict)

    @property
    def unfetched(self) -> tuple[str, ...]:
        """Addresses of images and labels that are not here yet, each once."""
        missing = (i for d in self.datasets.values() for i in d.images if not i.fetched)
        return tuple(dict.fromkeys(uri for image in missing for uri in image.addresses))


@dataclass(frozen=True)
class PlannedStudy:
    """A study's plan: every job with its state, and the record that names them."""

    checked: CheckedStudy
    expansion: Expansion
    jobs: tuple[PlannedJob, ...]
    record: Mapping[str, Any] = field(repr=False)
    searching: bool = False

    def count(self, stage: str, state: str) -> int:
        """How many jobs of a stage are in a state."""
        return sum(p.job.stage == stage and p.state == state for p in self.jobs)


class Listener(Protocol):
    """What a caller of `run` may want to hear."""

    def fetching(self, name: str, done: int, total: int | None) -> None:
        """A download goes on: bytes so far and in all, if known."""

    def planned(self, planned: PlannedStudy) -> None:
        """A study was planned."""

    def happened(self, event: Event) -> None:
        """A job started, went on, ended or failed."""


def check(study: Path, profile: str | None = None, workplace: Workplace = HERE) -> CheckedStudy:
    """Load a study, choose its images, and find every mistake before anything runs.

    Raises
    ------
    SpecError
        With the place in the file of each problem.
    CatalogError
        If the catalog cannot be read.
    """
    loaded = load(study, profile)
    variants = expand(loaded.study)
    settings = loaded.study.catalog
    path = loaded.root / settings.path
    files = Files(
        str(path),
        str(workplace.cache_folder()),
        workplace.base_address or settings.base_address,
    )
    filters = loaded.study.datasets
    rows, mistakes = select(filters, settings.collection, Catalog.open(path))
    _refuse(loaded, mistakes)
    source = Source(path, Path(files.cache), files.base_address)
    datasets: dict[str, ResolvedDataset] = {}
    for name, wanted in filters.items():
        found, wrong = identify(name, wanted, rows[name], source)
        mistakes += wrong
        images = tuple(PlannedImage.of(row, wanted.label, known) for row, known in found)
        datasets[name] = ResolvedDataset(name, wanted, images)
    networks: dict[str, GivenNetwork] = {}
    for name, network in loaded.study.networks.items():
        try:
            networks[name] = identify_network(name, network, loaded.root)
        except LearnError as error:
            mistakes.append(Mistake(("networks", name), error.text, error.hint))
    _refuse(loaded, mistakes)
    searched = loaded.study.search.datasets if loaded.study.search else ()
    _refuse(loaded, infeasible(variants, datasets, searched))
    results = workplace.results_of(loaded.root)
    return CheckedStudy(loaded, variants, datasets, files, results, networks)


def plan(study: Path, profile: str | None = None, workplace: Workplace = HERE) -> PlannedStudy:
    """Every job that a study implies, with its state and reason; changes nothing."""
    return plan_checked(check(study, profile, workplace))


def plan_checked(checked: CheckedStudy) -> PlannedStudy:
    """The plan of a study that has been checked."""
    from studyspec.store.planned import previous_plan
    from studyspec.store.records import RecordIndex

    loaded, header = checked.loaded, checked.loaded.study.study
    index = RecordIndex(checked.results)
    searched = _searched(checked, index)
    variants = checked.variants if searched is None else searched.variants
    expansion = expand_jobs(
        variants, checked.datasets, checked.files, checked.networks, loaded.study.measure
    )
    trials: tuple[Mapping[str, Any], ...] = ()
    if searched is not None:
        jobs = {job.key: job for job in (*searched.jobs, *expansion.jobs)}
        expansion, trials = replace(expansion, jobs=tuple(jobs.values())), searched.trials
    spec = loaded.study.model_dump(mode="json", by_alias=True)
    question = Question(header.name, header.question, loaded.profile, spec, loaded.source)
    record = plan_record(question, variants, checked.datasets, expansion, trials)
    before = previous_plan(checked.results, header.name, loaded.profile, index)
    known = {k: Known(s.done, s.final_failure) for k, s in index.statuses().items()}
    changes = Changes(record, expansion, before)
    judged = judge(expansion.jobs, known, index.has_artifact, changes.reason)
    searching = searched is not None and not searched.progress.finished
    return PlannedStudy(checked, expansion, judged, record, searching)


def _searched(checked: CheckedStudy, index: RecordIndex) -> Searched | None:
    """How far the search of a study has come, if it has one."""
    from studyspec.plan.trials import plan_search
    from studyspec.store.records import lowest_loss

    study = checked.loaded.study
    if study.search is None:
        return None
    return plan_search(
        study.search,
        checked.variants,
        study.stage,
        checked.datasets,
        checked.files,
        lambda key: lowest_loss(index, key),
    )


def run(
    studies: Sequence[Path],
    profile: str | None = None,
    workplace: Workplace = HERE,
    options: Options | None = None,
    listener: Listener | None = None,
) -> Summary:
    """Fetch what is missing, plan, and do what is not yet known; studies share what they can.

    Raises
    ------
    SpecError, CatalogError, FetchError, RunError
        Before anything runs.
    KeyboardInterrupt
        After the workers have stopped cleanly.
    """
    from studyspec.run import runner
    from studyspec.run.local import check_devices
    from studyspec.store.records import write_plan

    options = options or runner.Options()
    if options.engine == "local":
        check_devices(options.devices)
    if not studies:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    total: Summary | None = None
    while True:
        planned = [_ready(study, profile, workplace, listener) for study in studies]
        results = planned[0].checked.results
        for one in planned:
            write_plan(results, one.record)
        jobs = {p.job.key: p for one in planned for p in one.jobs}
        redo = frozenset(key for key, p in jobs.items() if p.state == "rebuild")
        summary = runner.run(
            [p.job for p in jobs.values()],
            results,
            replace(options, redo=redo),
            None if listener is None else listener.happened,
        )
        total = summary if total is None else total + summary
        asks_more = any(one.searching for one in planned) and summary.done > 0
        if not asks_more:
            return total


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


def estimate(planned: PlannedStudy) -> float | None:
    """Time that the jobs to do will take on one worker, from past ones of their stage [s].

    None if a stage to do has no past, or nothing is to do.
    """
    from studyspec.store.queries import stage_seconds

    to_do = Counter(p.job.stage for p in planned.jobs if p.to_do)
    past = stage_seconds(planned.checked.results)
    if not to_do or any(stage not in past for stage in to_do):
        return None
    return sum(n * past[stage] for stage, n in to_do.items())


def status(
    study: Path | None = None, profile: str | None = None, workplace: Workplace = HERE
) -> dict[str, Any]:
    """What of a study is done, running, to do and failed; of all studies, if none is named.

    JSON values; without a study nothing is known of what is to do.
    """
    from studyspec.store.queries import overview
    from studyspec.store.records import RecordIndex

    if study is None:
        results = workplace.results_of(Path.cwd())
        return overview(results)
    planned = plan(study, profile, workplace)
    results = planned.checked.results
    statuses = RecordIndex(results).statuses()
    claimed = {p.job.key for p in planned.jobs if results.claim(p.job.key).exists()}
    counts: Counter[tuple[str, str]] = Counter(
        (p.job.stage, _status_of(p, claimed)) for p in planned.jobs
    )
    return {
        "stages": [
            [stage, *(counts[stage, kind] for kind in ("done", "running", "to do", "failed"))]
            for stage in STAGES
        ],
        "running": [p.job.title for p in planned.jobs if p.job.key in claimed],
        "failed": [
            {
                "title": p.job.title,
                "reason": p.reason,
                "log": str(results.folder / (statuses[p.job.key].last_log or "")),
            }
            for p in planned.jobs
            if p.state == "failed"
        ],
    }


def matrix(
    study: Path, profile: str | None = None, workplace: Workplace = HERE
) -> list[dict[str, Any]]:
    """The view `matrix` of a study's newest plan, in the order of the study file."""
    from studyspec.store.queries import study_matrix

    loaded = load(study, profile)
    results = workplace.results_of(loaded.root)
    found = study_matrix(results, loaded.study.study.name, profile)
    cells = [(v.name, *pair) for v in expand(loaded.study) for pair in v.pairs]
    place = {cell: number for number, cell in enumerate(cells)}
    return sorted(found, key=lambda r: place.get((r["variant"], r["train"], r["test"]), -1))


def sql(query: str, results: Path = Path("results")) -> Table:
    """Answer one SQL statement, read-only; see the README for tables and views."""
    from studyspec.store.queries import user_query

    return user_query(Results(results.absolute()), query)


def report(
    studies: Sequence[Path],
    profile: str | None = None,
    workplace: Workplace = HERE,
    output: Path | None = None,
) -> Path:
    """Write one offline HTML page on studies that share a results folder; its path.

    Without `output`, several studies get a page each, and an index page that links them.
    """
    from studyspec.report.page import build
    from studyspec.report.summary import build_pages

    results, names = _reported(studies, profile, workplace)
    asked = [(name, profile) for name in names]
    if output is None and len(names) > 1:
        results.reports.mkdir(parents=True, exist_ok=True)
        return build_pages(results, asked, results.reports / "index.html")
    return build(results, asked, output or results.reports / f"{names[0]}.html")


def summarize(
    studies: Sequence[Path],
    document: Path,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> Path:
    """Write what came of several studies as one document in Markdown; its path."""
    from studyspec.report.summary import build_markdown

    results, names = _reported(studies, profile, workplace)
    return build_markdown(results, [(name, profile) for name in names], document)


def export(
    studies: Sequence[Path],
    folder: Path,
    profile: str | None = None,
    workplace: Workplace = HERE,
) -> list[Path]:
    """Write charts (svg, png, pdf) and tables (csv, tex) of studies; the paths of all files.

    Several studies get a folder each.
    """
    from studyspec.report.exports import export as export_study

    results, names = _reported(studies, profile, workplace)
    places = {name: folder / name if len(names) > 1 else folder for name in names}
    return [path for name in names for path in export_study(results, name, profile, places[name])]


def compare(
    results: Results,
    trains: tuple[str, str],
    test: str,
    study: str | None = None,
    profile: str | None = None,
    variant: str = "base",
    metric: str = "dice",
) -> Compared:
    """How two training sets differ on a test set, with an interval."""
    from studyspec.report.pairs import compare_pair
    from studyspec.store.ingest import ingest

    ingest(results)
    return compare_pair(results, trains, test, study, profile, variant, metric)


def _reported(
    studies: Sequence[Path], profile: str | None, workplace: Workplace
) -> tuple[Results, list[str]]:
    """The results of some studies, brought up to date, and the studies' names."""
    from studyspec.store.ingest import ingest

    loaded = [load(study, profile) for study in studies]
    if not loaded:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    results = workplace.results_of(loaded[0].root)
    ingest(results)
    return results, [one.study.study.name for one in loaded]


def _ready(
    study: Path, profile: str | None, workplace: Workplace, listener: Listener | None
) -> PlannedStudy:
    """A plan of a study whose files are all here."""
    checked = check(study, profile, workplace)
    if checked.unfetched:
        fetch(checked, None if listener is None else listener.fetching)
        checked = check(study, profile, workplace)
    planned = plan_checked(checked)
    if listener is not None:
        listener.planned(planned)
    return planned


def _status_of(planned: PlannedJob, claimed: set[str]) -> str:
    if planned.job.key in claimed:
        return "running"
    return {"known": "done", "failed": "failed"}.get(planned.state, "to do")


def _refuse(loaded: LoadedStudy, mistakes: Iterable[Mistake]) -> None:
    problems = [loaded.problem(m.path, m.what, m.hint, at_key=m.at_key) for m in mistakes]
    if problems:
        raise SpecError(problems)

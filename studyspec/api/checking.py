"""Checking: from a study file to its images, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studyspec.api.workplace import HERE, Workplace
from studyspec.catalog.table import Catalog
from studyspec.errors import LearnError, SpecError
from studyspec.images.choice import Mistake, identify, select
from studyspec.images.source import Source
from studyspec.learn.given import GivenNetwork
from studyspec.learn.given import identify as identify_network
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.feasibility import infeasible
from studyspec.plan.preparation import Files
from studyspec.spec.loading import LoadedStudy, load
from studyspec.spec.variants import Variant, expand
from studyspec.spec.wording import nearest
from studyspec.store.layout import Results


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
    catalog = Catalog.open(path)
    rows, mistakes = select(filters, settings.collection, catalog)
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
    mistakes += _unknown_columns(loaded, catalog)
    _refuse(loaded, mistakes)
    searched = loaded.study.search.datasets if loaded.study.search else ()
    _refuse(loaded, infeasible(variants, datasets, searched))
    results = workplace.results_of(loaded.root)
    return CheckedStudy(loaded, variants, datasets, files, results, networks)


def _unknown_columns(loaded: LoadedStudy, catalog: Catalog) -> Iterator[Mistake]:
    """Columns that a trend is over and that the catalog does not have."""
    for i, claim in enumerate(loaded.study.claims):
        for j, prediction in enumerate(claim.predictions):
            column = prediction.trend.over if prediction.trend else None
            if column is not None and "." not in column and column not in catalog.kinds:
                where = ("claims", i, "all", j) if claim.all else ("claims", i)
                hint = nearest(column, catalog.kinds)
                what = f"the catalog has no column '{column}'"
                yield Mistake((*where, "trend", "over"), what, hint)


def _refuse(loaded: LoadedStudy, mistakes: Iterable[Mistake]) -> None:
    problems = [loaded.problem(m.path, m.what, m.hint, at_key=m.at_key) for m in mistakes]
    if problems:
        raise SpecError(problems)

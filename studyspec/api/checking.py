"""Checking: from a study file to its images, or to every mistake in it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from studyspec.api.workplace import HERE, AnyPath, Workplace
from studyspec.catalog.columns import BY_NAME
from studyspec.catalog.table import Catalog
from studyspec.errors import LearnError, Mistake, SpecError
from studyspec.images.choice import identify, select
from studyspec.images.door import Door
from studyspec.learn.networks import NetworkFile
from studyspec.learn.networks import identify as identify_network
from studyspec.plan.datasets import PlannedImage, ResolvedDataset, doubles
from studyspec.plan.feasibility import infeasible
from studyspec.plan.preparation import Files
from studyspec.plan.scales import differing_scales
from studyspec.plugins.contracts import Whereabouts
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.identity import canonical_json
from studyspec.spec.loading import LoadedStudy, load
from studyspec.spec.origins import origin_path
from studyspec.spec.starts import start_of
from studyspec.spec.uses import Learning
from studyspec.spec.variants import Variant
from studyspec.spec.wording import nearest
from studyspec.store.folder import Results


@dataclass(frozen=True)
class CheckedStudy:
    """A study that is valid, its datasets as images with hashes.

    Attributes
    ----------
    loaded
        The study as its file says it.
    datasets
        Each dataset with its images, in catalog row order.
    at
        Where the catalog's addresses start.
    results
        The results folder.
    networks
        The foreign networks.
    starts
        The files of weights that networks start from, as the study names them.
    """

    loaded: LoadedStudy
    datasets: Mapping[str, ResolvedDataset]
    at: Whereabouts
    results: Results
    networks: Mapping[str, NetworkFile] = field(default_factory=dict)
    starts: Mapping[str, NetworkFile] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The study's name."""
        return self.loaded.study.study.name

    @property
    def profile(self) -> str | None:
        """The profile that is merged over the file."""
        return self.loaded.profile

    @property
    def variants(self) -> tuple[Variant, ...]:
        """The study's variants."""
        return self.loaded.variants

    @property
    def unfetched(self) -> tuple[str, ...]:
        """Addresses of images and labels that are not here yet, each once."""
        missing = (i for d in self.datasets.values() for i in d.images if not i.fetched)
        return tuple(dict.fromkeys(uri for image in missing for uri in image.addresses))

    @property
    def doubles(self) -> tuple[tuple[str, ...], ...]:
        """Names of images that are one image, byte by byte; a tuple for each such image."""
        images = [image for dataset in self.datasets.values() for image in dataset.images]
        by_name = {image.row.image_id: image for image in images}
        names = tuple(by_name)
        found = doubles(tuple(by_name.values()))
        return tuple(tuple(names[i] for i in same) for same in found)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is allowed, and seldom meant: pairs of two pixel scales that nothing resamples."""
        return tuple(differing_scales(self.variants, self.datasets, self.networks))

    @property
    def files(self) -> Files:
        """Where a worker finds what an image's address means."""
        at = self.at
        folders = tuple(str(folder) for folder in at.folders)
        return Files(str(at.catalog), str(at.cache), at.base_address, folders)


def check(study: AnyPath, profile: str | None = None, workplace: Workplace = HERE) -> CheckedStudy:
    """Load a study, choose its images, and find every mistake before anything runs.

    Parameters
    ----------
    study
        The study file.
    profile
        Profile of the file to merge over it.
    workplace
        Where results and fetched files are.

    Raises
    ------
    SpecError
        With the place in the file of each problem.
    CatalogError
        If the catalog cannot be read.
    """
    loaded = load(Path(study), profile, workplace.max_jobs)
    settings = loaded.study.catalog
    at = workplace.whereabouts(
        loaded.root / settings.path,
        settings.base_address,
        [(loaded.root / folder).absolute() for folder in settings.folders],
    )
    own = (wanted.collection or settings.collection for wanted in loaded.study.datasets.values())
    catalog = Catalog.open(at.catalog, tuple(dict.fromkeys(own)))
    datasets, mistakes = _datasets(loaded, catalog, Door(at))
    networks, lost = _networks(loaded, workplace.trust)
    starts, unfit = _starts(loaded)
    _refuse(loaded, [*mistakes, *lost, *unfit, *_trends(loaded, catalog, datasets)])
    searched = loaded.study.search.datasets if loaded.study.search else ()
    _refuse(loaded, infeasible(loaded.variants, datasets, searched, loaded.study.measure.enabled))
    return CheckedStudy(loaded, datasets, at, workplace.results_of(loaded.root), networks, starts)


def _datasets(
    loaded: LoadedStudy, catalog: Catalog, door: Door
) -> tuple[dict[str, ResolvedDataset], list[Mistake]]:
    """Every dataset with its images and their hashes, and what is wrong with files."""
    filters = loaded.study.datasets
    rows, mistakes = select(filters, loaded.study.catalog.collection, catalog)
    _refuse(loaded, mistakes)
    datasets: dict[str, ResolvedDataset] = {}
    for name, wanted in filters.items():
        found, wrong = identify(name, wanted, rows[name], door)
        mistakes += wrong
        images = tuple(PlannedImage.of(row, wanted.label, known) for row, known in found)
        datasets[name] = ResolvedDataset(name, wanted, images)
    return datasets, mistakes


def _networks(loaded: LoadedStudy, trust: bool) -> tuple[dict[str, NetworkFile], list[Mistake]]:
    """The foreign networks, and what is wrong with others."""
    networks: dict[str, NetworkFile] = {}
    mistakes: list[Mistake] = []
    for name, wanted in loaded.study.networks.items():
        try:
            networks[name] = identify_network(name, wanted, loaded.root, trust)
        except LearnError as error:
            mistakes.append(Mistake(("networks", name), error.text))
    return networks, mistakes


def _starts(loaded: LoadedStudy) -> tuple[dict[str, NetworkFile], list[Mistake]]:
    """The files of weights that networks start from, and what is wrong with them."""
    starts: dict[str, NetworkFile] = {}
    mistakes: dict[Mistake, None] = {}
    for variant in loaded.variants:
        start = start_of(variant.settings)
        if start is None or start.weights is None:
            continue
        path = (*origin_path(variant.name), "weights")
        try:
            wanted = ForeignNetwork(weights=start.weights)
            file = identify_network(Path(start.weights).stem, wanted, loaded.root)
        except LearnError as error:
            mistakes[Mistake(path, error.text)] = None
            continue
        starts[start.weights] = file
        if file.model is not None and file.model != Learning.of(variant.settings).model:
            what = f"'{start.weights}' holds weights of another architecture, '{file.model.name}'"
            hint = "give [model] the settings of that network, as the file has them: "
            told = canonical_json(file.model.settings)
            mistakes[Mistake(path, what, f"{hint}{told}")] = None
    return starts, list(mistakes)


def _trends(
    loaded: LoadedStudy, catalog: Catalog, datasets: Mapping[str, ResolvedDataset]
) -> Iterator[Mistake]:
    """Trends over columns that the catalog does not have, or that have no ratio."""
    for i, claim in enumerate(loaded.study.claims):
        for j, prediction in enumerate(claim.predictions):
            where = ("claims", i, "all", j, "trend") if claim.all else ("claims", i, "trend")
            trend = prediction.trend
            if trend is None or "." in trend.over:
                continue
            if trend.over not in catalog.kinds:
                what = f"the catalog has no column '{trend.over}'"
                yield Mistake((*where, "over"), what, nearest(trend.over, catalog.kinds))
            elif trend.of == "ratio" and (why := _without_ratio(trend.over, datasets)):
                what = f"there is no ratio of '{trend.over}': {why}"
                hint = "use of = 'test' or of = 'train'"
                yield Mistake((*where, "of"), what, hint)


def _without_ratio(column: str, datasets: Mapping[str, ResolvedDataset]) -> str:
    """Why values of a column cannot be divided; empty if they can."""
    if column in BY_NAME and BY_NAME[column].signed:
        return "it may be negative or 0"
    for name, dataset in datasets.items():
        for image in dataset.images:
            value = image.row.values().get(column)
            if isinstance(value, int | float) and value <= 0:
                return f"it is {value:g} in '{name}'"
    return ""


def _refuse(loaded: LoadedStudy, mistakes: Iterable[Mistake]) -> None:
    problems = [loaded.problem(m.path, m.what, m.hint, at_key=m.at_key) for m in mistakes]
    if problems:
        raise SpecError(problems)

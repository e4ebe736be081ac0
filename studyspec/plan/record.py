"""The plan record: what a plan was, so that all can be rebuilt from records. Knows no job."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pydantic import JsonValue

from studyspec.catalog.row import Cell
from studyspec.jobs.task import Key
from studyspec.plan.datasets import ResolvedDataset, image_set
from studyspec.spec.identity import digest
from studyspec.spec.names import set_members, union_members
from studyspec.spec.starts import start_of
from studyspec.spec.uses import Written
from studyspec.spec.variants import Variant

if TYPE_CHECKING:
    from studyspec.plan.expansion import Expansion

Ingredients = dict[str, JsonValue]


class FoldCell(Written):
    """One fold of one cell (variant, train, test) on one split, and the keys that answer it.

    A foreign network has no fold; its key is "weights:" and its hash.
    """

    variant: str
    train: str
    test: str
    fold: int | None
    split: str
    network: str
    evaluation: Key

    @classmethod
    def of(
        cls,
        names: tuple[str, str, str],
        fold: int | None,
        split: str,
        network: str,
        evaluation: Key,
    ) -> FoldCell:
        """Of the cell of these names (variant, train, test)."""
        variant, train, test = names
        return cls.model_construct(
            variant=variant,
            train=train,
            test=test,
            fold=fold,
            split=split,
            network=network,
            evaluation=evaluation,
        )


class Measurement(Written):
    """An image of a dataset as a variant prepares it, and the key of its statistics."""

    variant: str
    dataset: str
    image_id: str
    measurement: Key


class PlannedTrial(Written):
    """A trial of a search: its settings, its trainings, and whether it won."""

    trial: int
    settings: dict[str, JsonValue]
    networks: tuple[Key, ...]
    best: bool


class PlannedDataset(Written):
    """A dataset or union: its filter as written (None for a union), and its images.

    `members` are what a union is made of, as "twin" or, of 384 drawn images, "twin:384".
    """

    filter: dict[str, JsonValue] | None
    members: tuple[str, ...]
    images: tuple[str, ...]
    label: str


class PlannedLooks(Written):
    """How often a study may be judged, and how often it has been with this plan.

    `repeats` and `folds` are those of each variant at the first look; each look adds a repeat where
    a claim is undecided.
    """

    planned: int
    taken: int
    repeats: dict[str, int]
    folds: dict[str, int]

    def networks(self, look: int) -> dict[str, int]:
        """How many networks of a training set each variant had at a look, or less."""
        return {name: self.folds[name] * (n + look - 1) for name, n in self.repeats.items()}


class Question(Written):
    """What a plan answers: the study as written and as resolved.

    `file` is its file as seen from the project root; empty if that was not noted.
    """

    study: str
    question: str
    profile: str | None
    spec: dict[str, JsonValue]
    source: str
    file: str = ""


class PlanRecord(Question):
    """A plan.

    Attributes
    ----------
    datasets, images
        Every dataset and union that a cell names; the catalog row of every image, with hashes.
    variants
        The settings that each variant changes, by dotted name.
    cells, measurements, trials
        What is asked, and the keys that answer it.
    prepares, networks, evaluations
        The ingredients of the jobs, by key; lists of prepare keys stand once each in `lists`.
    looks
        Of a study that is judged several times.
    """

    datasets: dict[str, PlannedDataset]
    images: dict[str, dict[str, Cell]]
    variants: dict[str, dict[str, JsonValue]]
    cells: tuple[FoldCell, ...]
    measurements: tuple[Measurement, ...] = ()
    trials: tuple[PlannedTrial, ...] = ()
    prepares: dict[Key, Ingredients] = {}
    networks: dict[Key, Ingredients] = {}
    evaluations: dict[Key, Ingredients] = {}
    lists: dict[str, tuple[Key, ...]] = {}
    looks: PlannedLooks | None = None

    def written(self) -> dict[str, JsonValue]:
        """The plan as JSON, whole: those who read it with SQL want every key."""
        return self.model_dump(mode="json")


def plan_record(
    question: Question,
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    expansion: Expansion,
    trials: Sequence[PlannedTrial] = (),
) -> PlanRecord:
    """The record of a plan."""
    lists: dict[str, tuple[Key, ...]] = {}
    by_stage: dict[str, dict[Key, Ingredients]] = {}
    for job in expansion.jobs:
        by_stage.setdefault(job.stage, {})[job.key] = _short(job.task.ingredients, lists)
    return PlanRecord.model_construct(
        **{name: getattr(question, name) for name in Question.model_fields},
        datasets=_datasets(datasets, _named(expansion.cells, variants)),
        images={
            image.row.image_id: image.hashed_row().to_json()
            for dataset in datasets.values()
            for image in dataset.images
        },
        variants={variant.name: dict(variant.changes) for variant in variants},
        cells=expansion.cells,
        measurements=expansion.measurements,
        trials=tuple(trials),
        prepares=by_stage.get("prepare", {}),
        networks=by_stage.get("train", {}),
        evaluations=by_stage.get("evaluate", {}),
        lists=lists,
    )


def _short(ingredients: Ingredients, lists: dict[str, tuple[Key, ...]]) -> Ingredients:
    """Ingredients with names in place of lists of prepare keys."""

    def listed(keys: JsonValue) -> str:
        assert isinstance(keys, list)
        name = digest(keys)
        lists.setdefault(name, tuple(str(key) for key in keys))
        return name

    out = dict(ingredients)
    members = out.get("members")
    if isinstance(members, list):
        out["members"] = [listed(member) for member in members]
    if "images" in out:
        out["images"] = listed(out["images"])
    return out


def _datasets(
    datasets: Mapping[str, ResolvedDataset], named: Iterable[str]
) -> dict[str, PlannedDataset]:
    """Every dataset, and every union or part that is named."""
    out = {
        name: PlannedDataset(
            filter=dataset.filter.written(),
            members=(name,),
            images=tuple(image.row.image_id for image in dataset.images),
            label=dataset.filter.label,
        )
        for name, dataset in datasets.items()
    }
    for name in dict.fromkeys(named):
        if name not in out and all(member in datasets for member in union_members(name)):
            found = image_set(name, datasets)
            out[name] = PlannedDataset(
                filter=None,
                members=tuple(str(member) for member in set_members(name)),
                images=tuple(image.row.image_id for image in found.images),
                label=found.members[0].filter.label,
            )
    return out


def _named(cells: Sequence[FoldCell], variants: Sequence[Variant]) -> Iterator[str]:
    """The sets of images that cells are about, and those that networks start from."""
    for cell in cells:
        yield from (cell.train, cell.test)
    for variant in variants:
        if (start := start_of(variant.settings)) and start.train is not None:
            yield start.train

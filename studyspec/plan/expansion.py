"""Expansion: from variants and datasets to jobs and cells. Pure; knows no results.

Prepare: each image once for each preprocessing. Train: each training set, variant and fold.
Evaluate: each network on each test set and split. Equal ingredients are one job, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from studyspec.learn.given import GivenNetwork
from studyspec.plan.datasets import ImageSet, PlannedImage, ResolvedDataset, image_set, same_images
from studyspec.plan.jobs import Job
from studyspec.plan.preparation import Files, Preparation, Prepared
from studyspec.spec import recipes
from studyspec.spec.settings import MeasureSettings, Split, StageSettings
from studyspec.spec.variants import Variant


@dataclass(frozen=True)
class Cell:
    """One fold of one (variant, train, test) on one split, and the keys that answer it.

    A network of others has no fold; its key is "given:" and its hash.
    """

    variant: str
    train: str
    test: str
    fold: int | None
    split: str
    network: str
    evaluation: str


@dataclass(frozen=True)
class Measurement:
    """An image of a dataset as a variant prepares it, and the key of its statistics."""

    variant: str
    dataset: str
    image_id: str
    measurement: str


@dataclass(frozen=True)
class Expansion:
    """All jobs in the order in which they should be done, and all cells in matrix order."""

    jobs: tuple[Job, ...]
    cells: tuple[Cell, ...]
    measurements: tuple[Measurement, ...] = ()


def expand_jobs(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    files: Files,
    networks: Mapping[str, GivenNetwork] | None = None,
    measure: MeasureSettings | None = None,
) -> Expansion:
    """All jobs and cells that the variants imply: prepares, then each training and its tests.

    `networks` are those of others, by name; their tests come last. `measure` asks for statistics
    of the prepared images of every dataset.
    """
    networks = networks or {}
    preparation = Preparation(files)
    trainings: dict[str, Job] = {}
    evaluations: dict[str, dict[str, Job]] = {}
    given: dict[str, Job] = {}
    cells: list[Cell] = []
    for variant in variants:
        stage = variant.settings.model_dump(mode="json")
        for train, test in variant.pairs:
            if train in networks:
                tested = image_set(test, datasets)
                job = _test_of_given(networks[train], tested, variant, preparation)
                given.setdefault(job.key, job)
                key = str(job.ingredients["network"])
                cells.append(Cell(variant.name, train, test, None, "test", key, job.key))
                continue
            pair = _Pair.of(
                variant, image_set(train, datasets), image_set(test, datasets), preparation
            )
            for fold in range(variant.settings.cross_validation.folds):
                network = _training(pair, stage, fold)
                network = trainings.setdefault(network.key, network)
                tests = evaluations.setdefault(network.key, {})
                for split in pair.splits:
                    job = _evaluation(pair, network, split)
                    tests.setdefault(job.key, job)
                    cells.append(Cell(variant.name, train, test, fold, split, network.key, job.key))
    measures, measurements = _measured(variants, datasets, measure, preparation)
    jobs = [*preparation.jobs.values(), *measures.values()]
    for key, training in trainings.items():
        jobs += [training, *evaluations[key].values()]
    jobs += given.values()
    return Expansion(tuple(jobs), tuple(cells), measurements)


@dataclass(frozen=True)
class _Pair:
    """One cell of a variant's matrix: what all its folds and splits have in common.

    `shared` are the positions in the test set of the images that the training set holds too.
    """

    variant: Variant
    train: str
    test: str
    learned: Prepared
    tested: Prepared
    shared: tuple[int, ...]
    splits: tuple[Split, ...]
    inputs: Mapping[str, Any]
    images: tuple[tuple[PlannedImage, ...], ...] = ()

    @classmethod
    def of(
        cls, variant: Variant, train: ImageSet, test: ImageSet, preparation: Preparation
    ) -> _Pair:
        """Prepare both sets; a split other than test needs a test set that was trained on."""
        settings = variant.settings
        learned = preparation.of(train, settings.preprocess)
        tested = preparation.of(test, settings.preprocess)
        shared = same_images(train.images, test.images)
        known = len(shared) == len(test.images)
        inputs = {
            "prepare": {**learned.inputs, **tested.inputs} if shared else tested.inputs,
            "image_ids": [image.row.image_id for image in test.images],
        }
        splits = tuple(s for s in settings.evaluation.splits if s == "test" or known)
        images = tuple(member.images for member in train.members)
        return cls(variant, train.name, test.name, learned, tested, shared, splits, inputs, images)

    @property
    def network(self) -> str:
        """The network in words."""
        name = self.variant.name
        return self.train if name == "base" else f"{self.train} ({name})"


def trial_job(
    images: ImageSet, settings: StageSettings, number: int, preparation: Preparation
) -> Job:
    """The training of one trial of a search: fold 0 of a dataset."""
    variant = Variant(f"trial {number}", settings, ())
    pair = _Pair.of(variant, images, images, preparation)
    return _training(pair, settings.model_dump(mode="json"), 0)


def _training(pair: _Pair, stage: Mapping[str, Any], fold: int) -> Job:
    ingredients: dict[str, Any]
    validation = {k: v for k, v in stage["cross_validation"].items() if k != "seeds"}
    ingredients = {
        "stage": "train",
        "recipe": recipes.TRAIN,
        "members": [list(member) for member in pair.learned.members],
        "augment": _read(stage["augment"]),
        "model": stage["model"],
        "training": stage["training"],
        "cross_validation": validation,
        "fold": fold,
        "seed": stage["cross_validation"]["seeds"][fold],
    }
    if "thinning" in ingredients["augment"]:
        ingredients["doses"] = [[_dose(image) for image in member] for member in pair.images]
    needs = tuple(dict.fromkeys(pair.learned.keys))
    inputs = {"prepare": pair.learned.inputs}
    return Job.of(ingredients, needs, inputs, f"train {pair.network}, fold {fold}")


def _evaluation(pair: _Pair, network: Job, split: Split) -> Job:
    ingredients = {
        "stage": "evaluate",
        "recipe": recipes.EVALUATE,
        "network": network.key,
        "images": pair.tested.keys,
        "shared": list(pair.shared),
        "split": split,
        "dihedral": pair.variant.settings.evaluation.dihedral,
    }
    inputs = {**pair.inputs, "training": network.ingredients}
    needs = (network.key, *dict.fromkeys(pair.tested.keys))
    part = "" if split == "test" else f" ({split} part)"
    title = f"test {pair.network} on {pair.test}{part}, fold {network.ingredients['fold']}"
    return Job.of(ingredients, needs, inputs, title)


def _test_of_given(
    network: GivenNetwork, test: ImageSet, variant: Variant, preparation: Preparation
) -> Job:
    """The test of a network of others; it was trained elsewhere, so nothing need be held out."""
    settings = variant.settings
    tested = preparation.of(test, network.prepared_as(settings.preprocess))
    ingredients = {
        "stage": "evaluate",
        "recipe": recipes.EVALUATE,
        "network": f"given:{network.sha256}",
        "output": network.output,
        "images": tested.keys,
        "shared": [],
        "split": "test",
        "dihedral": settings.evaluation.dihedral,
    }
    inputs = {
        "prepare": tested.inputs,
        "image_ids": [image.row.image_id for image in test.images],
        "given": network.place(),
    }
    title = f"test {network.name} on {test.name}"
    return Job.of(ingredients, tuple(dict.fromkeys(tested.keys)), inputs, title)


def _measured(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    measure: MeasureSettings | None,
    preparation: Preparation,
) -> tuple[dict[str, Job], tuple[Measurement, ...]]:
    """The measure jobs by key, each once, and which image of which dataset each one answers."""
    if measure is None or not measure.enabled:
        return {}, ()
    asked = [
        (variant.name, name, job)
        for variant, name in product(variants, datasets)
        for job in _measures(image_set(name, datasets), variant, measure, preparation)
    ]
    measurements = (Measurement(v, n, str(job.inputs["image_id"]), job.key) for v, n, job in asked)
    return {job.key: job for _, _, job in asked}, tuple(measurements)


def _measures(
    images: ImageSet, variant: Variant, measure: MeasureSettings, preparation: Preparation
) -> Iterator[Job]:
    """A job for each image of a dataset, as the variant prepares it."""
    prepared = preparation.of(images, variant.settings.preprocess)
    for image, key in zip(images.images, prepared.keys, strict=True):
        ingredients = {
            "stage": "measure",
            "recipe": recipes.MEASURE,
            "image": key,
            "rho": list(measure.rho),
        }
        image_id = image.row.image_id
        inputs = {"prepare": {key: prepared.inputs[key]}, "image_id": image_id}
        yield Job.of(ingredients, (key,), inputs, f"measure {image_id}")


def _read(augment: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a training reads: those of no thinning are none."""
    thinned = any(value is not None for value in augment["thinning"].values())
    return {name: table for name, table in augment.items() if thinned or name != "thinning"}


def _dose(image: PlannedImage) -> list[float | None]:
    """Dose and pixel scale of an image, which thinning reads."""
    return [image.row.dose_e_per_A2, image.row.pixel_scale_nm]

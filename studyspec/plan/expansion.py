"""Expansion: from variants and datasets to jobs and cells. Pure; knows no results.

Prepare: each image once for each pipeline. Train: each training set, variant and fold. Evaluate:
each network on each test set and split. Equal tasks are one job, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from studyspec.catalog.row import Cell
from studyspec.jobs.evaluate import Evaluate, EvaluateInputs
from studyspec.jobs.measure import Measure, MeasureInputs
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key, PreparedImage
from studyspec.learn.networks import NetworkFile
from studyspec.plan.datasets import ImageSet, ResolvedDataset, image_set, same_images
from studyspec.plan.preparation import Files, Preparation, PreparedSet
from studyspec.plan.record import FoldCell, Measurement
from studyspec.plan.trainings import FOREIGN, Networks, Stage, Trainings, TrainingSet
from studyspec.spec.sections import MeasureSettings, Split, StageSettings
from studyspec.spec.variants import Variant


@dataclass(frozen=True)
class Expansion:
    """All jobs in the order in which they should be done, and all fold cells in matrix order."""

    jobs: tuple[Job, ...]
    cells: tuple[FoldCell, ...]
    measurements: tuple[Measurement, ...] = ()


@dataclass
class _Found:
    """The tests and fold cells found so far; tests of a network of this study by its key."""

    tests: dict[Key, dict[Key, Job]] = field(default_factory=dict)
    foreign: dict[Key, Job] = field(default_factory=dict)
    cells: list[FoldCell] = field(default_factory=list)


def expand_jobs(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    files: Files,
    networks: Mapping[str, NetworkFile] | None = None,
    measure: MeasureSettings | None = None,
    starts: Mapping[str, NetworkFile] | None = None,
) -> Expansion:
    """All jobs and cells that the variants imply: prepares, then each training and its tests.

    `networks` are the foreign ones, by name; their tests come last. `measure` asks for statistics
    of the prepared images of every dataset. `starts` are the files that networks start from, as the
    variants name them.
    """
    preparation, found = Preparation(files), _Found()
    by_name = {variant.name: variant for variant in variants}
    trainings = Trainings(by_name, datasets, preparation, starts or {})
    for variant in variants:
        stage = trainings.stage(variant.name)
        for train, test in variant.pairs:
            tested = image_set(test, datasets)
            if train in (networks or {}):
                network = (networks or {})[train]
                _test_foreign(network, tested, variant.name, stage, preparation, found)
            else:
                trained = trainings.of(variant.name, train)
                _add_folds(_Pair.of(trained, tested, preparation), found)
    stages = {name: trainings.stage(name) for name in by_name}
    measures, measurements = _measured(stages, datasets, measure, preparation)
    jobs = [*preparation.jobs.values(), *measures.values()]
    for key, training in trainings.jobs.items():
        jobs += [training, *found.tests.get(key, {}).values()]
    jobs += found.foreign.values()
    return Expansion(tuple(jobs), tuple(found.cells), measurements)


@dataclass(frozen=True)
class _Pair:
    """One cell of a variant's matrix: what all its folds and splits have in common.

    `shared` are the positions in the test set of the images that the training set holds too;
    `seen_before` the same for each training set that the networks started from.
    """

    networks: Networks
    test: ImageSet
    tested: PreparedSet
    shared: tuple[int, ...]
    seen_before: tuple[tuple[int, ...], ...]
    splits: tuple[Split, ...]
    image_ids: tuple[str, ...]

    @classmethod
    def of(cls, networks: Networks, test: ImageSet, preparation: Preparation) -> _Pair:
        """Prepare the test set; a split other than test needs one that was trained on."""
        trained = networks.trained
        tested = preparation.of(test, trained.stage.tested)
        shared = same_images(trained.images.images, test.images)
        earlier = (one.trained.images.images for one in networks.earlier)
        seen_before = tuple(same_images(images, test.images) for images in earlier)
        known = len(shared) == len(test.images)
        wanted = trained.stage.settings.evaluation.splits
        splits = tuple(split for split in wanted if split == "test" or known)
        image_ids = tuple(image.row.image_id for image in test.images)
        seen_before = seen_before if any(seen_before) else ()
        return cls(networks, test, tested, shared, seen_before, splits, image_ids)

    @property
    def sources(self) -> Mapping[Key, PreparedImage]:
        """How the patches of every image of the test and of shared training sets come to be."""
        found: dict[Key, PreparedImage] = {}
        for one, positions in zip(self.networks.earlier, self.seen_before, strict=False):
            found |= one.trained.prepared.sources if positions else {}
        found |= self.networks.trained.prepared.sources if self.shared else {}
        return {**found, **self.tested.sources} if found else self.tested.sources


def trial_job(
    images: ImageSet, settings: StageSettings, number: int, preparation: Preparation
) -> Job:
    """The training of one trial of a search: fold 0 of a dataset."""
    return TrainingSet.of(f"trial {number}", Stage.of(settings), images, preparation).training(0)


def _add_folds(pair: _Pair, found: _Found) -> None:
    """Every fold of a cell: a test of its network for each split."""
    sources, trained = pair.sources, pair.networks.trained
    for fold, training in enumerate(pair.networks.jobs):
        tests = found.tests.setdefault(training.key, {})
        inputs = _test_inputs(pair, fold, sources)
        for split in pair.splits:
            test = _test(pair, fold, inputs, split)
            tests.setdefault(test.key, test)
            names = (trained.variant, trained.images.name, pair.test.name)
            found.cells.append(FoldCell.of(names, fold, split, training.key, test.key))


def _test_inputs(pair: _Pair, fold: int, sources: Mapping[Key, PreparedImage]) -> EvaluateInputs:
    return EvaluateInputs.model_construct(
        image_ids=pair.image_ids,
        sources=sources,
        training=pair.networks.tasks[fold],
        earlier=tuple(one.tasks[fold] for one in pair.networks.earlier),
        network=None,
    )


def _test(pair: _Pair, fold: int, inputs: EvaluateInputs, split: Split) -> Job:
    stage, training = pair.networks.trained.stage, pair.networks.jobs[fold]
    task = Evaluate(
        network=training.key,
        images=pair.tested.keys,
        shared=pair.shared,
        seen_before=pair.seen_before if split == "test" else (),
        split=split,
        dihedral=stage.settings.evaluation.dihedral,
        precision=stage.settings.evaluation.precision,
        metrics=stage.metrics,
        columns=_read(stage, pair.test),
    )
    needs = (training.key, *dict.fromkeys(pair.tested.keys))
    part = "" if split == "test" else f" ({split} part)"
    where = f"{pair.test.name}{part}, fold {fold}"
    return Job(task, inputs, needs, f"test {pair.networks.trained.title} on {where}")


def _read(stage: Stage, test: ImageSet) -> dict[str, tuple[Cell, ...]]:
    """The catalog values that the metrics of a variant read, one for each image."""
    asked = stage.metric_columns
    values = [image.columns(asked) for image in test.images] if asked else []
    return {name: tuple(value[name] for value in values) for name in asked}


def _test_foreign(
    network: NetworkFile,
    test: ImageSet,
    variant: str,
    stage: Stage,
    preparation: Preparation,
    found: _Found,
) -> None:
    """The test of a foreign network; it was trained elsewhere, so nothing need be held out."""
    tested = preparation.of(test, network.prepared_as(stage.tested))
    task = Evaluate(
        network=f"{FOREIGN}{network.sha256}",
        output=network.output,
        images=tested.keys,
        dihedral=stage.settings.evaluation.dihedral,
        precision=stage.settings.evaluation.precision,
        metrics=stage.metrics,
        columns=_read(stage, test),
    )
    image_ids = tuple(image.row.image_id for image in test.images)
    inputs = EvaluateInputs(image_ids=image_ids, sources=tested.sources, network=network)
    title = f"test {network.name} on {test.name}"
    job = Job(task, inputs, tuple(dict.fromkeys(tested.keys)), title)
    found.foreign.setdefault(job.key, job)
    names = (variant, network.name, test.name)
    found.cells.append(FoldCell.of(names, None, "test", task.network, job.key))


def _measured(
    stages: Mapping[str, Stage],
    datasets: Mapping[str, ResolvedDataset],
    measure: MeasureSettings | None,
    preparation: Preparation,
) -> tuple[dict[Key, Job], tuple[Measurement, ...]]:
    """The measure jobs by key, each once, and which image of which dataset each one answers."""
    if measure is None or not measure.enabled:
        return {}, ()
    jobs: dict[Key, Job] = {}
    measurements = []
    for (variant, stage), name in product(stages.items(), datasets):
        for image_id, job in _measures(image_set(name, datasets), stage, measure, preparation):
            jobs.setdefault(job.key, job)
            told = {"variant": variant, "dataset": name, "image_id": image_id}
            measurements.append(Measurement(**told, measurement=job.key))
    return jobs, tuple(measurements)


def _measures(
    images: ImageSet, stage: Stage, measure: MeasureSettings, preparation: Preparation
) -> Iterator[tuple[str, Job]]:
    """A job for each image of a dataset, as the variant prepares it."""
    prepared = preparation.of(images, stage.pipeline)
    for image, key in zip(images.images, prepared.keys, strict=True):
        image_id = image.row.image_id
        sources = {key: prepared.sources[key]}
        inputs = MeasureInputs(image_id=image_id, sources=sources)
        yield (
            image_id,
            Job(Measure(image=key, rho=measure.rho), inputs, (key,), f"measure {image_id}"),
        )

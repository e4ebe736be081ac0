"""Expansion: from variants and datasets to jobs and cells. Pure; knows no results.

Prepare: each image once for each pipeline. Train: each training set, variant and fold. Evaluate:
each network on each test set and split. Equal tasks are one job, whoever asks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from studyspec.jobs.evaluate import Evaluate, EvaluateInputs
from studyspec.jobs.folds import Folding
from studyspec.jobs.measure import Measure, MeasureInputs
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key
from studyspec.jobs.train import Train, TrainInputs
from studyspec.learn.networks import NetworkFile
from studyspec.plan.datasets import ImageSet, PlannedImage, ResolvedDataset, image_set, same_images
from studyspec.plan.preparation import Files, Preparation, PreparedSet
from studyspec.plan.record import FoldCell, Measurement
from studyspec.spec.names import BASE
from studyspec.spec.sections import MeasureSettings, Split, StageSettings
from studyspec.spec.uses import Learning, Pipeline, Use, metrics_of
from studyspec.spec.variants import Variant

FOREIGN = "weights:"
"""Stands before the hash of a network that was trained elsewhere."""


@dataclass(frozen=True)
class Expansion:
    """All jobs in the order in which they should be done, and all fold cells in matrix order."""

    jobs: tuple[Job, ...]
    cells: tuple[FoldCell, ...]
    measurements: tuple[Measurement, ...] = ()


@dataclass(frozen=True)
class Stage:
    """What of a variant's settings decides results."""

    settings: StageSettings
    pipeline: Pipeline
    learning: Learning
    folding: Folding
    metrics: tuple[Use, ...]

    @classmethod
    def of(cls, settings: StageSettings) -> Stage:
        """Of a variant."""
        return cls(
            settings,
            Pipeline.of(settings.preprocess),
            Learning.of(settings),
            Folding.of(settings.cross_validation),
            metrics_of(settings.evaluation),
        )


@dataclass
class _Found:
    """The jobs and fold cells found so far; `named` are a training set's networks in a variant."""

    named: dict[tuple[str, str], tuple[Job, ...]] = field(default_factory=dict)
    trainings: dict[Key, Job] = field(default_factory=dict)
    tests: dict[Key, dict[Key, Job]] = field(default_factory=dict)
    foreign: dict[Key, Job] = field(default_factory=dict)
    cells: list[FoldCell] = field(default_factory=list)


def expand_jobs(
    variants: Sequence[Variant],
    datasets: Mapping[str, ResolvedDataset],
    files: Files,
    networks: Mapping[str, NetworkFile] | None = None,
    measure: MeasureSettings | None = None,
) -> Expansion:
    """All jobs and cells that the variants imply: prepares, then each training and its tests.

    `networks` are the foreign ones, by name; their tests come last. `measure` asks for statistics
    of the prepared images of every dataset.
    """
    preparation, found = Preparation(files), _Found()
    stages = {variant.name: Stage.of(variant.settings) for variant in variants}
    for variant in variants:
        stage = stages[variant.name]
        for train, test in variant.pairs:
            tested = image_set(test, datasets)
            if train in (networks or {}):
                network = (networks or {})[train]
                _test_foreign(network, tested, variant.name, stage, preparation, found)
            else:
                trained = image_set(train, datasets)
                _add_folds(_Pair.of(variant.name, stage, trained, tested, preparation), found)
    measures, measurements = _measured(stages, datasets, measure, preparation)
    jobs = [*preparation.jobs.values(), *measures.values()]
    for key, training in found.trainings.items():
        jobs += [training, *found.tests[key].values()]
    jobs += found.foreign.values()
    return Expansion(tuple(jobs), tuple(found.cells), measurements)


@dataclass(frozen=True)
class _Pair:
    """One cell of a variant's matrix: what all its folds and splits have in common.

    `shared` are the positions in the test set of the images that the training set holds too.
    """

    variant: str
    stage: Stage
    train: str
    test: str
    learned: PreparedSet
    tested: PreparedSet
    shared: tuple[int, ...]
    splits: tuple[Split, ...]
    image_ids: tuple[str, ...]
    images: tuple[PlannedImage, ...]

    @classmethod
    def of(
        cls, variant: str, stage: Stage, train: ImageSet, test: ImageSet, preparation: Preparation
    ) -> _Pair:
        """Prepare both sets; a split other than test needs a test set that was trained on."""
        learned = preparation.of(train, stage.pipeline)
        tested = preparation.of(test, stage.pipeline)
        shared = same_images(train.images, test.images)
        known = len(shared) == len(test.images)
        wanted = stage.settings.evaluation.splits
        splits = tuple(split for split in wanted if split == "test" or known)
        image_ids = tuple(image.row.image_id for image in test.images)
        sets = (train.name, test.name, learned, tested, shared)
        return cls(variant, stage, *sets, splits, image_ids, train.images)

    @property
    def network(self) -> str:
        """The network in words."""
        return self.train if self.variant == BASE else f"{self.train} ({self.variant})"


def trial_job(
    images: ImageSet, settings: StageSettings, number: int, preparation: Preparation
) -> Job:
    """The training of one trial of a search: fold 0 of a dataset."""
    stage = Stage.of(settings)
    return _training(_Pair.of(f"trial {number}", stage, images, images, preparation), 0)


def _add_folds(pair: _Pair, found: _Found) -> None:
    """Every fold of a cell: its training, and a test for each split."""
    asked = (pair.variant, pair.train)
    if asked not in found.named:
        folds = range(pair.stage.settings.cross_validation.folds)
        jobs = [_training(pair, fold) for fold in folds]
        found.named[asked] = tuple(found.trainings.setdefault(job.key, job) for job in jobs)
    for fold, training in enumerate(found.named[asked]):
        tests = found.tests.setdefault(training.key, {})
        inputs = _test_inputs(pair, training)
        for split in pair.splits:
            test = _test(pair, training, inputs, split)
            tests.setdefault(test.key, test)
            names = (pair.variant, pair.train, pair.test)
            found.cells.append(FoldCell.of(names, fold, split, training.key, test.key))


def _training(pair: _Pair, fold: int) -> Job:
    stage, learning = pair.stage, pair.stage.learning
    asked = learning.columns
    values = [image.columns(asked) for image in pair.images] if asked else []
    task = Train(
        members=pair.learned.members,
        columns={name: tuple(value[name] for value in values) for name in asked},
        learning=learning,
        folding=stage.folding,
        fold=fold,
        seed=stage.settings.cross_validation.seeds[fold],
    )
    needs = tuple(dict.fromkeys(pair.learned.keys))
    inputs = TrainInputs(sources=pair.learned.sources)
    return Job(task, inputs, needs, f"train {pair.network}, fold {fold}")


def _test_inputs(pair: _Pair, training: Job) -> EvaluateInputs:
    sources = pair.tested.sources
    if pair.shared:
        sources = {**pair.learned.sources, **sources}
    assert isinstance(training.task, Train)
    return EvaluateInputs.model_construct(
        image_ids=pair.image_ids, sources=sources, training=training.task, network=None
    )


def _test(pair: _Pair, training: Job, inputs: EvaluateInputs, split: Split) -> Job:
    task = Evaluate(
        network=training.key,
        images=pair.tested.keys,
        shared=pair.shared,
        split=split,
        dihedral=pair.stage.settings.evaluation.dihedral,
        metrics=pair.stage.metrics,
    )
    needs = (training.key, *dict.fromkeys(pair.tested.keys))
    part = "" if split == "test" else f" ({split} part)"
    assert isinstance(training.task, Train)
    title = f"test {pair.network} on {pair.test}{part}, fold {training.task.fold}"
    return Job(task, inputs, needs, title)


def _test_foreign(
    network: NetworkFile,
    test: ImageSet,
    variant: str,
    stage: Stage,
    preparation: Preparation,
    found: _Found,
) -> None:
    """The test of a foreign network; it was trained elsewhere, so nothing need be held out."""
    tested = preparation.of(test, network.prepared_as(stage.pipeline))
    task = Evaluate(
        network=f"{FOREIGN}{network.sha256}",
        output=network.output,
        images=tested.keys,
        dihedral=stage.settings.evaluation.dihedral,
        metrics=stage.metrics,
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

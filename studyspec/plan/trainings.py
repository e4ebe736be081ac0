"""Trainings: the networks of a training set in a variant, and what they start from. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from studyspec.jobs.folds import Folding
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key
from studyspec.jobs.train import Train, TrainInputs
from studyspec.learn.networks import NetworkFile
from studyspec.plan.datasets import ImageSet, ResolvedDataset, doubles, image_set
from studyspec.plan.preparation import Preparation, PreparedSet
from studyspec.spec.names import BASE
from studyspec.spec.sections import StageSettings
from studyspec.spec.starts import start_of
from studyspec.spec.uses import Learning, Pipeline, Use, metrics_of, pixel_metric
from studyspec.spec.variants import Variant

FOREIGN = "weights:"
"""Stands before the hash of a network that was trained elsewhere."""


@dataclass(frozen=True)
class Stage:
    """What of a variant's settings decides results; `tested` is how test sets are prepared."""

    settings: StageSettings
    pipeline: Pipeline
    tested: Pipeline
    learning: Learning
    metrics: tuple[Use, ...]

    @classmethod
    def of(cls, settings: StageSettings) -> Stage:
        """Of a variant."""
        pipeline = Pipeline.of(settings.preprocess)
        return cls(
            settings,
            pipeline,
            pipeline.cut_to(settings.evaluation.patch_size),
            Learning.of(settings),
            metrics_of(settings.evaluation),
        )

    @property
    def metric_columns(self) -> tuple[str, ...]:
        """The catalog columns that its metrics read."""
        read = (name for use in self.metrics for name in pixel_metric(use).plugin.reads)
        return tuple(dict.fromkeys(read))


@dataclass(frozen=True)
class TrainingSet:
    """A training set in a variant: what the networks of all its folds have in common."""

    variant: str
    stage: Stage
    images: ImageSet
    prepared: PreparedSet

    @classmethod
    def of(
        cls, variant: str, stage: Stage, images: ImageSet, preparation: Preparation
    ) -> TrainingSet:
        """Prepare the images as the variant says."""
        return cls(variant, stage, images, preparation.of(images, stage.pipeline))

    @property
    def title(self) -> str:
        """Its networks in words."""
        name = self.images.name
        return name if self.variant == BASE else f"{name} ({self.variant})"

    def training(
        self, fold: int, start: str | None = None, weights: NetworkFile | None = None
    ) -> Job:
        """The training of a fold, from a network of this key, or of this file.

        `fold` counts through all repeats.
        """
        settings = self.stage.settings.cross_validation
        repeat, part = divmod(fold, settings.folds)
        learning, asked = self.stage.learning, self.stage.learning.columns
        values = [image.columns(asked) for image in self.images.images] if asked else []
        task = Train(
            members=self.prepared.members,
            columns={name: tuple(value[name] for value in values) for name in asked},
            learning=learning,
            folding=Folding.of(settings, repeat),
            fold=part,
            seed=settings.seeds[part] + repeat,
            start=start,
            doubles=doubles(self.images.images),
        )
        needs = dict.fromkeys(self.prepared.keys)
        if start is not None and weights is None:
            needs[start] = None
        inputs = TrainInputs(sources=self.prepared.sources, weights=weights)
        return Job(task, inputs, tuple(needs), f"train {self.title}, fold {fold}")


@dataclass(frozen=True)
class Networks:
    """The networks of a training set: a training for each fold.

    `earlier` are those that they started from, fold by fold, the nearest first.
    """

    trained: TrainingSet
    jobs: tuple[Job, ...]
    earlier: tuple[Networks, ...] = ()

    @property
    def tasks(self) -> tuple[Train, ...]:
        """The trainings without where things are."""
        return tuple(job.task for job in self.jobs if isinstance(job.task, Train))


@dataclass
class Trainings:
    """All trainings asked for so far, each after the one that it starts from.

    Attributes
    ----------
    variants
        The variants of the study, by name.
    datasets, preparation
        The images, and how they are prepared.
    files
        The files that networks start from, as the study names them.
    jobs
        The trainings, by key.
    """

    variants: Mapping[str, Variant]
    datasets: Mapping[str, ResolvedDataset]
    preparation: Preparation
    files: Mapping[str, NetworkFile]
    jobs: dict[Key, Job] = field(default_factory=dict)
    _stages: dict[str, Stage] = field(default_factory=dict)
    _named: dict[tuple[str, str], Networks] = field(default_factory=dict)

    def stage(self, variant: str) -> Stage:
        """What of a variant's settings decides results."""
        if variant not in self._stages:
            self._stages[variant] = Stage.of(self.variants[variant].settings)
        return self._stages[variant]

    def of(self, variant: str, train: str) -> Networks:
        """The networks of a training set in a variant."""
        if (variant, train) not in self._named:
            self._named[variant, train] = self._made(variant, train)
        return self._named[variant, train]

    def _made(self, variant: str, train: str) -> Networks:
        stage = self.stage(variant)
        start, folds = start_of(stage.settings), range(stage.settings.cross_validation.networks)
        before = self.of(start.variant, start.train) if start and start.train else None
        images = image_set(train, self.datasets)
        trained = TrainingSet.of(variant, stage, images, self.preparation)
        if before is not None:
            jobs = [trained.training(fold, before.jobs[fold].key) for fold in folds]
        elif start is not None and start.weights is not None:
            file = self.files[start.weights]
            jobs = [trained.training(fold, f"{FOREIGN}{file.sha256}", file) for fold in folds]
        else:
            jobs = [trained.training(fold) for fold in folds]
        kept = tuple(self.jobs.setdefault(job.key, job) for job in jobs)
        return Networks(trained, kept, () if before is None else (before, *before.earlier))

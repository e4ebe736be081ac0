"""Train: from patches of a training set to the weights of one fold's network."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, ClassVar

from studyspec.catalog.row import Cell
from studyspec.jobs.folds import Folding, FoldSplit, fold_split, union_split, without_doubles
from studyspec.jobs.task import Inputs, Key, Result, Sources, Task
from studyspec.learn.networks import NetworkFile
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import ARCHITECTURES, AUGMENTATIONS, LOSSES, SCHEDULES, Registry
from studyspec.spec.uses import Learning, Use, Written

if TYPE_CHECKING:
    from studyspec.images.patches import Patches
    from studyspec.jobs.workshop import Workshop


CHECKPOINT_EVERY_S = 60.0


class TrainInputs(Inputs):
    """Where images and weights are.

    Attributes
    ----------
    sources
        How the patches of every image come to be, by the key of its prepare task.
    weights
        The file to start from, if it is not a network of a study.
    """

    sources: Sources
    weights: NetworkFile | None = None


class EpochRow(Written):
    """What one epoch came to; losses are means over pixels [nat], epochs count from 1.

    In a training by steps, an epoch is what lies between two validations.
    """

    epoch: int
    train_loss: float | None
    validation_loss: float | None
    seconds: float


class Trained(Result):
    """The hash of the weights, and how they came to be.

    `parameters` counts what was trained; `start_sha256` is the hash of the weights at the start.
    """

    weights_sha256: str
    start_sha256: str | None = None
    best_epoch: int
    precision: str
    n_train: int
    n_validation: int
    parameters: int
    history: tuple[EpochRow, ...]

    @property
    def headline(self) -> str:
        """The validation loss of the weights that were kept."""
        loss = self.history[self.best_epoch - 1].validation_loss
        return "" if loss is None else f"validation loss {loss:.3f} at epoch {self.best_epoch}"


class Train(Task[TrainInputs, Trained]):
    """The training of one network.

    Attributes
    ----------
    members
        For each member of the training set the keys of its prepare tasks, in catalog row order.
    columns
        For each catalog column that an augmentation reads, its value of every image.
    learning
        Augmentation, architecture, loss, schedule and numbers.
    folding, fold
        How the patches are divided, and which part is held out.
    seed
        Of weights, order and augmentation.
    start
        The key of the training whose weights it starts from, or "weights:" and the hash of a file.
    doubles
        Positions in `images` of those that are the same image, whatever their names and labels; a
        tuple for each such image.
    """

    stage: ClassVar[str] = "train"
    recipe: ClassVar[int] = 1
    inputs: ClassVar[type[Inputs]] = TrainInputs
    result: ClassVar[type[Result]] = Trained
    noun: ClassVar[str] = "weights"

    members: tuple[tuple[Key, ...], ...]
    columns: dict[str, tuple[Cell, ...]] = {}
    learning: Learning
    folding: Folding = Folding()
    fold: int
    seed: int
    start: str | None = None
    doubles: tuple[tuple[int, ...], ...] = ()

    @property
    def images(self) -> tuple[Key, ...]:
        """The keys of its prepare tasks, member after member."""
        return tuple(key for member in self.members for key in member)

    def uses(self) -> Iterator[tuple[Registry[Plugin], Use]]:
        """Augmentations, architecture, loss and schedule."""
        for use in self.learning.augment:
            yield AUGMENTATIONS, use
        yield ARCHITECTURES, self.learning.model
        yield LOSSES, self.learning.loss
        yield SCHEDULES, self.learning.schedule

    def split(self, images: Sequence[Patches]) -> FoldSplit:
        """The parts of the training set, as positions in the patches of all its images.

        An image that is there twice, under two names, stands in one part only.
        """
        leaders = list(range(len(images)))
        for same in self.doubles:
            for i in same:
                leaders[i] = same[0]
        found, at = [], 0
        for member in self.members:
            counts = [len(one.rows) for one in images[at : at + len(member)]]
            alike = leaders[at : at + len(member)] if self.doubles else ()
            found.append((counts, fold_split(counts, self.fold, self.folding, alike)))
            at += len(member)
        split = union_split([part for _, part in found], [sum(counts) for counts, _ in found])
        if not self.doubles:
            return split
        return without_doubles(
            split,
            [
                (leader, int(row), int(col))
                for leader, image in zip(leaders, images, strict=True)
                for row, col in zip(image.rows, image.cols, strict=True)
            ],
        )

    def do(self, inputs: TrainInputs, workshop: Workshop) -> Trained:
        """Train, from the checkpoint if there is one; weights are saved under their hash."""
        from studyspec.jobs import selection
        from studyspec.learn.batches import PatchSet
        from studyspec.learn.building import count_parameters
        from studyspec.learn.checkpoints import Checkpoint
        from studyspec.learn.conditions import Conditions
        from studyspec.learn.networks import Description
        from studyspec.learn.training import Epoch, train
        from studyspec.learn.weights import read_planned
        from studyspec.spec.uses import Pipeline

        asked, sources = self.learning.facts, [inputs.sources[key] for key in self.images]
        images = [
            workshop.patches(key, source, asked)
            for key, source in zip(self.images, sources, strict=True)
        ]
        split = self.split(images)
        names = [source.place.row.image_id for source in sources]
        values = selection.known_values(images, names, self.columns, self.learning.augmentations)

        def part(positions: selection.Positions, crops: bool = False) -> PatchSet:
            told = {name: each[positions] for name, each in values.items()}
            around = selection.around(images, positions) if crops else None
            return PatchSet(*selection.gather(images, positions), told, around)

        def tell(epoch: Epoch) -> None:
            workshop.tell(asdict(epoch) | {"epochs": self.learning.training.validations})

        start = self._start(inputs, workshop)
        trained = train(
            part(split.train, crops=self.learning.training.crops == "random"),
            part(split.validation),
            self.learning,
            self.seed,
            workshop.device,
            Checkpoint(workshop.checkpoint(self.key), CHECKPOINT_EVERY_S),
            tell,
            None if start is None else read_planned(start),
        )
        pipeline = Pipeline.model_validate(sources[0].ingredients["pipeline"])
        rows = [source.place.row for source in sources]
        description = Description(
            model=self.learning.model,
            pipeline=pipeline,
            conditions=Conditions.of(rows, pipeline),
        )
        return Trained(
            weights_sha256=workshop.save_weights(trained.state, description),
            start_sha256=None if start is None else start.sha256,
            best_epoch=trained.best_epoch,
            precision=trained.precision,
            n_train=len(split.train),
            n_validation=len(split.validation),
            parameters=count_parameters(self.learning.model, self.learning.training.freeze),
            history=tuple(EpochRow(**asdict(epoch)) for epoch in trained.history),
        )

    def _start(self, inputs: TrainInputs, workshop: Workshop) -> NetworkFile | None:
        """The network that it starts from; raises RunError if its weights are gone."""
        if self.start is None:
            return None
        return inputs.weights or workshop.trained(self.start)

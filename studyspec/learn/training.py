"""Training: a loss, an optimizer, a schedule, and the weights of the lowest validation loss.

Knows patches as arrays; no catalog, no jobs, no folders but its checkpoint. On a CPU with a fixed
number of threads a training is deterministic, and one resumed equals one undisturbed, bit for bit.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from studyspec.errors import LearnError
from studyspec.learn.augment import FORMS, Augmenter
from studyspec.learn.average import Average
from studyspec.learn.batches import PatchSet
from studyspec.learn.building import Promised, build, check_size, promised
from studyspec.learn.checkpoints import Checkpoint, CheckpointFile
from studyspec.learn.course import Course
from studyspec.learn.devices import autocast, memory_watch, precision_on
from studyspec.learn.draws import Draws
from studyspec.learn.freezing import freeze
from studyspec.learn.objective import Objective
from studyspec.learn.weights import fill
from studyspec.spec.sections import TrainingNumbers
from studyspec.spec.uses import Learning

TRAIN, VALIDATION = 0, 1


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; losses are means over samples, epochs count from 1.

    In a training by steps, an epoch is what lies between two validations.
    """

    epoch: int
    train_loss: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """The best weights (on the CPU), and how they came to be."""

    state: dict[str, Tensor]
    history: tuple[Epoch, ...]
    best_epoch: int
    precision: str


def train(
    train: PatchSet,
    validation: PatchSet,
    learning: Learning,
    seed: int,
    device: str = "cpu",
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
    start: Mapping[str, Tensor] | None = None,
) -> Trained:
    """Train one network.

    Parameters
    ----------
    train, validation
        Patches; each counts in its forms, as `learning.dihedral` says.
    learning
        Augmentation, architecture, loss, schedule and numbers.
    seed
        Of weights, order and augmentation.
    device
        "cpu", "cuda:0", ...
    checkpoint
        Where to keep an unfinished training; one that is there is gone on with.
    on_epoch
        Told of each epoch; by raising it ends the training, whose checkpoint is saved first.
    start
        Weights to start from; default: fresh ones. The optimizer starts anew.

    Raises
    ------
    Interrupted
        When `checkpoint.should_stop` says so.
    LearnError
        If there is nothing to train or to validate with, what is to start from or to freeze is not
        of the network, or no epoch had a finite loss.
    PluginError
        If a plug-in is not installed, or does not do what its kind promises; names it.
    OutOfMemory
        With a proposal for `training.micro_batch`.
    """
    work = _Work(train, validation, learning, seed, device, start)
    with memory_watch(learning.training):
        run = _Run.start(work)
        work.check(run.network)
        file = CheckpointFile(checkpoint) if checkpoint else None
        if file and (saved := file.read(device)):
            run.resume(saved)
        _train(work, run, file, on_epoch)
    if file:
        file.remove()
    return Trained(run.best_state, tuple(run.history), run.best_epoch, work.precision)


@dataclass(frozen=True)
class _Work:
    """What is to be done; the same from the first epoch to the last."""

    train: PatchSet
    validation: PatchSet
    learning: Learning
    seed: int
    device: str
    start: Mapping[str, Tensor] | None

    @cached_property
    def augmenter(self) -> Augmenter:
        return Augmenter.of(self.learning)

    @cached_property
    def objective(self) -> Objective:
        return Objective.of(self.learning)

    @cached_property
    def precision(self) -> str:
        return precision_on(self.device, self.learning.training.precision)

    @property
    def held(self) -> int:
        """Samples that the network sees at once."""
        return self.learning.training.micro_batch or self.learning.training.batch_size

    @cached_property
    def course(self) -> Course:
        return Course(self.learning.training, self.samples(self.train))

    def samples(self, patches: PatchSet) -> int:
        """Samples of an epoch: with dihedral = "all", 8 of each patch."""
        return len(patches.images) * (FORMS if self.learning.dihedral == "all" else 1)

    def batches(self, draws: Draws) -> tuple[Tensor, ...]:
        """The samples of a pass, in random order, batch by batch."""
        order = draws.order(self.samples(self.train))
        return torch.split(order, self.learning.training.batch_size)

    def loss(self, network: nn.Module, samples: Tensor, draws: Draws) -> Tensor:
        """Mean loss of some samples, augmented."""
        training = draws.split == TRAIN
        patches = self.train if training else self.validation
        where = samples // FORMS if self.learning.dihedral == "all" else samples
        taken = patches.take(where, samples, self.device, draws)
        batch = self.augmenter(taken, draws, training)
        with autocast(self.device, self.precision):
            logits = network(batch.images)
        return self.objective.loss(logits.float(), batch.labels)

    def check(self, network: nn.Module) -> None:
        """Refuse what cannot be trained, with the way out."""
        numbers = self.learning.training
        for name, patches in (("training", self.train), ("validation", self.validation)):
            if not len(patches.images):
                raise LearnError(f"no {name} patches", hint="widen the dataset's filter")
        batches = torch.split(torch.arange(self.samples(self.train)), numbers.batch_size)
        least = min(len(part) for batch in batches for part in torch.split(batch, self.held))
        check_size(network, self.learning.model, self.train.images.shape[-1], least)


@dataclass
class _Run:
    """All that changes in the course of a training, and that its checkpoint remembers."""

    network: Promised
    frozen: tuple[nn.Module, ...]
    optimizer: torch.optim.Optimizer
    average: Average | None
    history: list[Epoch] = field(default_factory=list)
    best_state: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = math.inf
    batches_done: int = 0
    loss_sum: Tensor | float = 0.0
    seconds: float = 0.0

    KEPT = ("best_state", "best_epoch", "best_loss", "batches_done", "loss_sum", "seconds")

    @classmethod
    def start(cls, work: _Work) -> _Run:
        numbers, model = work.learning.training, work.learning.model
        built = build(model, work.seed)
        if work.start is not None:
            fill(built, work.start, model)
        frozen = freeze(built, numbers.freeze)
        network = promised(built, model)
        network.to(work.device)
        average = Average(network, numbers.average) if numbers.average is not None else None
        return cls(network, frozen, work.objective.optimizer(network), average)

    def over(self, numbers: TrainingNumbers) -> bool:
        """Whether every validation was made, or the last ones were in vain for too long."""
        in_vain = len(self.history) - self.best_epoch
        out_of_patience = numbers.patience is not None and in_vain >= numbers.patience
        return len(self.history) >= numbers.validations or out_of_patience

    @property
    def judged(self) -> Promised:
        """The network that is validated and kept."""
        return self.network if self.average is None else self.average.network

    def learn(self) -> None:
        """Put the network into training mode, but for what is frozen."""
        self.network.train()
        for part in self.frozen:
            part.eval()

    def end_epoch(self, train_loss: float, validation_loss: float) -> None:
        """Add an epoch; keep the weights if none before validated as well."""
        epoch = Epoch(len(self.history) + 1, train_loss, validation_loss, self.seconds)
        self.history.append(epoch)
        self.batches_done, self.loss_sum, self.seconds = 0, 0.0, 0.0
        if validation_loss < self.best_loss:
            self.best_loss, self.best_epoch = validation_loss, epoch.epoch
            state = self.judged.network.state_dict()
            self.best_state = {name: tensor.cpu().clone() for name, tensor in state.items()}

    def saved(self) -> dict[str, object]:
        kept = {name: getattr(self, name) for name in self.KEPT}
        return kept | {
            "network": self.network.state_dict(),
            "judged": self.judged.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
        }

    def resume(self, saved: dict[str, Any]) -> None:  # what `saved` gave, by name
        self.network.load_state_dict(saved["network"])
        self.judged.load_state_dict(saved["judged"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history = [Epoch(**epoch) for epoch in saved["history"]]
        for name in self.KEPT:
            setattr(self, name, saved[name])
        self.best_state = {name: tensor.cpu() for name, tensor in self.best_state.items()}


def _train(
    work: _Work,
    run: _Run,
    file: CheckpointFile | None,
    on_epoch: Callable[[Epoch], None] | None,
) -> None:
    while not run.over(work.learning.training):
        start = time.monotonic() - run.seconds
        for _ in _steps(work, run):
            run.seconds = time.monotonic() - start
            if file:
                file.offer(run.saved)
        validation_loss = _validate(work, run)
        run.seconds = time.monotonic() - start
        seen = work.course.seen(len(run.history))
        run.end_epoch(float(run.loss_sum) / seen, validation_loss)
        try:
            if on_epoch:
                on_epoch(run.history[-1])
        except BaseException:
            if file:
                file.write(run.saved())
            raise
    if not run.best_state:
        raise LearnError(
            f"no epoch of {len(run.history)} had a finite validation loss",
            hint="lower training.learning_rate",
        )


def _steps(work: _Work, run: _Run) -> Iterator[None]:
    """Take the steps of one epoch that are not done yet."""
    draws = Draws(work.seed, 0, TRAIN)
    batches: tuple[Tensor, ...] = ()
    for step in work.course.steps_of(len(run.history))[run.batches_done :]:
        passes, number = divmod(step, work.course.steps_per_pass)
        if draws.epoch != passes + 1:
            draws = Draws(work.seed, passes + 1, TRAIN)
            batches = work.batches(draws)
        batch = batches[number]
        work.objective.set_rate(run.optimizer, step, work.course.steps)
        run.learn()
        run.optimizer.zero_grad(set_to_none=True)
        with draws.seeded(number, work.device):
            for samples in torch.split(batch, work.held):
                loss = work.loss(run.network, samples, draws)
                (loss * (len(samples) / len(batch))).backward()  # type: ignore[no-untyped-call]
                run.loss_sum = run.loss_sum + loss.detach().double() * len(samples)
        run.optimizer.step()
        if run.average:
            run.average.update(run.network, step)
        run.batches_done += 1
        yield


@torch.no_grad()
def _validate(work: _Work, run: _Run) -> float:
    """Mean loss over the validation samples; noise is drawn anew each epoch."""
    run.judged.eval()
    draws = Draws(work.seed, len(run.history) + 1, VALIDATION)
    n = work.samples(work.validation)
    parts = torch.split(torch.arange(n), work.held)
    losses = [work.loss(run.judged, part, draws).double() * len(part) for part in parts]
    return float(torch.stack(losses).sum()) / n

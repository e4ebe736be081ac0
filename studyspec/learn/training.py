"""Training: cross-entropy, Adam, the weights of the lowest validation loss.

Knows patches as arrays; no catalog, no jobs, no folders but its checkpoint. On a CPU with a fixed
number of threads a training is deterministic, and one resumed equals one undisturbed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from studyspec.learn.augment import FORMS, Batch, augment
from studyspec.learn.devices import autocast, memory_watch, precision_on
from studyspec.learn.draws import Draws
from studyspec.learn.network import ResidualUNet, build
from studyspec.spec.settings import StageSettings

TRAIN, VALIDATION = 0, 1


@dataclass(frozen=True)
class PatchSet:
    """Patches (N, P, P) float32 and labels (N, P, P) uint8, 1 is particle."""

    images: npt.NDArray[np.float32]
    labels: npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to; losses are means over pixels, epochs count from 1."""

    epoch: int
    train_loss: float
    validation_loss: float
    seconds: float


@dataclass(frozen=True)
class Trained:
    """The best weights, and how they came to be."""

    state: dict[str, Tensor]
    history: tuple[Epoch, ...]
    best_epoch: int
    precision: str


@dataclass(frozen=True)
class Checkpoint:
    """Where an unfinished training is kept, and how often it is saved [s]."""

    path: Path
    every_s: float = 120.0


@dataclass
class _Run:
    """All that a training must remember from one epoch to the next."""

    network: ResidualUNet
    optimizer: torch.optim.Adam
    history: list[Epoch] = field(default_factory=list)
    best_state: dict[str, Tensor] = field(default_factory=dict)
    best_epoch: int = 0
    best_loss: float = float("inf")

    def note(self, epoch: Epoch) -> None:
        """Add an epoch; keep the weights if none before validated better."""
        self.history.append(epoch)
        if epoch.validation_loss < self.best_loss or not self.best_state:
            self.best_loss, self.best_epoch = epoch.validation_loss, epoch.epoch
            state = self.network.state_dict()
            self.best_state = {name: tensor.cpu().clone() for name, tensor in state.items()}

    def save(self, path: Path) -> None:
        """Write the checkpoint, at once or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_name(f".{path.name}.{os.getpid()}")
        saved: dict[str, Any] = {
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "history": [asdict(epoch) for epoch in self.history],
            "best": (self.best_state, self.best_epoch, self.best_loss),
        }
        torch.save(saved, half)
        half.replace(path)

    def load(self, path: Path, device: str) -> None:
        """Go on from a checkpoint; one that cannot be read is as none."""
        try:
            saved = torch.load(path, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError):
            return
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])
        self.history = [Epoch(**epoch) for epoch in saved["history"]]
        self.best_state, self.best_epoch, self.best_loss = saved["best"]


def train(
    train: PatchSet,
    validation: PatchSet,
    settings: StageSettings,
    seed: int,
    device: str,
    checkpoint: Checkpoint | None = None,
    on_epoch: Callable[[Epoch], None] | None = None,
) -> Trained:
    """Train one network.

    Parameters
    ----------
    train, validation
        Patches; each counts in its forms, as `settings.augment.dihedral` says.
    settings
        Reads `augment`, `model` and `training`.
    seed
        Of weights, order and augmentation.
    device
        "cpu", "cuda:0", ...
    checkpoint
        Where to keep an unfinished training; one that is there is gone on with.
    on_epoch
        Told of each epoch; by raising it ends the training, whose checkpoint is saved first.

    Raises
    ------
    OutOfMemory
        With a proposal for `training.micro_batch`.
    """
    with memory_watch(settings.training):
        return _train(_Bench(train, validation, settings, seed, device), checkpoint, on_epoch)


@dataclass(frozen=True)
class _Bench:
    """What stays the same from epoch to epoch."""

    train: PatchSet
    validation: PatchSet
    settings: StageSettings
    seed: int
    device: str

    @property
    def precision(self) -> str:
        return precision_on(self.device, self.settings.training.precision)

    def samples(self, patches: PatchSet) -> int:
        """Samples of an epoch: with dihedral = "all", 8 of each patch."""
        return len(patches.images) * (FORMS if self.settings.augment.dihedral == "all" else 1)


def _train(
    bench: _Bench, checkpoint: Checkpoint | None, on_epoch: Callable[[Epoch], None] | None
) -> Trained:
    settings = bench.settings.training
    network = build(bench.settings.model, bench.seed)
    network = network.to(bench.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    run = _Run(network, torch.optim.Adam(network.parameters(), lr=settings.learning_rate))
    if checkpoint is not None and checkpoint.path.exists():
        run.load(checkpoint.path, bench.device)
    saved = time.monotonic()
    for number in range(len(run.history) + 1, settings.epochs + 1):
        start = time.monotonic()
        train_loss = _train_epoch(bench, run, Draws(bench.seed, number, TRAIN))
        validation_loss = _validate(bench, run.network, Draws(bench.seed, number, VALIDATION))
        run.note(Epoch(number, train_loss, validation_loss, time.monotonic() - start))
        due = checkpoint is not None and time.monotonic() - saved > checkpoint.every_s
        try:
            if on_epoch is not None:
                on_epoch(run.history[-1])
        except BaseException:
            due = checkpoint is not None
            raise
        finally:
            if checkpoint is not None and due:
                run.save(checkpoint.path)
                saved = time.monotonic()
    if checkpoint is not None:
        checkpoint.path.unlink(missing_ok=True)
    return Trained(run.best_state, tuple(run.history), run.best_epoch, bench.precision)


def _train_epoch(bench: _Bench, run: _Run, draws: Draws) -> float:
    """One pass over all samples in random order; returns the mean loss."""
    run.network.train()
    settings = bench.settings.training
    n = bench.samples(bench.train)
    order = torch.argsort(draws.uniform("order", torch.arange(n)), stable=True)
    held = settings.micro_batch or settings.batch_size
    total = 0.0
    for samples in torch.split(order, settings.batch_size):
        run.optimizer.zero_grad(set_to_none=True)
        for part in torch.split(samples, held):
            batch = _batch(bench, bench.train, part, draws, training=True)
            loss = _loss(bench, run.network, batch)
            (loss * (len(part) / len(samples))).backward()  # type: ignore[no-untyped-call]
            total += float(loss.detach()) * len(part)
        run.optimizer.step()
    return total / n


@torch.no_grad()
def _validate(bench: _Bench, network: ResidualUNet, draws: Draws) -> float:
    """Mean loss over the validation samples; noise is drawn anew each epoch."""
    network.eval()
    settings = bench.settings.training
    n = bench.samples(bench.validation)
    held = settings.micro_batch or settings.batch_size
    total = 0.0
    for samples in torch.split(torch.arange(n), held):
        batch = _batch(bench, bench.validation, samples, draws, training=False)
        total += float(_loss(bench, network, batch)) * len(samples)
    return total / n


def _batch(
    bench: _Bench, patches: PatchSet, samples: Tensor, draws: Draws, training: bool
) -> Batch:
    settings = bench.settings.augment
    which = samples // FORMS if settings.dihedral == "all" else samples
    images = torch.from_numpy(patches.images[which.numpy()]).to(bench.device)
    labels = torch.from_numpy(patches.labels[which.numpy()]).to(bench.device)
    return augment(images, labels, samples.to(bench.device), settings, draws, training)


def _loss(bench: _Bench, network: ResidualUNet, batch: Batch) -> Tensor:
    images = batch.images.contiguous(memory_format=torch.channels_last)
    with autocast(bench.device, bench.precision):
        logits = network(images)
    return F.cross_entropy(logits.float(), batch.labels)

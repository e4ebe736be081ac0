"""Checkpoints: an unfinished training on disk, whole or not at all."""

from __future__ import annotations

import io
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError

import torch

from studyspec.files import whole
from studyspec.seals import Broken, seal, unsealed

log = logging.getLogger(__name__)


class Interrupted(Exception):  # noqa: N818
    """A training was asked to stop; its checkpoint is saved."""


def never() -> bool:
    """The answer of one who lets a training go on to its end."""
    return False


@dataclass(frozen=True)
class Checkpoint:
    """Where an unfinished training is kept, how often it is saved, and who may stop it.

    Attributes
    ----------
    path
        The file; gone once the training is done.
    every_s
        Time between two savings [s].
    should_stop
        Asked after every batch; the training then saves and raises `Interrupted`.
    """

    path: Path
    every_s: float = 120.0
    should_stop: Callable[[], bool] = never


class CheckpointFile:
    """Saves when it is time to."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint, self._saved_at = checkpoint, time.monotonic()

    def read(self, device: str) -> dict[str, object] | None:
        """What was saved last, tensors on a device; none if there is no file as it was written."""
        path = self._checkpoint.path
        try:
            saved = io.BytesIO(unsealed(path))
            return dict(torch.load(saved, map_location=device, weights_only=True))
        except FileNotFoundError:
            return None
        except (OSError, Broken, UnpicklingError, RuntimeError) as error:
            log.warning("%s: damaged checkpoint: %s; the training begins anew", path, error)
            return None

    def offer(self, saved: Callable[[], Mapping[str, object]]) -> None:
        """Save if it is time to, or if the training is to stop.

        Raises
        ------
        Interrupted
            After saving, if the training is to stop.
        """
        stop = self._checkpoint.should_stop()
        if stop or time.monotonic() - self._saved_at > self._checkpoint.every_s:
            self.write(saved())
        if stop:
            raise Interrupted(f"the training was stopped; {self._checkpoint.path} is saved")

    def write(self, saved: Mapping[str, object]) -> None:
        """Replace the file."""
        with whole(self._checkpoint.path) as half:
            torch.save(dict(saved), half)
            seal(half)
        self._saved_at = time.monotonic()

    def remove(self) -> None:
        """Forget the training: it is done."""
        self._checkpoint.path.unlink(missing_ok=True)

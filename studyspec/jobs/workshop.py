"""What a task finds at its worker: a device, artifacts by key, and ears for its progress."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import JsonValue

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studyspec.images.patches import Patches
    from studyspec.images.pipeline import Saved
    from studyspec.jobs.kept import KeptPatch
    from studyspec.jobs.task import Key, PreparedImage
    from studyspec.learn.networks import Description, NetworkFile


class Workshop(Protocol):
    """Implemented by a worker over its results folder."""

    @property
    def device(self) -> str:
        """Where to compute: "cpu", "cuda:0", ..."""

    @property
    def renders(self) -> Path:
        """Folder of simulated images."""

    def patches(self, key: Key, source: PreparedImage, facts: Sequence[str] = ()) -> Patches:
        """The patches of a prepare task, made again where they are missing or broken.

        So are those that do not bear `facts`: an earlier version made them, which noted fewer.
        """

    def save_patches(self, key: Key, patches: Patches) -> Saved:
        """Keep patches under their key."""

    def network(self, file: NetworkFile) -> nn.Module:
        """A network, from memory if it was the last one."""

    def trained(self, key: Key) -> NetworkFile:
        """The weights that a train task left, as a network.

        Raises
        ------
        WeightsGone
            If none of them is as it was written.
        """

    def checkpoint(self, key: Key) -> Path:
        """Where an unfinished training is kept."""

    def save_weights(self, state: Mapping[str, Tensor], description: Description) -> str:
        """Keep weights, safe on disk before any record names them; their SHA-256."""

    def keep(self, key: Key, patches: list[KeptPatch]) -> None:
        """Keep a few predictions of an evaluation, to be looked at."""

    def tell(self, progress: Mapping[str, JsonValue]) -> None:
        """Say how far the task is."""

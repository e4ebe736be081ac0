"""The bench: what a task finds at its worker, over a results folder and one device.

Knows no queue, no leases and no records but those that name trained weights.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from studyspec.errors import FileError, RunError, WeightsGone
from studyspec.files import beside, sync
from studyspec.images.patches import Patches
from studyspec.images.pipeline import Saved, load, save
from studyspec.jobs.kept import KeptPatch
from studyspec.jobs.prepare import Prepare, made
from studyspec.jobs.stages import Job, task_of
from studyspec.jobs.task import Key, PreparedImage, Result
from studyspec.learn.networks import Description, NetworkFile
from studyspec.store.folder import Results
from studyspec.store.kept import save_kept
from studyspec.store.records import trained_weights, whole_weights

if TYPE_CHECKING:
    from torch import Tensor, nn

log = logging.getLogger(__name__)
OnProgress = Callable[[Mapping[str, JsonValue]], None]


class Bench:
    """Does jobs one after the other on one device, and keeps the last network at hand.

    `resumable` says whether the job under way keeps a checkpoint, so that it may be stopped where
    it tells its progress.
    """

    def __init__(self, results: Results, device: str) -> None:
        self._results, self._device = results, device
        self._tell: OnProgress = _nobody
        self._network: tuple[str, nn.Module] | None = None
        self.resumable = False

    def execute(self, job: Job, on_progress: OnProgress | None = None) -> Result:
        """Do one job.

        Raises
        ------
        FileError
            If an image is not here, or is no longer the one that was planned.
        OutOfMemory
            If the device has too little memory.
        PluginError
            If a plug-in is missing, or breaks its promise.
        RunError
            If weights that the job needs are gone.
        """
        self._tell, self.resumable = on_progress or _nobody, False
        return job.do(self)

    @property
    def device(self) -> str:
        """Where to compute."""
        return self._device

    @property
    def renders(self) -> Path:
        """Folder of simulated images."""
        return self._results.twins

    def patches(self, key: Key, source: PreparedImage, facts: Sequence[str] = ()) -> Patches:
        """The patches of a prepare task, made again where they are missing or broken.

        So are those that do not bear `facts`: an earlier version made them, which noted fewer.
        """
        folder = self._results.patches(key)
        try:
            found = load(folder)
            if found.facts.keys() >= set(facts):
                return found
        except FileError as error:
            if folder.exists():
                log.warning("%s; they are made again", error.text)
        shutil.rmtree(folder, ignore_errors=True)
        task = task_of(source.ingredients)
        assert isinstance(task, Prepare)
        if task.key != key:
            what = f"the sources of patches {key[:12]} are those of others"
            raise RunError(what, hint="run again: they are written anew")
        save(made(task, source.place, self)[0], folder)
        return load(folder)

    def save_patches(self, key: Key, patches: Patches) -> Saved:
        """Keep patches under their key."""
        return save(patches, self._results.patches(key))

    def network(self, file: NetworkFile) -> nn.Module:
        """A network, from memory if it was the last one."""
        from studyspec.learn.segmenters import load as load_network

        told = file.model_dump_json(exclude={"name", "pipeline", "preprocess"})
        if self._network is None or self._network[0] != told:
            self._network = (told, load_network(file))
        return self._network[1]

    def trained(self, key: Key) -> NetworkFile:
        """The weights that a train task left, as a network; raises WeightsGone if none is whole."""
        path = whole_weights(self._results, trained_weights(self._results, key))
        if path is not None:
            return NetworkFile(name=key[:12], sha256=path.stem, file=str(path))
        raise WeightsGone(
            f"the weights of network {key[:12]} are gone", hint="run again: they are trained anew"
        )

    def checkpoint(self, key: Key) -> Path:
        """Where an unfinished training is kept."""
        self.resumable = True
        return self._results.checkpoint(key)

    def save_weights(self, state: Mapping[str, Tensor], description: Description) -> str:
        """Keep weights under the hash of their file, safe on disk before any record names them."""
        from studyspec.learn.weights import save as save_weights

        half = beside(self._results.network("new"))
        sha = save_weights(state, half, description)  # its name is known only now
        path = self._results.network(sha)
        half.replace(path)
        sync(path.parent)
        return sha

    def keep(self, key: Key, patches: list[KeptPatch]) -> None:
        """Keep a few predictions of an evaluation, to be looked at."""
        save_kept(patches, self._results.prediction(key))

    def tell(self, progress: Mapping[str, JsonValue]) -> None:
        """Say how far the job is."""
        self._tell(progress)


def _nobody(_: Mapping[str, JsonValue]) -> None:
    """Tell nobody."""

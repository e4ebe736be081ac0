"""Kept predictions: the best, median and worst patch of an evaluation, small, for people to see.

They decide no score, and an evaluation without them is as good. `clean` leaves them: they come back
only with another evaluation.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from studyspec.files import whole
from studyspec.jobs.kept import KeptPatch
from studyspec.jobs.task import Key
from studyspec.seals import Broken, seal, unsealed
from studyspec.store.folder import Results

log = logging.getLogger(__name__)


class KeptPatches(Mapping[Key, Sequence[KeptPatch]]):
    """The patches that were kept of some evaluations; a file is opened when its key is asked for.

    Evaluations of which there is no file are left out.
    """

    def __init__(self, results: Results, evaluations: Iterable[Key]) -> None:
        paths = {key: results.prediction(key) for key in evaluations}
        self._paths = {key: path for key, path in paths.items() if path.exists()}

    def __getitem__(self, key: Key) -> Sequence[KeptPatch]:
        return load_kept(self._paths[key])

    def __iter__(self) -> Iterator[Key]:
        return iter(self._paths)

    def __len__(self) -> int:
        return len(self._paths)


def save_kept(patches: Sequence[KeptPatch], path: Path) -> None:
    """Write patches of one evaluation, sealed, whole or not at all."""
    with whole(path, durable=False) as half:
        np.savez_compressed(
            half,
            which=np.array([p.which for p in patches]),
            image_id=np.array([p.image_id for p in patches]),
            place=np.array([(p.row, p.col) for p in patches]),
            dice=np.array([p.dice for p in patches]),
            pixels=np.stack([p.pixels for p in patches]),
            label=np.stack([np.packbits(p.label, axis=1) for p in patches]),
            predicted=np.stack([np.packbits(p.predicted, axis=1) for p in patches]),
        )
        seal(half)


def load_kept(path: Path) -> list[KeptPatch]:
    """What `save_kept` wrote; nothing, if there is no such file or it is not as it was written.

    Those of earlier versions bear no digest but the checksums of their format, and are believed:
    they cannot be made again.
    """
    try:
        with np.load(io.BytesIO(unsealed(path, trusting=True))) as saved:
            return _patches(saved)
    except FileNotFoundError:
        return []
    except (OSError, ValueError, KeyError, IndexError, BadZipFile, Broken) as error:
        log.warning("%s: kept predictions cannot be read: %s; left out", path, error)
        return []


def _patches(saved: Mapping[str, np.ndarray]) -> list[KeptPatch]:
    width = saved["pixels"].shape[2]
    label, predicted = (
        np.unpackbits(saved[name], axis=2, count=width).astype(bool)
        for name in ("label", "predicted")
    )
    columns = (saved[name] for name in ("which", "image_id", "place", "dice", "pixels"))
    return [
        KeptPatch(str(which), str(image_id), int(row), int(col), float(dice), *planes)
        for which, image_id, (row, col), dice, *planes in zip(
            *columns, label, predicted, strict=True
        )
    ]

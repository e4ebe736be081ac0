"""What a store knows: every (network, image) with a score, and what each network was trained on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from studyspec.errors import StoreError
from studyspec.jobs.evaluate import Evaluate, Evaluated
from studyspec.jobs.prepare import Prepare
from studyspec.jobs.stages import task_of
from studyspec.jobs.train import Train
from studyspec.spec.uses import Pipeline
from studyspec.store.folder import Results
from studyspec.store.record_file import read_record
from studyspec.store.records import RecordIndex
from studyspec.store.snapshot import snapshot
from studyspec.trust.conditions import Conditions

FOREIGN = "weights:"
Places = tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Score:
    """The counts of one image under one network.

    Attributes
    ----------
    network, weights_sha256
        Key of the training, or "weights:" and a hash; hash of the weights.
    shared
        Whether the network was trained on other parts of this image.
    places
        Row and column of the patches that were scored.
    tp, fp, fn
        Pixels, pooled over them.
    """

    network: str
    weights_sha256: str
    shared: bool
    places: Places
    tp: int
    fp: int
    fn: int

    @property
    def dice(self) -> float:
        """2 TP / (2 TP + FP + FN)."""
        return 2 * self.tp / max(1, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True)
class KnownImage:
    """An image as prepared in one way, and all scores of it.

    `patches` is the key of its patches, `way` tells how they are prepared.
    """

    image_id: str
    patches: str
    way: str
    conditions: Conditions
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class Store:
    """What the records of a results folder know. Reads each record once."""

    results: Results
    _scores: dict[tuple[str, str], list[Score]] = field(default_factory=dict)
    _image_of: dict[str, str] = field(default_factory=dict)
    _trained: dict[str, str] = field(default_factory=dict)
    trainings: dict[str, Train] = field(default_factory=dict)
    pipelines: dict[str, Pipeline] = field(default_factory=dict)

    @classmethod
    def read(cls, results: Results) -> Store:
        """Read the records of all that is done.

        Raises
        ------
        NothingThere, StoreError
            If there are no results, or they are of an earlier version.
        """
        store = cls(results)
        for status in RecordIndex(results).statuses().values():
            if status.path is None:
                continue
            record = read_record(status.path)
            if record.ingredients is None or record.head.stage == "measure":
                continue
            match task_of(record.ingredients):
                case Evaluate() as task if task.split == "test":
                    store._add(task, record.parsed(Evaluated))
                case Train() as task:
                    store.trainings[task.key] = task
                    store._trained.update(dict.fromkeys(status.weights, task.key))
                case Prepare() as task:
                    store.pipelines[task.key] = task.pipeline
        return store

    def images(self) -> Iterator[KnownImage]:
        """All images that have scores, by patches."""
        for (patches, image_id), scores in sorted(self._scores.items()):
            way = repr(self.pipelines.get(patches))
            yield KnownImage(image_id, patches, way, self.conditions(patches), tuple(scores))

    def conditions(self, patches: str) -> Conditions:
        """The conditions of the image behind some patches, as far as they are known."""
        row = self._rows.get(self._image_of.get(patches, ""), {})
        return Conditions.of(row, _scale(self.pipelines.get(patches)))

    def members(self, network: str) -> tuple[str, ...]:
        """The keys of the patches that a network was trained on."""
        training = self.trainings.get(network)
        return () if training is None else tuple(k for m in training.members for k in m)

    def trained(self, network: str) -> tuple[Conditions, ...]:
        """The conditions that a network was trained on; () if unknown."""
        found = {self.conditions(key) for key in self.members(network)} - {Conditions()}
        return tuple(sorted(found, key=lambda one: one.text))

    def saw(self, network: str, image_id: str) -> bool:
        """Whether a network was trained on a part of an image."""
        return image_id in self._seen_by(network)

    def family(self, network: str) -> str:
        """What the folds of one network have in common; the network itself if it is of others."""
        training = self.trainings.get(network)
        if training is None:
            return network
        told = training.model_copy(update={"fold": 0, "seed": 0, "start": None})
        return hashlib.sha256(repr((told.ingredients, bool(training.start))).encode()).hexdigest()

    def training_of(self, weights_sha256: str) -> str | None:
        """The key of the training that some weights came of; None if they are of others."""
        return self._trained.get(weights_sha256)

    def weights_of(self, family: str) -> list[str]:
        """Hashes of the weights of all folds of a family."""
        return sorted(sha for sha, key in self._trained.items() if self.family(key) == family)

    @property
    def size(self) -> int:
        """How many scores there are."""
        return sum(map(len, self._scores.values()))

    def digest(self) -> str:
        """Of all scores: another one when the store has grown."""
        told = hashlib.sha256()
        for key, scores in sorted(self._scores.items()):
            told.update(repr((key, sorted(s.weights_sha256 for s in scores))).encode())
        return told.hexdigest()

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[str, object]]:
        with snapshot(self.results) as store:
            return {str(row["image_id"]): row for row in store.ask("from image").dicts()}

    @cached_property
    def _seen(self) -> dict[str, frozenset[str]]:
        return {}

    def _seen_by(self, network: str) -> frozenset[str]:
        if network not in self._seen:
            ids = (self._image_of.get(key, "") for key in self.members(network))
            self._seen[network] = frozenset(ids) - {""}
        return self._seen[network]

    def _add(self, task: Evaluate, found: Evaluated) -> None:
        if len(found.image_ids) != len(task.images):
            raise StoreError(f"evaluation {task.key[:12]} names other images than it has")
        columns = found.scores
        shared = {*task.shared, *(i for before in task.seen_before for i in before)}
        by_image: dict[int, list[int]] = {}
        for i, (image, orientation) in enumerate(
            zip(columns.image, columns.orientation, strict=True)
        ):
            if orientation == 0:
                by_image.setdefault(image, []).append(i)
        for image, at in by_image.items():
            patches, image_id = task.images[image], found.image_ids[image]
            self._image_of[patches] = image_id
            score = Score(
                task.network,
                found.weights_sha256,
                image in shared,
                tuple((columns.row[i], columns.col[i]) for i in at),
                *(sum(getattr(columns, name)[i] for i in at) for name in ("tp", "fp", "fn")),
            )
            known = self._scores.setdefault((patches, image_id), [])
            if not any(one.weights_sha256 == score.weights_sha256 for one in known):
                known.append(score)


def _scale(pipeline: Pipeline | None) -> float | None:
    """The pixel scale that a pipeline brings images to."""
    for step in pipeline.steps if pipeline is not None else ():
        if step.name == "resample":
            scale = step.settings.get("pixel_scale_nm")
            return float(scale) if isinstance(scale, int | float) else None
    return None

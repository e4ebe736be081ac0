"""Examples: a (network, image) with its dice and its predictors, made of what a store knows.

What was made is kept under the digest of all that decides it, so that a store that grew costs
what is new.
"""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from studyspec import files
from studyspec.errors import FileError
from studyspec.images.pipeline import load as load_patches
from studyspec.learn.networks import NetworkFile, describe
from studyspec.store.folder import Results
from studyspec.store.records import whole_weights
from studyspec.trust.conditions import Conditions, differences
from studyspec.trust.figures import (
    ImageFigures,
    Reference,
    agreement,
    answer_figures,
    consensus,
    image_figures,
)
from studyspec.trust.known import FOREIGN, KnownImage, Score, Store
from studyspec.trust.predictors import NAMES, Evidence, Real, values_of

if TYPE_CHECKING:
    from torch import nn

    from studyspec.images.patches import Patches
    from studyspec.learn.answers import Answer, Image

RECIPE = 1
"""Raised when examples of the same images and networks come out otherwise."""
IMAGES = 5
"""Images of each condition that are learnt from."""
REFERENCES = 20
"""Images of a training set that stand for it."""
FOLDS = 2
"""Folds of each network that are asked about one image."""
OTHERS = (1, 3, 9)
"""How many other networks an answer is compared with, by turns."""


@dataclass(frozen=True)
class Example:
    """A (network, image) whose dice is known.

    Attributes
    ----------
    network, family
        Hash of the weights; what all folds of a network share.
    image_id, condition
        The image, and how it was taken.
    dice
        Of the pixels that were scored, pooled.
    values
        The predictors, in the order of `PREDICTORS`; NaN where unknown.
    trained
        The conditions that the network was trained on; () where unknown.
    """

    network: str
    family: str
    image_id: str
    condition: Conditions
    dice: float
    values: Real
    trained: tuple[Conditions, ...] = ()


@dataclass(frozen=True)
class Gathered:
    """Examples, and what of the store could not be used: weights or patches that are gone."""

    examples: tuple[Example, ...]
    digest: str
    left_out: int


def gather(
    store: Store,
    images: int = IMAGES,
    device: str = "cpu",
    on_image: Callable[[int, int], None] = lambda done, total: None,
) -> Gathered:
    """Make examples of what a store knows: some images of each condition under every network.

    Parameters
    ----------
    store
        What its records know.
    images
        How many images of each condition.
    device
        Where networks compute.
    on_image
        Is told how many images are done, and of how many.
    """
    chosen = [_few_folds(store, image) for image in _chosen(store.images(), images)]
    bench = _Bench(store, device)
    examples: list[Example] = []
    left_out = 0
    for i, image in enumerate(chosen):
        made = bench.examples(image)
        examples += made
        left_out += len(image.scores) - len(made)
        on_image(i + 1, len(chosen))
    return Gathered(tuple(examples), store.digest(), left_out)


def _chosen(known: Iterator[KnownImage], images: int) -> list[KnownImage]:
    """Some images of each condition and way of preparing, by the hash of their names.

    The first of every condition come first, so that whoever stops early has something of all.
    """

    def group(image: KnownImage) -> tuple[str, str]:
        return image.conditions.text, image.way

    found = []
    for _, members in groupby(sorted(known, key=group), group):
        found += list(enumerate(sorted(members, key=lambda one: _hash(one.image_id))[:images]))
    return [image for _, image in sorted(found, key=lambda pair: pair[0])]


def _few_folds(store: Store, image: KnownImage) -> KnownImage:
    """The image with the scores of a few folds of each network."""

    def family(score: Score) -> str:
        return store.family(score.network)

    scores: list[Score] = []
    for _, folds in groupby(sorted(image.scores, key=family), family):
        scores += sorted(folds, key=lambda s: _hash(s.weights_sha256, image.patches))[:FOLDS]
    return replace(image, scores=tuple(scores))


@dataclass(frozen=True)
class _Answered:
    """A score with the answer for all patches of its image, and where its own stand."""

    score: Score
    family: str
    answer: Answer
    at: tuple[int, ...]

    def plain(self, at: Sequence[int]) -> list[Image]:
        return [self.answer.plain[i] for i in at]


@dataclass
class _Bench:
    store: Store
    device: str
    _networks: dict[str, nn.Module | None] = field(default_factory=dict)
    _references: dict[str, Reference | None] = field(default_factory=dict)
    _figures: dict[str, ImageFigures | None] = field(default_factory=dict)

    @property
    def results(self) -> Results:
        return self.store.results

    def examples(self, image: KnownImage) -> list[Example]:
        """The examples of one image, made or remembered."""
        kept = self._kept_at(image)
        values = _remembered(kept)
        if values is None:
            values = self._made(image)
            if values:
                files.write(kept, json.dumps(values), durable=False)
        return [
            Example(s.weights_sha256, self.store.family(s.network), image.image_id,
                    image.conditions, s.dice, _numbers(values[s.weights_sha256]),
                    self.store.trained(s.network))
            for s in image.scores if s.weights_sha256 in values
        ]  # fmt: skip

    def _made(self, image: KnownImage) -> dict[str, list[float | None]]:
        """The predictors of every network that scored an image, by its hash."""
        try:
            patches = load_patches(self.results.patches(image.patches))
        except FileError:
            return {}
        answered = [one for s in image.scores if (one := self._answered(s, patches)) is not None]
        return {one.score.weights_sha256: self._values(one, answered, image, patches)
                for one in answered}  # fmt: skip

    def _answered(self, score: Score, patches: Patches) -> _Answered | None:
        from studyspec.learn.answers import answer

        network = self._network(score)
        if network is None:
            return None
        where = {place: i for i, place in enumerate(zip(patches.rows, patches.cols, strict=True))}
        at = tuple(where[place] for place in score.places if place in where)
        pixels = [np.array(patch) for patch in patches.images]
        found = answer(network, pixels, patches.images.shape[-1], self.device)
        return _Answered(score, self.store.family(score.network), found, at)

    def _values(
        self, one: _Answered, all_: Sequence[_Answered], image: KnownImage, patches: Patches
    ) -> list[float | None]:
        score, at = one.score, one.at
        trained = self.store.trained(score.network)
        reference = self._reference(score.network)
        strange = None
        if reference is not None:
            strange = reference.strangeness(image_figures([patches.images[i] for i in at]))
        evidence = Evidence(
            differences(trained, image.conditions),
            strange,
            one.answer.shift,
            answer_figures(one.plain(at), [one.answer.turned[i] for i in at]),
            agreement(one.plain(at), [o.plain(at) for o in self._folds(one, all_)]),
            consensus(one.plain(at), [o.plain(at) for o in self._others(one, all_, image)]),
        )
        return [None if np.isnan(v) else float(f"{v:.5g}") for v in values_of(evidence)]

    def _folds(self, one: _Answered, all_: Sequence[_Answered]) -> list[_Answered]:
        """The other folds; none if they were trained on what is judged."""
        if one.score.shared:
            return []
        mine = one.score.weights_sha256
        return [o for o in all_ if o.family == one.family and o.score.weights_sha256 != mine]

    def _others(
        self, one: _Answered, all_: Sequence[_Answered], image: KnownImage
    ) -> list[_Answered]:
        """Some networks of other families that saw nothing of the image."""
        unlike = [
            o for o in all_
            if o.family != one.family and not self.store.saw(o.score.network, image.image_id)
        ]  # fmt: skip
        drawn = random.Random(_hash(one.score.weights_sha256, image.patches))
        return drawn.sample(unlike, min(drawn.choice(OTHERS), len(unlike)))

    def _network(self, score: Score) -> nn.Module | None:
        from studyspec.learn.segmenters import load

        sha = score.weights_sha256
        if sha not in self._networks:
            path = whole_weights(self.results, [sha])
            self._networks[sha] = None
            if path is not None:
                file = NetworkFile(
                    name=sha[:12], sha256=sha, file=str(path), model=describe(path).model
                )
                self._networks[sha] = load(file, fold=False)
        return self._networks[sha]

    def _reference(self, network: str) -> Reference | None:
        family = self.store.family(network)
        if network.startswith(FOREIGN):
            return None
        if family not in self._references:
            found = [self._figures_of(key) for key in some(self.store.members(network))]
            self._references[family] = Reference.of([one for one in found if one is not None])
        return self._references[family]

    def _figures_of(self, patches: str) -> ImageFigures | None:
        if patches not in self._figures:
            try:
                images = load_patches(self.results.patches(patches)).images
            except FileError:
                images = np.empty((0, 1, 1), np.float32)
            self._figures[patches] = image_figures(list(images)) if len(images) else None
        return self._figures[patches]

    def _kept_at(self, image: KnownImage) -> Path:
        told = (RECIPE, NAMES, image.patches, sorted(s.weights_sha256 for s in image.scores))
        return self.results.artifacts / "trust" / f"{_hash(repr(told))}.json"


def some(members: Sequence[str]) -> list[str]:
    """The images of a training set that stand for it."""
    return sorted(members, key=_hash)[:REFERENCES]


def _remembered(path: Path) -> dict[str, list[float | None]] | None:
    try:
        values: dict[str, list[float | None]] = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    return values if all(len(row) == len(NAMES) for row in values.values()) else None


def _numbers(row: Sequence[float | None]) -> Real:
    return np.array([np.nan if value is None else value for value in row])


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()

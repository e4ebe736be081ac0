"""Subjects: the networks that are asked about, and what is known of what they were trained on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.errors import FileError, LearnError
from studyspec.images.pipeline import load as load_patches
from studyspec.learn.networks import NetworkFile, identify
from studyspec.spec.foreign import ForeignNetwork
from studyspec.store.records import whole_weights
from studyspec.trust.conditions import Conditions
from studyspec.trust.examples import some
from studyspec.trust.figures import Reference, image_figures
from studyspec.trust.known import Store

if TYPE_CHECKING:
    from torch import nn

SCALE = "pixel_scale_nm"
FOLD = re.compile(r"_fold\d+(_seed\d+)?")


@dataclass(frozen=True)
class Subject:
    """A network that is asked about.

    Attributes
    ----------
    file
        Where it is, and how it wants its images.
    family
        What its folds have in common.
    trained
        The conditions that it was trained on; () where nothing is known.
    reference
        Figures of its training images, if a store has them.
    asked
        Whether the user named it; else it is another fold of one that was named.
    """

    file: NetworkFile
    family: str
    trained: tuple[Conditions, ...] = ()
    reference: Reference | None = None
    asked: bool = True

    @property
    def name(self) -> str:
        """For people."""
        return self.file.name

    @property
    def tile_px(self) -> int:
        """Edge of the tiles that it is shown [px]."""
        from studyspec.learn.prediction import TILE_PX

        return TILE_PX if self.file.pipeline is None else self.file.pipeline.patch.size

    @property
    def multiple_px(self) -> int:
        """What an image's edges are taken up to a multiple of [px]."""
        from studyspec.learn.building import shrinkage
        from studyspec.learn.prediction import MULTIPLE_PX

        return MULTIPLE_PX if self.file.model is None else shrinkage(self.file.model)

    @cached_property
    def network(self) -> nn.Module:
        """The network itself, its batch norms in it."""
        from studyspec.learn.segmenters import load

        return load(self.file, fold=False)


def subjects(files: Sequence[NetworkFile], store: Store | None) -> list[Subject]:
    """The networks of some files, and the other folds of those that a store knows.

    Raises
    ------
    LearnError
        If one wants what no image file tells.
    """
    found = [_subject(file, store) for file in files]
    there = {one.file.sha256 for one in found}
    folds = [fold for one in found for fold in _folds(one, store) if fold.file.sha256 not in there]
    return found + list({fold.file.sha256: fold for fold in folds}.values())


def _subject(file: NetworkFile, store: Store | None) -> Subject:
    columns = () if file.pipeline is None else file.pipeline.columns
    if needed := [name for name in columns if name != SCALE]:
        raise LearnError(
            f"its images are prepared by their {needed[0]}, which no image file tells",
            where=file.name,
            hint="test it in a study instead, whose catalog tells it",
        )
    training = None if store is None else store.training_of(file.sha256)
    if store is None or training is None:
        return Subject(file, FOLD.sub("", file.name), _told(file))
    found = store.trained(training) or _told(file)
    return Subject(file, store.family(training), found, _reference(store, training))


def _folds(one: Subject, store: Store | None) -> list[Subject]:
    if store is None:
        return []
    found = []
    for sha in store.weights_of(one.family):
        path = whole_weights(store.results, [sha])
        if path is not None and sha != one.file.sha256:
            wanted = ForeignNetwork(weights=str(path.absolute()))
            file = identify(sha[:12], wanted, Path("/"))
            found.append(replace(one, file=file, asked=False))
    return found


def _reference(store: Store, training: str) -> Reference | None:
    """Figures of the images that a network was trained on, as far as their patches are here."""
    found = []
    for key in some(store.members(training)):
        try:
            images = load_patches(store.results.patches(key)).images
        except FileError:
            continue
        if len(images):
            found.append(image_figures(list(images)))
    return Reference.of(found)


def _told(file: NetworkFile) -> tuple[Conditions, ...]:
    """What a file or its name says of the training set: a condition for each pixel scale."""
    told = file.conditions

    def only(values: Sequence[float]) -> float | None:
        return values[0] if len(values) == 1 else None

    if not told.words:
        return ()
    return tuple(
        Conditions(
            material=material,
            pixel_scale_nm=scale,
            dose_e_per_A2=only(told.dose_e_per_A2),
            diameter_nm=only(told.diameter_nm),
        )
        for scale in told.pixel_scale_nm or (None,)
        for material in told.material or (None,)
    )

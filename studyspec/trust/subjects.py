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
from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from studyspec.store.records import whole_weights
from studyspec.trust.conditions import Conditions
from studyspec.trust.figures import Reference, image_figures
from studyspec.trust.known import Store

if TYPE_CHECKING:
    from torch import nn

SCALE = "pixel_scale_nm"
RELEASED = re.compile(
    r"UNet_(?P<diameter>[0-9p]+)nm(?P<material>[A-Z][A-Za-z]*?)(?P<kx>\d+)kX(?P<dose>\d+)e"
)
"""Names of the networks that Sytwu et al. (2023) released."""
SCALES_NM = {330: 0.02, 260: 0.026, 205: 0.033, 160: 0.042}
"""Pixel scale of the published images at each magnification [kX]."""
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
    def pipeline(self) -> Pipeline:
        """How it wants its images, brought to the pixel scale that it was trained at."""
        own = self.file.pipeline or Pipeline.of(PreprocessSettings())
        if self.pixel_scale_nm is None or any(step.name == "resample" for step in own.steps):
            return own
        return own.changed({"resample": {SCALE: self.pixel_scale_nm}})

    @property
    def pixel_scale_nm(self) -> float | None:
        """The one pixel scale that it was trained at; None if unknown, or if there are several."""
        scales = {one.pixel_scale_nm for one in self.trained}
        (only,) = scales if len(scales) == 1 else (None,)
        return only

    @property
    def tile_px(self) -> int:
        """Edge of the tiles that it is shown [px]."""
        return TILE_PX if self.file.pipeline is None else self.file.pipeline.patch.size

    @property
    def multiple_px(self) -> int:
        """What an image's edges are taken up to a multiple of [px]."""
        from studyspec.learn.building import shrinkage

        return MULTIPLE_PX if self.file.model is None else shrinkage(self.file.model)

    @cached_property
    def network(self) -> nn.Module:
        """The network itself, its batch norms in it."""
        from studyspec.learn.segmenters import load

        return load(self.file, fold=False)


def subjects(paths: Sequence[Path], store: Store | None) -> list[Subject]:
    """The networks of some files, and the other folds of those that a store knows.

    Raises
    ------
    LearnError
        If one cannot be read, or wants what no image file tells.
    """
    found = [_subject(path, store) for path in paths]
    there = {one.file.sha256 for one in found}
    folds = [fold for one in found for fold in _folds(one, store) if fold.file.sha256 not in there]
    return found + list({fold.file.sha256: fold for fold in folds}.values())


def _subject(path: Path, store: Store | None) -> Subject:
    file = identify(path.stem, ForeignNetwork(weights=str(path.absolute())), Path("/"))
    pipeline = file.pipeline or Pipeline.of(PreprocessSettings())
    if needed := [name for name in pipeline.columns if name != SCALE]:
        raise LearnError(
            f"its images are prepared by their {needed[0]}, which no image file tells",
            where=str(path),
            hint="test it in a study instead, whose catalog tells it",
        )
    training = None if store is None else store.training_of(file.sha256)
    if store is None or training is None:
        trained = told_by_name(path.stem)
        return Subject(file, FOLD.sub("", path.stem), (trained,) if trained else ())
    found = store.trained(training)
    return Subject(file, store.family(training), found, _reference(store, training))


def _folds(one: Subject, store: Store | None) -> list[Subject]:
    if store is None:
        return []
    found = []
    for sha in store.weights_of(one.family):
        path = whole_weights(store.results, [sha])
        if path is not None and sha != one.file.sha256:
            fold = _subject(path, store)
            found.append(replace(fold, reference=one.reference, asked=False))
    return found


def _reference(store: Store, training: str) -> Reference | None:
    """Figures of the images that a network was trained on, as far as their patches are here."""
    found = []
    for key in store.members(training):
        try:
            images = load_patches(store.results.patches(key)).images
        except FileError:
            continue
        if len(images):
            found.append(image_figures(list(images)))
    return Reference.of(found)


def told_by_name(stem: str) -> Conditions | None:
    """What the name of a released network says of its training set; None of another name."""
    told = RELEASED.match(stem)
    if told is None:
        return None
    return Conditions(
        material=told["material"],
        diameter_nm=float(told["diameter"].replace("p", ".")),
        dose_e_per_A2=float(told["dose"]),
        pixel_scale_nm=SCALES_NM.get(int(told["kx"])),
        voltage_kv=300.0,
    )

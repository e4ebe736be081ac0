"""Measure: statistics of the prepared patches of an image, with noise of several strengths."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from studyspec.jobs.task import Inputs, Key, Result, Sources, Task
from studyspec.spec.uses import Written

if TYPE_CHECKING:
    from studyspec.jobs.workshop import Workshop


class MeasureInputs(Inputs):
    """The image's name, and how its patches come to be."""

    image_id: str
    sources: Sources


class MeasuredRow(Written):
    """Statistics at one strength of noise; see `images.statistics` for their units."""

    rho: float
    patches: int
    contrast: float | None = None
    film_sd: float | None = None
    particle_sd: float | None = None
    skewness: float | None = None
    kurtosis: float | None = None
    roughness: float | None = None
    power: tuple[float, ...] = ()
    low: float
    width: float
    particle: tuple[int, ...] = ()
    background: tuple[int, ...] = ()


class Measured(Result):
    """A row for each strength of noise; none for an image without patches."""

    image_id: str
    rows: tuple[MeasuredRow, ...] = ()


class Measure(Task[MeasureInputs, Measured]):
    """The statistics of one prepared image; `image` is the key of its prepare task."""

    stage: ClassVar[str] = "measure"
    recipe: ClassVar[int] = 2
    inputs: ClassVar[type[Inputs]] = MeasureInputs
    result: ClassVar[type[Result]] = Measured

    image: Key
    rho: tuple[float, ...] = (0.0,)

    def do(self, inputs: MeasureInputs, workshop: Workshop) -> Measured:
        """Measure the patches; the noise depends on the prepared image and the strength alone."""
        import numpy as np

        from studyspec.images.variability import measured
        from studyspec.spec.identity import digest
        from studyspec.spec.uses import Pipeline

        source = inputs.sources[self.image]
        pipeline = Pipeline.model_validate(source.ingredients["pipeline"])
        patches = workshop.patches(self.image, source)
        rows = []
        for rho in self.rho if len(patches.rows) else ():
            rng = np.random.default_rng(int(digest([self.image, rho])[:16], 16))
            told = measured(np.asarray(patches.images), patches.labels, rho, pipeline, rng)
            rows.append(MeasuredRow.model_validate(told))
        return Measured(image_id=inputs.image_id, rows=tuple(rows))

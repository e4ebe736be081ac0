"""Twin images as a study prepares them, and the columns of their rows."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from studyspec.images.pipeline import preprocess
from studyspec.plugins.values import Mask, WorkingImage
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from studyspec.twin.knobs import Knobs
from studyspec.twin.simulation import simulate
from tests.twin.scenes import CONDITIONS

ONEVIEW, K3, CCD = "Gatan OneView", "Gatan K3", "CCD"


@cache
def prepared(
    camera: str, dose_e_per_A2: float, pixel_scale_nm: float = 0.02, edge: int = 512
) -> tuple[WorkingImage, Mask]:
    """An image and its exact label; the specimen is the same at every dose, in every camera."""
    knobs = Knobs(camera=None if camera == ONEVIEW else camera)
    wanted = replace(
        CONDITIONS, width_px=edge, height_px=edge, session="2022-06-15", knobs=knobs,
        dose_e_per_A2=dose_e_per_A2, pixel_scale_nm=pixel_scale_nm,
    )  # fmt: skip
    made = simulate(wanted)
    image = WorkingImage(made.pixels, frame=made.frame)
    return preprocess(image, Pipeline.of(PreprocessSettings())), made.exact

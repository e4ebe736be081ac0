"""Applied networks: one network on any image file, at the scale that the network was trained at.

The one way from an image without a study to probabilities. Knows files; no catalog, no store.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from torch import nn

from studyspec.errors import LearnError
from studyspec.images.pipeline import preprocess
from studyspec.images.steps.resample import to_shape
from studyspec.learn.building import shrinkage
from studyspec.learn.networks import NetworkFile, identify
from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX, probability
from studyspec.learn.segmenters import load
from studyspec.plugins.values import Image, RawImage, WorkingImage
from studyspec.spec.foreign import ForeignNetwork

SCALE = "pixel_scale_nm"


@dataclass(frozen=True)
class Applied:
    """A network, ready for images; `tile_px` is the edge of its tiles, a multiple of the other."""

    file: NetworkFile
    network: nn.Module
    tile_px: int
    multiple_px: int

    @classmethod
    def of(cls, network: NetworkFile | Path) -> Self:
        """Load a network, or that of a file.

        Raises
        ------
        LearnError, PluginError
            If it cannot be loaded, or asks of an image what no file tells.
        """
        file = network if isinstance(network, NetworkFile) else _of_path(network)
        pipeline = file.pipeline
        needed = [] if pipeline is None else [name for name in pipeline.columns if name != SCALE]
        if needed:
            raise LearnError(
                f"its images are prepared by their {needed[0]}, which no image file tells",
                where=str(file.file or file.name),
                hint="test it in a study instead, whose catalog tells it",
            )
        tile = TILE_PX if pipeline is None else pipeline.patch.size
        multiple = MULTIPLE_PX if file.model is None else shrinkage(file.model)
        return cls(file, load(file), tile, multiple)

    def prepared(
        self, raw: RawImage, pixel_scale_nm: float | None = None, where: str = ""
    ) -> WorkingImage:
        """An image as the network's training images were prepared; resampled to their scale.

        Parameters
        ----------
        raw
            Pixels (H, W), which stay as they are, and the scale that its header gives.
        pixel_scale_nm
            Edge of a pixel [nm]; default: that of the header.
        where
            The image in words, for errors.

        Raises
        ------
        ScaleUnknown
            If the network's scale is known, and that of the image is not.
        FileError
            If a step of the preparation cannot be done.
        """
        scale = pixel_scale_nm or raw.pixel_scale_nm
        height, width = raw.pixels.shape
        pipeline = self.file.prepared_at((height, width), scale, where)
        image = WorkingImage(raw.pixels.copy(), pixel_scale_nm=scale, columns={SCALE: scale})
        return preprocess(image, pipeline)

    def probability(
        self,
        raw: RawImage,
        device: str = "cpu",
        pixel_scale_nm: float | None = None,
        where: str = "",
    ) -> Image:
        """The particle probability of each pixel of an image, (H, W) as it came; raises as above.

        Also raises LearnError if the image is too small at the network's scale.
        """
        pixels = self.prepared(raw, pixel_scale_nm, where).pixels
        found = probability(self.network, pixels, self.tile_px, device, self.multiple_px)
        return found if found.shape == raw.pixels.shape else to_shape(found, raw.pixels.shape)


def _of_path(path: Path) -> NetworkFile:
    return identify(path.stem, ForeignNetwork(weights=str(path.absolute())), Path("/"))

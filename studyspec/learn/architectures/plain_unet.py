"""The U-Net of Ronneberger, Fischer and Brox (2015), without residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from studyspec.learn.architectures.residual_unet import Norm
from studyspec.plugins.contracts import Architecture
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class PlainUNetSettings(Settings):
    """The plain U-Net: two 3x3 convolutions a level, transposed convolutions on the way up."""

    first_filters: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="Filters of the first level; every level doubles them (published: 64)."
    )
    levels: Annotated[int, Field(ge=1, le=6)] = Field(
        4,
        description="How often the image is halved on the way to the bottleneck; "
        "preprocess.patch.size must be a multiple of 2 to this power.",
    )
    norm: Norm = Field(
        "batch", description="What follows each convolution of a block (group: of 8 groups)."
    )


class PlainUNetPlugin(Architecture[PlainUNetSettings]):
    """`model.name = "plain_unet"`.

    References
    ----------
    O. Ronneberger, P. Fischer, T. Brox, "U-Net: convolutional networks for biomedical image
    segmentation", MICCAI 2015. Here the convolutions are padded, so that masks are as large as
    images, and followed by a norm.
    """

    name = "plain_unet"
    settings = PlainUNetSettings
    channels_last = True

    def describe(self, settings: PlainUNetSettings) -> str:
        """Filters and levels, and the norm where it is not batch norm."""
        said = (
            f"plain U-Net, {settings.levels} levels, first level {settings.first_filters} filters"
        )
        return said if settings.norm == "batch" else f"{said}, {settings.norm} norm"

    def build(self, settings: PlainUNetSettings) -> nn.Module:
        """He-normal (fan-in) weights in the blocks, the rest as torch makes it."""
        from studyspec.learn.unet import PlainUNet

        return PlainUNet(settings)

    def shrinkage(self, settings: PlainUNetSettings) -> int:
        """The bottleneck sees images this many times smaller."""
        return int(2**settings.levels)


PLAIN_UNET = PlainUNetPlugin()

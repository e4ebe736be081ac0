"""The residual U-Net of Sytwu et al. (2023)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field

from studyspec.plugins.contracts import Architecture
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import nn

LEVELS = 5
KernelSize = Literal[3, 5, 7]
Dilation = Literal[1, 2, 3]
Norm = Literal["batch", "instance", "group"]


class ResidualUNetSettings(Settings):
    """The residual U-Net: four levels and a bottleneck."""

    first_filters: Annotated[int, Field(ge=1, le=64)] = Field(
        4, description="Filters of the first level; every level doubles them."
    )
    kernel_sizes: tuple[KernelSize, ...] = Field(
        (3,) * 10,
        strict=False,
        min_length=10,
        max_length=10,
        description="Kernel of both convolutions of levels 1 to 5; the decoder takes its level's.",
    )
    dilations: tuple[Dilation, ...] = Field(
        (1,) * 5,
        strict=False,
        min_length=5,
        max_length=5,
        description="Dilation of levels 1 to 5; the decoder takes its level's.",
    )
    norm: Norm = Field(
        "batch", description="What follows each convolution of a block (group: of 8 groups)."
    )


class ResidualUNetPlugin(Architecture[ResidualUNetSettings]):
    """`model.name = "residual_unet"`."""

    name = "residual_unet"
    settings = ResidualUNetSettings
    channels_last = True

    def describe(self, settings: ResidualUNetSettings) -> str:
        """Filters, and kernels and dilations where they are not the published ones."""
        said = f"residual U-Net, first level {settings.first_filters} filters"
        if set(settings.kernel_sizes) != {3}:
            said += f", kernels {' '.join(map(str, settings.kernel_sizes))}"
        if set(settings.dilations) != {1}:
            said += f", dilations {' '.join(map(str, settings.dilations))}"
        if settings.norm != "batch":
            said += f", {settings.norm} norm"
        return said

    def build(self, settings: ResidualUNetSettings) -> nn.Module:
        """He-normal (fan-in) weights in the blocks, the rest as torch makes it."""
        from studyspec.learn.unet import ResidualUNet

        return ResidualUNet(settings)

    def shrinkage(self, settings: ResidualUNetSettings) -> int:
        """The bottleneck sees images 16 times smaller."""
        return int(2 ** (LEVELS - 1))


RESIDUAL_UNET = ResidualUNetPlugin()

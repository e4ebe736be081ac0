"""The networks of MONAI (Cardoso et al. 2022, arXiv:2211.02701), by the names of their classes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import Field, JsonValue

from studyspec.plugins.contracts import Architecture
from studyspec.spec.choices import Chosen

if TYPE_CHECKING:
    from torch import nn

LEAST_PX = 16


class MonaiSettings(Chosen):
    """A network of MONAI for 2D segmentation, as "monai:DynUNet"; needs `studyspec[monai]`."""

    arguments: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="What its class takes (monai.networks.nets); spatial_dims = 2, in_channels = 1 "
        "and out_channels = 2 are filled in.",
        examples=[{"channels": [16, 32, 64], "strides": [2, 2]}],
    )

    @property
    def class_name(self) -> str:
        """The name of the class."""
        return self.name.partition(":")[2]


class Monai(Architecture[MonaiSettings]):
    """`model.name = "monai:CLASS"`."""

    name = "monai"
    settings = MonaiSettings
    family = True

    def describe(self, settings: MonaiSettings) -> str:
        """Its class and arguments."""
        said = ", ".join(f"{key} = {value}" for key, value in settings.arguments.items())
        return f"{settings.class_name} of MONAI" + (f" ({said})" if said else "")

    def build(self, settings: MonaiSettings) -> nn.Module:
        """As MONAI makes it."""
        from studyspec.learn.monai_network import made

        return made(settings.class_name, settings.arguments)

    def shrinkage(self, settings: MonaiSettings) -> int:
        """The product of its strides, as far as its arguments tell them, and a multiple of 16."""
        strides, blocks = settings.arguments.get("strides"), settings.arguments.get("blocks_down")
        if isinstance(strides, list):
            return math.lcm(LEAST_PX, math.prod(_stride(each) for each in strides))
        if isinstance(blocks, list):
            return math.lcm(LEAST_PX, 2 ** (len(blocks) - 1))
        return LEAST_PX


def _stride(value: JsonValue) -> int:
    """A stride, which may be given for each axis; 1 where it is none, which MONAI will tell."""
    axes = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
    return math.lcm(*(each for each in axes if isinstance(each, int) and each > 0))


MONAI = Monai()

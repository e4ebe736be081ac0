"""A few convolutions: the smallest network that learns anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from studyspec.plugins.contracts import Architecture
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import nn


class TinySettings(Settings):
    """Three convolutions."""

    filters: int = Field(4, ge=1, description="Filters of the two inner layers.")


class Tiny(Architecture[TinySettings]):
    """`model.name = "tiny"`."""

    name = "tiny"
    settings = TinySettings

    def describe(self, settings: TinySettings) -> str:
        """Its width."""
        return f"three convolutions of {settings.filters} filters"

    def shrinkage(self, settings: TinySettings) -> int:
        """Any size will do."""
        return 1

    def build(self, settings: TinySettings) -> nn.Module:
        """Images (B, 1, H, W) to logits (B, 2, H, W)."""
        from torch import nn

        n = settings.filters
        return nn.Sequential(
            nn.Conv2d(1, n, 5, padding=2),
            nn.BatchNorm2d(n),
            nn.ReLU(),
            nn.Conv2d(n, n, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(n, 2, 1),
        )


TINY = Tiny()

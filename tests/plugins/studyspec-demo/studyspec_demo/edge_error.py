"""A metric over pixels: mistakes at the edges of particles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from studyspec.plugins.contracts import PixelMetric
from studyspec.plugins.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor


class EdgeErrorSettings(Settings):
    """Share of wrong pixels near edges of the label."""

    reach_px: int = Field(1, ge=1, description="How far from an edge a pixel may lie [px].")


class EdgeError(PixelMetric[EdgeErrorSettings]):
    """The metric that `[evaluation.edge_error]` asks for."""

    name = "edge_error"
    settings = EdgeErrorSettings
    label = "Edge error"
    meaning = "Share of wrong pixels among those near edges of the label."
    better: Literal["higher", "lower"] = "lower"
    sums = ("edge_error_wrong", "edge_error_all")
    formula = "edge_error_wrong / nullif(edge_error_all, 0)"

    def describe(self, settings: EdgeErrorSettings) -> str:
        """The reach."""
        return f"wrong pixels within {settings.reach_px} px of edges"

    def count(
        self, probability: Tensor, label: Tensor, settings: EdgeErrorSettings
    ) -> Mapping[str, Tensor]:
        """Wrong pixels and all pixels near edges, of each patch."""
        from torch.nn.functional import max_pool2d

        y, size = label.float()[:, None], 2 * settings.reach_px + 1
        grown = max_pool2d(y, size, 1, settings.reach_px)
        shrunk = 1 - max_pool2d(1 - y, size, 1, settings.reach_px)
        edge = (grown - shrunk)[:, 0] > 0
        wrong = (probability > 0.5) != label
        return {
            "edge_error_wrong": (wrong & edge).sum(dim=(1, 2)),
            "edge_error_all": edge.sum(dim=(1, 2)),
        }


EDGE_ERROR = EdgeError()

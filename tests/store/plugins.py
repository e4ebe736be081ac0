"""Metrics of others, as if their package were installed."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from torch import Tensor

from studyspec.plugins.contracts import CountMetric, Metric, PixelMetric
from studyspec.plugins.registry import METRICS, Found, Provider
from studyspec.plugins.settings import Empty

EXTRAS = Provider("extras", "1.2")


class Rim(PixelMetric[Empty]):
    """The share of a rim's pixels that is found."""

    name = "rim"
    label = "Rim"
    meaning = "Found pixels of the rim."
    better = "higher"
    settings = Empty
    sums = ("rim_hits", "rim_size")
    patch_sums: Mapping[str, str] = {"rim_shares": "rim_hits / nullif(rim_size, 0)"}
    formula = "rim_hits / nullif(rim_size, 0)"

    def describe(self, settings: Empty) -> str:
        """In words."""
        return "the rim"

    def count(self, probability: Tensor, label: Tensor, settings: Empty) -> Mapping[str, Tensor]:
        """Nothing: the tests of the store make up their counts."""
        raise NotImplementedError


def jaccard(formula: str = "tp / nullif(tp + fp + fn, 0)", name: str = "jaccard") -> CountMetric:
    """A metric over counts."""
    return CountMetric(name, "Jaccard", "As published.", "higher", formula)


def install(monkeypatch: pytest.MonkeyPatch, *metrics: Metric) -> None:
    """Have metrics of others beside ours."""
    ours = {name: METRICS.find(name) for name in METRICS.names}
    more = {one.name: Found(one, EXTRAS, "extras.metrics:ONE") for one in metrics}
    monkeypatch.setitem(METRICS.__dict__, "_loaded", ({**ours, **more}, ()))

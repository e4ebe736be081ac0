"""Claims: predictions written before a run, judged in the report. Knows no result.

A prediction compares two numbers, `left` and `right`, or says that the cells of `left` follow a
trend. A claim is one prediction, or several that must all hold.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator
from pydantic.config import JsonDict

from studyspec.plugins.registry import METRICS
from studyspec.plugins.settings import Settings, fault
from studyspec.spec.derived import DERIVED, quantity
from studyspec.spec.names import OTHERS, OWN, SetName
from studyspec.spec.sections import Split
from studyspec.spec.wording import listed, nearest


def _known_metric(name: str) -> str:
    names = (*METRICS.names, *(derived.name for derived in DERIVED))
    if name not in names:
        raise fault(f"no metric '{name}'; {nearest(name, names)}")
    return name


Metric = Annotated[str, AfterValidator(_known_metric)]
SetNames = SetName | Annotated[tuple[SetName, ...], Field(min_length=1, strict=False)]
Texts = str | Annotated[tuple[str, ...], Field(min_length=1, strict=False)]


def best_by() -> tuple[str, ...]:
    """The metrics whose best point of a sweep can be told: those that should be high."""
    return tuple(metric.name for metric in METRICS if metric.better == "higher")


def bounds_of(name: str) -> tuple[float, float]:
    """The lowest and the highest score of a metric or derived quantity; infinite if not known."""
    return quantity(name).bounds or (-math.inf, math.inf)


def _metric_names(schema: JsonDict) -> None:
    """The names that an editor offers."""
    schema["enum"] = [*METRICS.names, *(derived.name for derived in DERIVED)]


class Selector(Settings):
    """One number of the results: a metric, averaged over all cells that the names choose."""

    train: SetNames = Field(
        description="Training sets; the cells of several are averaged.",
        examples=["Ag", ["Au", "Ag"]],
    )
    test: SetNames = Field(
        description="Test sets; 'own': each training set's own, 'others': all but its own.",
        examples=["Au", ["Au", "Ag"], "own", "others"],
    )
    variant: Texts = Field(
        "base",
        description="Variants; the name of a swept one means all its points.",
        examples=["noisy", "noisy[augment.noise.rho=0.25]"],
    )
    split: Split = Field("test", description="Which part was scored.")
    metric: Metric = Field(
        "dice",
        description="Which score: a metric, or "
        + "; ".join(f"{d.name}: {d.meaning[0].lower()}{d.meaning[1:-1]}" for d in DERIVED)
        + ".",
        json_schema_extra=_metric_names,
    )
    best_over: str | None = Field(
        None,
        description="A swept setting: the point with the best score is taken, each score from "
        "the point that is best on other micrographs and folds.",
        examples=["augment.noise.rho"],
    )
    take: Literal["score", "setting"] = Field(
        "score",
        description="With best_over. score: the best score; setting: the value that reaches it.",
    )

    @model_validator(mode="after")
    def words_stand_alone(self) -> Self:
        """Refuse 'own' among names, and the best setting of no sweep or by no score of overlap."""
        if not isinstance(self.test, str) and {OWN, OTHERS} & set(self.test):
            raise fault("'own' and 'others' stand alone, not in a list", at="test")
        if self.take == "setting" and self.best_over is None:
            raise fault("take = 'setting' needs best_over", at="take")
        if self.take == "setting" and self.metric not in (names := best_by()):
            raise fault(f"the best setting is that of {listed(names)}", at="metric")
        if self.best_over is not None and quantity(self.metric).better == "zero":
            what = f"{self.metric} is best near zero: best_over cannot choose by it"
            raise fault(what, at="metric")
        return self


class Trend(Settings):
    """The score of the cells chosen rises or falls over a column or a setting."""

    over: str = Field(
        min_length=1,
        description="A catalog column, or a swept setting.",
        examples=["pixel_scale_nm", "augment.noise.rho"],
    )
    sign: Literal[1, -1] = Field(description="1: rises, -1: falls.")
    of: Literal["test", "train", "ratio"] = Field(
        "test",
        description="Whose column: the test set's, the training set's, or the larger of the two "
        "over the smaller.",
    )


class Prediction(Settings):
    """`left` less `right` against a bound; or a trend among the cells of `left`."""

    left: Selector | None = Field(None, description="What is compared.")
    right: Selector | None = Field(None, description="What it is compared with.")
    at_least: float | None = Field(
        None, description="left - right is at least this.", examples=[-0.05]
    )
    at_most: float | None = Field(None, description="left - right is at most this.", examples=[0.0])
    within: float | None = Field(
        None, gt=0, description="left - right is at most this, whatever its sign.", examples=[0.02]
    )
    trend: Trend | None = Field(None, description="Instead of right and a bound.")

    @model_validator(mode="after")
    def one_form(self) -> Self:
        """Refuse what is neither a comparison nor a trend."""
        self._one_form()
        return self

    def _one_form(self) -> None:
        bounds = [b for b in (self.at_least, self.at_most, self.within) if b is not None]
        if self.left is None:
            raise fault("'left' is missing: give left and right, or left and trend")
        if self.trend is not None and (bounds or self.right is not None):
            raise fault("a trend has left alone, without right, at_least, at_most or within")
        if self.trend is None and self.right is None:
            raise fault("'right' is missing: give left and right, or left and trend")
        if self.trend is None and len(bounds) != 1:
            raise fault("give one of at_least, at_most and within")
        takes = {side.take for side in self.sides.values()}
        if len(takes) > 1 or (self.trend is not None and "setting" in takes):
            raise fault("take = 'setting' compares a setting with a setting, on both sides")
        if self.left == self.right:
            raise fault("left and right are the same, so no data could decide it", at="right")
        if takes == {"score"}:
            self._open(bounds)

    def _open(self, bounds: Sequence[float]) -> None:
        """Refuse a bound of a difference that no data could reach, or that all data keep."""
        ranges = [bounds_of(side.metric) for side in self.sides.values()]
        if len(ranges) < 2 or not bounds:
            return
        (left, right), [bound] = ranges, bounds
        least, most = left[0] - right[1], left[1] - right[0]
        key = next(k for k in ("at_least", "at_most", "within") if getattr(self, k) is not None)
        never = {"at_least": bound >= most, "at_most": bound <= least, "within": False}
        always = {
            "at_least": bound <= least,
            "at_most": bound >= most,
            "within": bound >= max(-least, most),
        }
        if never[key] or always[key]:
            what = f"no data could {'hold' if never[key] else 'refute'} it"
            span = f"left - right lies between {least:g} and {most:g}"
            raise fault(f"{what}: {span}, and {key} is {bound:g}", at=key)

    @property
    def sides(self) -> dict[str, Selector]:
        """The selectors given, by their keys."""
        both = {"left": self.left, "right": self.right}
        return {key: side for key, side in both.items() if side is not None}


class Claim(Prediction):
    """What is expected, in words and as a prediction; `all` joins several that must all hold."""

    says: str = Field(
        min_length=1, description="The claim in words.", examples=["Ag networks work on Au"]
    )
    all: tuple[Prediction, ...] = Field(
        (), strict=False, description="Instead: several predictions."
    )
    family: str | None = Field(
        None,
        min_length=1,
        description="Claims of one family share 5 % of false alarms (Holm); default: all claims of "
        "the study that name none.",
        examples=["noise"],
    )

    def _one_form(self) -> None:
        if not self.all:
            super()._one_form()
        elif self.model_fields_set & Prediction.model_fields.keys():
            raise fault("give all = [...], or left with right or trend, not both")

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """Every prediction of the claim."""
        return self.all or (self,)

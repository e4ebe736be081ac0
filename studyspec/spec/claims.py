"""Claims: predictions written before a run, judged in the report. Knows no result."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from studyspec.spec.settings import Settings, Split

Metric = Literal[
    "dice",
    "dice_micro",
    "soft_dice",
    "loss",
    "precision",
    "recall",
    "oversegmentation",
    "normalized",
    "dice_sd",
]
Names = str | Annotated[tuple[str, ...], Field(min_length=1)]


class Selector(Settings):
    """A number of the results: the metric, averaged over all cells that the names choose."""

    train: Names = Field(description="Training sets; several are averaged.")
    test: Names = Field(
        description="Test sets; 'own': each training set's own, 'others': all but its own."
    )
    variant: Names = Field("base", description="Variants.")
    split: Split = Field("test", description="Which part was scored.")
    metric: Metric = Field("dice", description="Which score; dice_sd: its sd over the folds.")
    best_over: str | None = Field(
        None, description="A swept setting, as augment.noise.rho: the best of the sweep is taken."
    )


class Trend(Settings):
    """Whether the score of the cells chosen rises (1) or falls (-1) over something."""

    over: str = Field(description="A catalog column, or a swept setting.")
    sign: Literal[1, -1] = Field(description="1: rises, -1: falls.")
    of: Literal["test", "train", "ratio"] = Field(
        "test", description="Whose column: the test set's, the training set's, or their ratio."
    )


class Prediction(Settings):
    """`left` less `right` against a bound; or a trend among the cells of `left`."""

    left: Selector
    right: Selector | None = None
    at_least: float | None = Field(None, description="left - right is at least this.")
    at_most: float | None = Field(None, description="left - right is at most this.")
    within: Annotated[float, Field(ge=0)] | None = Field(
        None, description="left - right is at most this, whatever its sign."
    )
    trend: Trend | None = None

    @model_validator(mode="after")
    def one_bound_or_a_trend(self) -> Self:
        """Refuse none or several of the forms."""
        bounds = [b for b in (self.at_least, self.at_most, self.within) if b is not None]
        if self.trend is not None:
            if bounds or self.right is not None:
                raise ValueError("a trend has left alone, no right and no bound")
        elif self.right is None:
            raise ValueError("give left and right, or left and trend")
        elif len(bounds) != 1:
            raise ValueError("give one of at_least, at_most and within")
        return self


class Claim(Settings):
    """What is expected, in words and as a prediction; `all` joins several that must all hold."""

    says: str = Field(min_length=1, description="The claim in words.")
    left: Selector | None = None
    right: Selector | None = None
    at_least: float | None = None
    at_most: float | None = None
    within: Annotated[float, Field(ge=0)] | None = None
    trend: Trend | None = None
    all: tuple[Prediction, ...] = Field((), description="Several predictions in one claim.")

    @model_validator(mode="after")
    def a_prediction_or_several(self) -> Self:
        """Refuse a claim without prediction, or with both forms."""
        own = self.model_dump(exclude={"says", "all"}, exclude_none=True)
        if bool(own) == bool(self.all):
            raise ValueError("give left with right or trend, or all = [...]")
        if own:
            Prediction.model_validate(own)
        return self

    @property
    def predictions(self) -> tuple[Prediction, ...]:
        """Every prediction of the claim."""
        own = self.model_dump(exclude={"says", "all"}, exclude_none=True)
        return self.all or (Prediction.model_validate(own),)

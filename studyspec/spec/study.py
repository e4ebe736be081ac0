"""The study file as frozen values. Knows what may be written, not what it means for jobs."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, model_validator

from studyspec.spec.claims import Claim
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.settings import Settings, StageSettings

Name = Annotated[str, Field(min_length=1)]


class StudyHeader(Settings):
    """What is asked."""

    name: Annotated[str, Field(pattern=r"^[\w.-]+$")] = Field(
        description="Name of the study in the store: letters, digits, '_', '-' and '.'."
    )
    question: str = Field("", description="The question in words, for the report.")
    base: bool = Field(True, description="Whether the plain study is a variant of its own.")


class CatalogSettings(Settings):
    """Where the images are listed."""

    path: Name = Field(
        "data_catalog.parquet", description="Catalog file, relative to the project root."
    )
    collection: Name = Field("twin", description="Collection of the catalog to choose from.")
    base_address: str | None = Field(
        None, description="Address below which the published images lie, if not the authors' own."
    )


class Matrix(Settings):
    """Which sets are trained on and tested on; default: every dataset against every dataset."""

    train: tuple[Name, ...] | None = Field(
        None, min_length=1, description="Training sets; 'A+B' is a union."
    )
    test: tuple[Name, ...] | None = Field(None, min_length=1, description="Test sets.")
    pairs: tuple[tuple[Name, Name], ...] | None = Field(
        None, min_length=1, description="Instead: each [train, test] by itself."
    )

    @model_validator(mode="after")
    def lists_or_pairs(self) -> Self:
        """Refuse pairs beside train or test."""
        if self.pairs is not None and (self.train is not None or self.test is not None):
            raise ValueError("give pairs, or train and test, not both")
        return self

    def cells(self, datasets: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
        """Every (train, test), in order and once each."""
        if self.pairs is not None:
            return tuple(dict.fromkeys(self.pairs))
        train, test = self.train or datasets, self.test or datasets
        return tuple(dict.fromkeys((a, b) for a in train for b in test))


Sweep = dict[str, Annotated[list[Any], Field(min_length=1)]]


class Study(StageSettings):
    """A whole study: datasets, matrix, settings, variants and claims."""

    study: StudyHeader
    catalog: CatalogSettings = CatalogSettings()
    datasets: dict[str, DatasetFilter] = Field(
        min_length=1, description="Named filters; 'common' is where each of them starts."
    )
    matrix: Matrix = Matrix()
    variants: dict[str, dict[str, Any]] = Field(
        default_factory=dict, description="Named changes to the tables below datasets."
    )
    sweep: Sweep = Field(
        default_factory=dict, description="Settings by dotted name; their product replaces base."
    )
    claims: tuple[Claim, ...] = Field((), description="Predictions, judged in the report.")

    @property
    def stage(self) -> StageSettings:
        """The settings of the plain study."""
        return StageSettings.model_validate(
            {name: getattr(self, name) for name in StageSettings.model_fields}
        )

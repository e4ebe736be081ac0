"""The study file as frozen values. Knows what may be written, not what it means for jobs."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field, model_validator

from studyspec.plugins.settings import Settings, fault
from studyspec.spec.claims import Claim
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.names import DatasetName, NetworkName, SetName, VariantName
from studyspec.spec.search import SearchSettings
from studyspec.spec.sections import MeasureSettings, StageSettings

Text = Annotated[str, Field(min_length=1)]
Pair = Annotated[tuple[SetName, SetName], Field(strict=False)]


class StudyHeader(Settings):
    """What is asked."""

    name: str = Field(
        pattern=r"^[\w.-]+$",
        description="Name of the study in the store: letters, digits, '_', '-' and '.'.",
        examples=["material"],
    )
    question: str = Field(
        "",
        description="The question in words, for the report.",
        examples=["Does a network trained on one material find particles of another?"],
    )
    figure: str = Field(
        "",
        description="The figure of a publication that the study repeats.",
        examples=["Sytwu et al. 2023, 4d"],
    )
    base: bool = Field(True, description="Whether the plain study is a variant of its own.")
    plugins: tuple[Text, ...] = Field(
        (),
        strict=False,
        description="Packages of plug-ins that the study needs; `check` says which is missing.",
        examples=[["studyspec-extras>=1.2"]],
    )


class CatalogSettings(Settings):
    """Where the images are listed."""

    path: Text = Field(
        "data_catalog.parquet",
        description="Catalog file, relative to the project root.",
        examples=["data_catalog.parquet"],
    )
    collection: Text = Field(
        "twin",
        description="Collection of the catalog to choose from.",
        examples=["twin", "sytwu-2023"],
    )
    base_address: Text | None = Field(
        None,
        description="Address below which the published images lie, if not the authors' own.",
        examples=["https://mirror.example.org/hrtem/"],
    )
    folders: tuple[Text, ...] = Field(
        (),
        strict=False,
        description="Folders outside of the catalog's, relative to the project root, that its "
        "addresses may lead to; those that were named to `catalog add` on this machine may anyway.",
        examples=[["/data/microscope"]],
    )


class Matrix(Settings):
    """Which sets are trained on and tested on; default: every dataset against every dataset."""

    train: tuple[SetName, ...] | None = Field(
        None,
        strict=False,
        min_length=1,
        description="Training sets, 'A+B' being a union, and foreign networks.",
        examples=[["Au", "Ag", "Au+Ag"]],
    )
    test: tuple[SetName, ...] | None = Field(
        None,
        strict=False,
        min_length=1,
        description="Test sets.",
        examples=[["Au", "Ag", "CdSe"]],
    )
    pairs: tuple[Pair, ...] | None = Field(
        None,
        strict=False,
        min_length=1,
        description="Instead of train and test: each [train, test] by itself.",
        examples=[[["Au", "Au"], ["Au", "Ag"]]],
    )

    @model_validator(mode="after")
    def lists_or_pairs(self) -> Self:
        """Refuse pairs beside train or test."""
        if self.pairs is not None and (self.train is not None or self.test is not None):
            raise fault("give pairs, or train and test, not both", at="pairs")
        return self

    def cells(
        self, datasets: tuple[str, ...], networks: tuple[str, ...] = ()
    ) -> tuple[tuple[str, str], ...]:
        """Every (train, test), in order and once each; foreign networks are rows too."""
        if self.pairs is not None:
            return tuple(dict.fromkeys(self.pairs))
        train, test = self.train or (*datasets, *networks), self.test or datasets
        return tuple(dict.fromkeys((a, b) for a in train for b in test))


class Study(StageSettings):
    """A whole study: datasets, matrix, settings, variants and claims.

    The datasets already start from `[datasets.common]`, and the profile is merged in.
    """

    study: StudyHeader
    catalog: CatalogSettings = CatalogSettings()
    datasets: dict[DatasetName, DatasetFilter] = Field(
        min_length=1,
        description="Named filters; 'common' is no dataset, but where each of them starts.",
        examples=[{"common": {"diameter_nm": 5}, "Au": {"material": "Au"}}],
    )
    matrix: Matrix = Matrix()
    networks: dict[NetworkName, ForeignNetwork] = Field(
        default_factory=dict,
        description="Foreign networks, trained elsewhere: rows of the matrix beside training sets.",
        examples=[{"theirs": {"weights": "networks/theirs.safetensors"}}],
    )
    variants: dict[VariantName, dict[str, object]] = Field(
        default_factory=dict,
        description="Named changes to the tables below datasets.",
        examples=[{"no-flat-field": {"preprocess": {"flat_field": {"enabled": False}}}}],
    )
    sweep: dict[str, object] = Field(
        default_factory=dict,
        description="Lists of values by dotted setting; their product replaces base.",
        examples=[{"augment.noise.rho": [0.0, 0.25, 0.5]}],
    )
    measure: MeasureSettings = MeasureSettings()
    search: SearchSettings | None = Field(
        None, description="A search for settings; what it finds becomes a variant."
    )
    claims: tuple[Claim, ...] = Field(
        (), strict=False, description="Predictions, judged in the report."
    )

    @property
    def stage(self) -> StageSettings:
        """The settings of the plain study."""
        return StageSettings.model_validate(
            {name: getattr(self, name) for name in StageSettings.model_fields}
        )

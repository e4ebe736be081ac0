"""A small study in memory: what the tests of the planner start from."""

from __future__ import annotations

from collections.abc import Mapping

from studyspec.catalog.row import ImageRow
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import Expansion, expand_jobs
from studyspec.plan.preparation import Files
from studyspec.plan.record import PlanRecord, Question, plan_record
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.identity import digest
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant

FILES = Files("/catalog.parquet", "/cache")
QUESTION = Question(study="small", question="", profile=None, spec={}, source="")


def image(name: str, label: str = "drawn", version: int = 0) -> PlannedImage:
    """An image whose hashes follow from its name and version."""
    row = ImageRow(name, "mine", f"{name}.tif", f"{name}_label.png")
    sha = digest([name, version])
    return PlannedImage(row, "drawn", sha, digest([name, label]))


def dataset(name: str, n: int = 6, **changes: int) -> ResolvedDataset:
    """A dataset of n images, some of another version."""
    images = tuple(image(f"{name}/{i}", version=changes.get(f"image_{i}", 0)) for i in range(n))
    return ResolvedDataset(name, DatasetFilter(), images)


def variant(
    pairs: tuple[tuple[str, str], ...], name: str = "base", settings: StageSettings | None = None
) -> Variant:
    """A variant with these cells."""
    return Variant(name, settings or StageSettings(), pairs, {})


def expansion(datasets: Mapping[str, ResolvedDataset], *variants: Variant) -> Expansion:
    """The jobs and cells of the variants."""
    return expand_jobs(variants, datasets, FILES)


def record(datasets: Mapping[str, ResolvedDataset], *variants: Variant) -> PlanRecord:
    """The plan record of the variants."""
    return plan_record(QUESTION, variants, datasets, expansion(datasets, *variants))

"""What every stage is made of: a task that bears its key, a result, and where things are."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Generic, Self, TypeVar

from pydantic import BeforeValidator, JsonValue, PlainSerializer, SkipValidation

from studyspec.catalog.row import ImageRow
from studyspec.images.door import LabelKind
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import Provider, Registry
from studyspec.spec.choices import base_name
from studyspec.spec.identity import digest
from studyspec.spec.uses import Use, Written

if TYPE_CHECKING:
    from studyspec.jobs.workshop import Workshop

Key = str
"""SHA-256 (hex, 64 characters) of a task's ingredients."""


class Result(Written):
    """What a task gives, as its record keeps it; scalars become columns of the stage's table."""

    @property
    def headline(self) -> str:
        """What a person who waits for it wants to see first, in a few words; empty for nothing."""
        return ""

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of it."""
        return ()


class Inputs(Written):
    """Where things are and what people call them; decides nothing."""

    def with_sources(self, sources: Mapping[Key, PreparedImage]) -> Self:
        """The same with other sources, for those that have any."""
        if "sources" not in type(self).model_fields:
            return self
        return self.model_copy(update={"sources": sources})

    @property
    def its_sources(self) -> Mapping[Key, PreparedImage]:
        """How the patches that it needs come to be, by the key of their prepare task."""
        found: Mapping[Key, PreparedImage] = getattr(self, "sources", {})
        return found


R = TypeVar("R", bound=Result)
I = TypeVar("I", bound=Inputs)  # noqa: E741


class Task(Written, Generic[I, R]):
    """A piece of work: its fields are all that decides the result, and nothing else.

    Attributes
    ----------
    stage
        The name of the stage, in records, keys and tables.
    recipe
        Raised when the same fields give other results.
    inputs, result
        The types of what it is handed beside, and of what it gives.
    noun
        What it leaves behind, where others need it: "patches", "weights"; empty for nothing.
    """

    stage: ClassVar[str]
    recipe: ClassVar[int]
    inputs: ClassVar[type[Inputs]]
    result: ClassVar[type[Result]]
    noun: ClassVar[str] = ""

    @property
    def ingredients(self) -> dict[str, JsonValue]:
        """The task as JSON, with stage and recipe: what the key is the digest of."""
        return {"stage": self.stage, "recipe": self.recipe, **self.written()}

    @cached_property
    def key(self) -> Key:
        """The digest of the ingredients."""
        return digest(self.ingredients)

    @property
    def unfetched(self) -> bool:
        """Whether it needs a file that is not here yet."""
        return False

    def uses(self) -> Iterator[tuple[Registry[Plugin], Use]]:
        """The plug-ins that it depends on."""
        return iter(())

    def headline(self, result: R) -> str:
        """What came of it, in few words."""
        return result.headline

    @abstractmethod
    def do(self, inputs: I, workshop: Workshop) -> R:
        """Come by the result; artifacts are saved on the way."""


def providers(task: Task[Any, Any]) -> dict[str, Provider]:  # of any stage
    """The distributions of the plug-ins that a task depends on, as "step.median" names them."""
    found = {}
    for registry, use in task.uses():
        one = registry.find(base_name(use.name))
        found[f"{registry.kind}.{one.plugin.name}"] = one.provider
    return found


RowAsJson = Annotated[
    ImageRow,
    PlainSerializer(lambda row: row.to_json()),
    BeforeValidator(lambda v: v if isinstance(v, ImageRow) else ImageRow.from_json(v)),
]


class ImagePlace(Written):
    """Where an image and its label are: the catalog row, and where its addresses start."""

    row: RowAsJson
    label: LabelKind = "drawn"
    catalog: str
    cache: str
    base_address: str | None = None
    folders: tuple[str, ...] = ()


class PreparedImage(Written):
    """How patches come to be: the ingredients of a prepare task, and where its image is."""

    ingredients: dict[str, JsonValue]
    place: ImagePlace


Sources = Annotated[Mapping[Key, PreparedImage], SkipValidation]
"""By the key of a prepare task; shared by many jobs, and read from files only where needed."""

"""Uses: what of a study's settings decides a result, plug-in by plug-in. Pure.

A task holds these instead of tables: what does nothing is left out, each plug-in comes with its
recipe number, and settings at their default are not written. So a new setting, or a new plug-in,
changes no key, and a changed default must raise a recipe number.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from studyspec.errors import PluginError
from studyspec.plugins.contracts import (
    Architecture,
    Augmentation,
    Loss,
    PixelMetric,
    Plugin,
    Schedule,
    Step,
    Tabled,
)
from studyspec.plugins.registry import (
    ARCHITECTURES,
    AUGMENTATIONS,
    LOSSES,
    METRICS,
    SCHEDULES,
    STEPS,
    Found,
    Registry,
)
from studyspec.plugins.settings import Settings
from studyspec.spec.choices import NAME, base_name, named_model
from studyspec.spec.layers import merged
from studyspec.spec.sections import (
    DihedralForms,
    EvaluationSettings,
    PatchSettings,
    PreprocessSettings,
    StageSettings,
    TrainingNumbers,
)

P = TypeVar("P", bound=Plugin, covariant=True)
S = TypeVar("S", bound=Settings)


class Written(BaseModel):
    """A frozen value that is written as JSON and read back; what is at its default is left out."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    def written(self) -> dict[str, JsonValue]:
        """The value as JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


class Use(Written):
    """A plug-in as a result depends on it: settings that are not at their default, and recipe."""

    name: str
    recipe: int
    settings: dict[str, JsonValue] = {}

    @classmethod
    def of(cls, plugin: Tabled[S], settings: S) -> Use:
        """The use of a plug-in with these settings."""
        told = settings.model_dump(mode="json", exclude_defaults=True)
        told.pop(NAME, None)
        return cls(name=getattr(settings, NAME, plugin.name), recipe=plugin.recipe, settings=told)


@dataclass(frozen=True)
class Bound(Generic[P]):
    """A plug-in that is installed, with the settings of a use."""

    found: Found[P]
    settings: Settings

    @property
    def plugin(self) -> P:
        """The plug-in."""
        return self.found.plugin

    @property
    def sentence(self) -> str:
        """What it does, in words."""
        return _tabled(self.found).describe(self.settings)


def bound(registry: Registry[P], use: Use) -> Bound[P]:
    """The plug-in of a use.

    Raises
    ------
    PluginError
        If it is not installed, or with another recipe, or cannot have these settings.
    """
    found = registry.find(base_name(use.name))
    plugin = _tabled(found)
    if plugin.recipe != use.recipe:
        raise PluginError(
            f"{registry.kind} '{use.name}' is of recipe {plugin.recipe} in {found.provider}, "
            f"and of {use.recipe} in what is to be done",
            hint="plan anew, or install the version that was used",
        )
    try:
        if isinstance(plugin, Architecture | Loss | Schedule):
            values = {NAME: use.name, **use.settings}
            return Bound(found, named_model(plugin).model_validate(values, strict=False))
        return Bound(found, plugin.settings.model_validate(use.settings, strict=False))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise PluginError(
            f"{registry.kind} '{use.name}' cannot have the settings that are told of it: "
            f"{place}: {first['msg']}",
            hint="was that written by another version?",
        ) from None


def _tabled(found: Found[Plugin]) -> Tabled[Settings]:
    """A plug-in that has a table, as all that uses name do."""
    assert isinstance(found.plugin, Tabled)
    return found.plugin


class Pipeline(Written):
    """How an image is prepared: its steps in order, and the cutting into patches."""

    steps: tuple[Use, ...]
    patch: PatchSettings = PatchSettings()

    @classmethod
    def of(cls, settings: PreprocessSettings) -> Pipeline:
        """What the table `[preprocess]` says."""
        return cls(steps=tuple(_active(STEPS, settings)), patch=settings.patch)

    @property
    def bound(self) -> list[Bound[Step[Settings]]]:
        """The steps, ready to be done; raises as `bound`."""
        return [bound(STEPS, use) for use in self.steps]

    @property
    def columns(self) -> tuple[str, ...]:
        """The catalog columns that its steps read."""
        return tuple(dict.fromkeys(name for one in self.bound for name in one.plugin.reads))

    def cut_to(self, size: int | None) -> Pipeline:
        """The same with patches of another edge [px], if one is given."""
        if size is None:
            return self
        return self.model_copy(update={"patch": self.patch.model_copy(update={"size": size})})

    def tables(self) -> dict[str, JsonValue]:
        """As `[preprocess]` would say it: a standard step that is not done is switched off."""
        done = {use.name: bound(STEPS, use).settings.model_dump(mode="json") for use in self.steps}
        off: dict[str, JsonValue] = {
            p.name: {"enabled": False} for p in STEPS if p.standard and p.active(p.settings())
        }
        return {**off, **done, "patch": self.patch.model_dump(mode="json")}

    def changed(self, tables: Mapping[str, object]) -> Pipeline:
        """The same with the changes of a table `[preprocess]`."""
        settings = PreprocessSettings.model_validate(merged(self.tables(), tables), strict=False)
        return Pipeline.of(settings)


class Learning(Written):
    """How a network is trained: augmentation, architecture, loss, schedule and numbers."""

    dihedral: DihedralForms = "all"
    augment: tuple[Use, ...] = ()
    model: Use
    loss: Use
    schedule: Use
    training: TrainingNumbers = TrainingNumbers()

    @classmethod
    def of(cls, stage: StageSettings) -> Learning:
        """What the tables `[augment]`, `[model]` and `[training]` say."""
        given = stage.training.model_fields_set & TrainingNumbers.model_fields.keys()
        numbers = {name: getattr(stage.training, name) for name in given}
        return cls(
            dihedral=stage.augment.dihedral,
            augment=tuple(_active(AUGMENTATIONS, stage.augment)),
            model=_chosen(ARCHITECTURES, stage.model),
            loss=_chosen(LOSSES, stage.training.loss),
            schedule=_chosen(SCHEDULES, stage.training.schedule),
            training=TrainingNumbers(**numbers),
        )

    @property
    def augmentations(self) -> list[Bound[Augmentation[Settings]]]:
        """The augmentations in order, ready to be done; raises as `bound`."""
        return [bound(AUGMENTATIONS, use) for use in self.augment]

    @property
    def columns(self) -> tuple[str, ...]:
        """The catalog columns that its augmentations read."""
        return tuple(dict.fromkeys(n for one in self.augmentations for n in one.plugin.reads))

    @property
    def facts(self) -> tuple[str, ...]:
        """What its augmentations ask of the preparation of an image."""
        return tuple(dict.fromkeys(n for one in self.augmentations for n in one.plugin.facts))


def metrics_of(settings: EvaluationSettings) -> tuple[Use, ...]:
    """The metrics over pixels that the table `[evaluation]` asks for."""
    return tuple(_active(METRICS, settings))


def pixel_metric(use: Use) -> Bound[PixelMetric[Settings]]:
    """The metric over pixels of a use; raises as `bound`."""
    one = bound(METRICS, use)
    assert isinstance(one.plugin, PixelMetric)
    return cast(Bound[PixelMetric[Settings]], one)


def _active(registry: Registry[Plugin], tables: Settings) -> Iterator[Use]:
    """The uses of the plug-ins in a table that do anything, in order."""
    for plugin in registry:
        if not isinstance(plugin, Tabled):
            continue
        settings = getattr(tables, plugin.name, None)
        if settings is not None and plugin.active(settings):
            yield Use.of(plugin, settings)


def _chosen(registry: Registry[Tabled[Settings]], table: Settings) -> Use:
    return Use.of(registry.get(base_name(getattr(table, NAME))), table)

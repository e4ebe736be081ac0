"""What the plug-ins of a study say of themselves; one that is not installed is named as such.

The settings of a study are read from its plan record as far as what is installed can read them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue, ValidationError

from studyspec.errors import PluginError
from studyspec.plugins.contracts import Tabled
from studyspec.plugins.guard import blamed
from studyspec.plugins.registry import (
    ARCHITECTURES,
    AUGMENTATIONS,
    LOSSES,
    METRICS,
    SCHEDULES,
    STEPS,
    Registry,
)
from studyspec.plugins.settings import Settings
from studyspec.spec.choices import CHOSEN, NAME, base_name, named_model
from studyspec.spec.dotted import with_values
from studyspec.spec.sections import StageSettings
from studyspec.spec.uses import Bound, Learning, Pipeline, bound, metrics_of

Tables = Mapping[str, JsonValue]
KEYED: Mapping[str, Registry[Any]] = {
    "preprocess": STEPS,
    "augment": AUGMENTATIONS,
    "evaluation": METRICS,
}
"""Tables with a key for each plug-in of a kind."""
OF_TRAINING = ("loss", "schedule")
"""The tables of `CHOSEN` that stand below `[training]`."""
PIXEL_METRICS: Registry[Any] = METRICS  # those that a table asks for are over pixels


@dataclass(frozen=True)
class Described:
    """The settings of a variant, and what its plug-ins say.

    Attributes
    ----------
    settings
        Without what cannot be read.
    steps, augmentations, metrics
        A sentence for each that does anything, and each standard one that is switched off.
    architecture, loss, schedule
        A sentence each.
    """

    settings: StageSettings
    steps: tuple[str, ...]
    augmentations: tuple[str, ...]
    metrics: tuple[str, ...]
    architecture: str
    loss: str
    schedule: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """All that is said."""
        chosen = (self.architecture, self.loss, self.schedule)
        return (*self.steps, *self.augmentations, *chosen, *self.metrics)


def described(spec: Tables, changes: Tables | None = None) -> Described:
    """The plain study of a resolved study as JSON, or a variant with its changes.

    Raises
    ------
    pydantic.ValidationError
        If the changes of a variant cannot be read by what is installed.
    """
    tables = {name: spec[name] for name in StageSettings.model_fields if name in spec}
    readable, lost = _readable(with_values(tables, changes or {}))
    settings = StageSettings.model_validate(readable)
    learning = Learning.of(settings)
    steps, augmentations = Pipeline.of(settings.preprocess).bound, learning.augmentations
    metrics = [bound(PIXEL_METRICS, use) for use in metrics_of(settings.evaluation)]
    chosen = {
        "model": bound(ARCHITECTURES, learning.model),
        "loss": bound(LOSSES, learning.loss),
        "schedule": bound(SCHEDULES, learning.schedule),
    }
    words = {
        key: lost[key][0] if key in lost else _sentence(CHOSEN[key], one)
        for key, one in chosen.items()
    }
    return Described(
        settings=settings,
        steps=_all(STEPS, steps, lost.get("preprocess", ())),
        augmentations=_all(AUGMENTATIONS, augmentations, lost.get("augment", ())),
        metrics=(*_sentences(METRICS, metrics), *lost.get("evaluation", ())),
        architecture=words["model"],
        loss=words["loss"],
        schedule=words["schedule"],
    )


def _all(
    registry: Registry[Any], done: Sequence[Bound[Any]], lost: Iterable[str]
) -> tuple[str, ...]:
    """A sentence for each plug-in of a kind: those that act, are switched off, are missing."""
    return (*_sentences(registry, done), *_off(registry, done), *lost)


def _readable(tables: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The tables that what is installed can read, and what is left out, by table."""
    found: dict[str, Any] = deepcopy(dict(tables))
    lost: dict[str, list[str]] = {}
    for key, registry in KEYED.items():
        fields = getattr(StageSettings.model_fields[key].annotation, "model_fields", {})
        table = found.get(key, {})
        for name, value in list(table.items()):
            plugin = registry.get(name) if name in registry.names else None
            if name in fields and isinstance(plugin, Tabled):
                text = _unread(registry, plugin.settings, name, value)
            else:
                text = "" if name in fields or value is None else _absent(registry, name)
            if text:
                lost.setdefault(key, []).append(text)
            if text or name not in fields:
                del table[name]
    for key, above in (("model", found), *((k, found.get("training", {})) for k in OF_TRAINING)):
        table, registry = above.get(key), CHOSEN[key]
        if isinstance(table, dict) and isinstance(name := table.get(NAME), str):
            if base_name(name) in registry.names:
                model = named_model(registry.get(base_name(name)))
                text = _unread(registry, model, name, table)
            else:
                text = _absent(registry, name)
            if text:
                lost[key] = [text]
                del above[key]
    return found, lost


def _absent(registry: Registry[Any], name: str) -> str:
    return f"{registry.kind} '{name}', whose package is not installed here"


def _unread(registry: Registry[Any], model: type[Settings], name: str, value: JsonValue) -> str:
    """Why the settings of a plug-in cannot be read; empty if they can."""
    if value is None:
        return ""
    try:
        model.model_validate(value, strict=False)
    except ValidationError:
        provider = registry.find(base_name(name)).provider
        return f"{registry.kind} '{name}' with settings that {provider} does not know"
    return ""


def _sentences(registry: Registry[Any], found: Iterable[Bound[Any]]) -> Iterator[str]:
    for one in found:
        said = _sentence(registry, one)
        yield f"{said} (in validation too)" if getattr(one.plugin, "in_validation", False) else said


def _sentence(registry: Registry[Any], one: Bound[Any]) -> str:
    """What a plug-in says; one of others that cannot is named with its error."""
    try:
        with blamed(registry.kind, one.found):
            return str(one.sentence)
    except PluginError as error:
        return error.text


def _off(registry: Registry[Any], done: Iterable[Bound[Any]]) -> Iterator[str]:
    """The standard ones that would be done by default and are not."""
    names = {one.plugin.name for one in done}
    for plugin in registry:
        standard = isinstance(plugin, Tabled) and plugin.standard and plugin.name not in names
        if standard and plugin.active(plugin.settings()):
            yield f"no {plugin.name.replace('_', ' ')}"

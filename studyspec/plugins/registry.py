"""Registries: the plug-ins of each kind, found by entry points and loaded when first asked for.

An entry point of the group `studyspec.plugins` is called by a kind, or by a kind, a dot and more
("step.median"), and names a module, a package (all of its modules) or one object. Ours come in the
same way. What cannot be loaded is kept with the reason, for whoever asks for it by name.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Generic, TypeVar

from studyspec.errors import PluginError
from studyspec.plugins.contracts import (
    Architecture,
    Augmentation,
    Chart,
    EngineKind,
    Loss,
    Metric,
    PixelMetric,
    Plugin,
    Reader,
    Schedule,
    Source,
    Step,
    Tabled,
)
from studyspec.plugins.settings import Settings

GROUP = "studyspec.plugins"
OURS = "studyspec"
P = TypeVar("P", bound=Plugin, covariant=True)


@dataclass(frozen=True, order=True)
class Provider:
    """The distribution that brought a plug-in."""

    distribution: str
    version: str

    def __str__(self) -> str:
        """As "studyspec-extras 1.2"."""
        return f"{self.distribution} {self.version}"


@dataclass(frozen=True)
class Broken:
    """A plug-in that is left out: its name as far as it is known, where it is from, and why."""

    kind: str
    name: str
    provider: Provider
    place: str
    reason: str

    @property
    def text(self) -> str:
        """The whole in words."""
        name = f" '{self.name}'" if self.name else ""
        return f"{self.kind}{name} of {self.provider} ({self.place}) is left out: {self.reason}"


@dataclass(frozen=True)
class Found(Generic[P]):
    """A plug-in, the distribution it is from, and its place there ("package.module:NAME")."""

    plugin: P
    provider: Provider
    place: str


class Registry(Generic[P]):
    """The plug-ins of one kind.

    Parameters
    ----------
    kind
        How entry points and people call it.
    contract
        What its objects are instances of.
    """

    def __init__(self, kind: str, contract: type[P]) -> None:
        self.kind, self._contract = kind, contract

    def __iter__(self) -> Iterator[P]:
        """All plug-ins: by position where they have one, else by name, ours first."""
        return (found.plugin for found in self._loaded[0].values())

    @property
    def broken(self) -> tuple[Broken, ...]:
        """What was left out, and why."""
        return self._loaded[1]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all plug-ins."""
        return tuple(self._loaded[0])

    def find(self, name: str) -> Found[P]:
        """The plug-in of a name, and where it is from.

        Raises
        ------
        PluginError
            If there is none, or it was left out.
        """
        if name in self._loaded[0]:
            return self._loaded[0][name]
        for broken in self.broken:
            if broken.name == name:
                raise PluginError(broken.text, hint=f"mend or uninstall {broken.provider}")
        raise PluginError(
            f"no {self.kind} '{name}' is installed", hint="is a package of plug-ins missing?"
        )

    def get(self, name: str) -> P:
        """The plug-in of a name; raises as `find`."""
        return self.find(name).plugin

    @cached_property
    def _loaded(self) -> tuple[Mapping[str, Found[P]], tuple[Broken, ...]]:
        found: dict[str, Found[P]] = {}
        broken: list[Broken] = []
        for entry in self._entries():
            for one in self._objects(entry):
                if isinstance(one, Broken):
                    broken.append(one)
                elif any(one.plugin is other.plugin for other in found.values()):
                    continue  # a module of a package imports it from another
                elif reason := self._fault(one, found):
                    name = str(getattr(one.plugin, "name", ""))
                    broken.append(Broken(self.kind, name, one.provider, one.place, reason))
                else:
                    found[one.plugin.name] = one
        ordered = sorted(found.values(), key=lambda each: getattr(each.plugin, "position", 0))
        return {each.plugin.name: each for each in ordered}, tuple(broken)

    def _entries(self) -> list[EntryPoint]:
        """The entry points of this kind, ours first, then by distribution and name."""
        mine = [e for e in entry_points(group=GROUP) if e.name.partition(".")[0] == self.kind]
        return sorted(mine, key=lambda e: (_provider(e).distribution != OURS, _provider(e), e.name))

    def _objects(self, entry: EntryPoint) -> Iterator[Found[P] | Broken]:
        provider, guess = _provider(entry), entry.name.partition(".")[2]
        try:
            loaded = entry.load()
        except Exception as error:  # whatever a package of others does when it is imported
            reason = f"{type(error).__name__}: {error}"
            yield Broken(self.kind, guess, provider, entry.value, reason)
            return
        if not isinstance(loaded, ModuleType):
            yield Found(loaded, provider, entry.value)
            return
        for module in _modules(loaded):
            if isinstance(module, str):
                name, _, reason = module.partition(" ")
                yield Broken(self.kind, guess or name.rpartition(".")[2], provider, name, reason)
                continue
            for attribute, value in list(vars(module).items()):
                if isinstance(value, self._contract):
                    yield Found(value, provider, f"{module.__name__}:{attribute}")

    def _fault(self, one: Found[P], found: Mapping[str, Found[P]]) -> str:
        """Why an object cannot be used; empty if it can."""
        plugin = one.plugin
        if not isinstance(plugin, self._contract):
            return f"it is a {type(plugin).__name__}, not a {self._contract.__name__}"
        if not isinstance(getattr(plugin, "name", None), str) or not plugin.name:
            return "it has no name"
        if plugin.name in found:
            other = found[plugin.name]
            return f"the name is taken by {other.provider} ({other.place})"
        if isinstance(plugin, Tabled):
            return _table_fault(plugin, one.provider)
        if isinstance(plugin, Reader | Source):
            return _words_fault(plugin)
        return ""


def _words_fault(plugin: Reader | Source) -> str:
    what = "suffixes" if isinstance(plugin, Reader) else "schemes"
    words = getattr(plugin, what, None)
    if isinstance(words, tuple) and words and all(isinstance(word, str) for word in words):
        return ""
    return f"its {what} are {words!r}: expected a tuple of text"


def _table_fault(plugin: Tabled[Settings], provider: Provider) -> str:
    model = getattr(plugin, "settings", None)
    if not (isinstance(model, type) and issubclass(model, Settings)):
        return f"its settings are no model ({model!r}): derive them from studyspec's Settings"
    if not isinstance(plugin.recipe, int) or plugin.recipe < 1:
        return f"its recipe number is {plugin.recipe!r}: expected a whole number from 1 on"
    if plugin.standard and provider.distribution != OURS:
        return "standard = True is for studyspec's own: it would change studies that do not name it"
    if isinstance(plugin, PixelMetric):
        wrong = [name for name in plugin.sums if not name.startswith(f"{plugin.name}_")]
        if wrong:
            return f"its sum '{wrong[0]}' must begin with '{plugin.name}_'"
    return ""


def _modules(loaded: ModuleType) -> Iterator[ModuleType | str]:
    """A module, and those below a package; in place of one that fails its name and the reason."""
    yield loaded
    for inner in pkgutil.iter_modules(getattr(loaded, "__path__", ()), f"{loaded.__name__}."):
        try:
            yield importlib.import_module(inner.name)
        except Exception as error:  # as above
            yield f"{inner.name} {type(error).__name__}: {error}"


def _provider(entry: EntryPoint) -> Provider:
    assert entry.dist is not None
    return Provider(entry.dist.name, entry.dist.version)


STEPS = Registry("step", Step)  # type: ignore[type-abstract]
AUGMENTATIONS = Registry("augmentation", Augmentation)  # type: ignore[type-abstract]
ARCHITECTURES = Registry("architecture", Architecture)  # type: ignore[type-abstract]
LOSSES = Registry("loss", Loss)  # type: ignore[type-abstract]
SCHEDULES = Registry("schedule", Schedule)  # type: ignore[type-abstract]
METRICS = Registry("metric", Metric)
READERS = Registry("reader", Reader)  # type: ignore[type-abstract]
SOURCES = Registry("source", Source)  # type: ignore[type-abstract]
ENGINES = Registry("engine", EngineKind)  # type: ignore[type-abstract]
CHARTS = Registry("chart", Chart)  # type: ignore[type-abstract]
REGISTRIES: tuple[Registry[Plugin], ...] = (
    STEPS, AUGMENTATIONS, ARCHITECTURES, LOSSES, SCHEDULES, METRICS, READERS, SOURCES, ENGINES,
    CHARTS,
)  # fmt: skip

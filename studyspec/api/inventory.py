"""The inventory of plug-ins: what is installed, where it is from, and what was left out."""

from __future__ import annotations

from dataclasses import dataclass

from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import CHARTS, ENGINES, REGISTRIES, Broken, Found

LATER = (ENGINES, CHARTS)
"""Kinds that no study file names: a run and a report tell of theirs."""


@dataclass(frozen=True)
class InstalledPlugin:
    """A plug-in: its kind and name, the package that it is from, and its place there."""

    kind: str
    name: str
    package: str
    version: str
    place: str

    @classmethod
    def of(cls, kind: str, found: Found[Plugin]) -> InstalledPlugin:
        """As a registry found it."""
        provider = found.provider
        return cls(kind, found.plugin.name, provider.distribution, provider.version, found.place)


@dataclass(frozen=True)
class Inventory:
    """All plug-ins by kind, in the order in which they are used, and those that were left out."""

    installed: tuple[InstalledPlugin, ...]
    left_out: tuple[Broken, ...]


def plugins() -> Inventory:
    """All plug-ins that are installed, ours and those of others, and what was left out and why."""
    installed = [
        InstalledPlugin.of(registry.kind, registry.find(name))
        for registry in REGISTRIES
        for name in registry.names
    ]
    return Inventory(tuple(installed), tuple(b for r in REGISTRIES for b in r.broken))


def left_out() -> tuple[Broken, ...]:
    """The plug-ins of kinds that matter to a study file, or to its images, that were left out."""
    return tuple(b for r in REGISTRIES if r not in LATER for b in r.broken)

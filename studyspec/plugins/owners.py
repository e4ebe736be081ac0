"""Owners: which plug-in reads a suffix, or knows a scheme of addresses."""

from __future__ import annotations

from collections.abc import Callable

from studyspec.errors import PluginError
from studyspec.plugins.registry import Found, P, Registry


def owner(
    registry: Registry[P], words: Callable[[P], tuple[str, ...]], word: str
) -> Found[P] | None:
    """The one plug-in that has a word among its words; None if there is none.

    Raises
    ------
    PluginError
        If two have it, naming the distributions of both.
    """
    found = [registry.find(plugin.name) for plugin in registry if word in words(plugin)]
    if len(found) > 1:
        one, other = (f"'{f.plugin.name}' of {f.provider} ({f.place})" for f in found[:2])
        raise PluginError(
            f"'{word}' belongs to two plug-ins: {registry.kind} {one} and {registry.kind} {other}",
            hint="uninstall one of their distributions",
        )
    return found[0] if found else None

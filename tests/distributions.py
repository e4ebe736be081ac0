"""Distributions of others, with plug-ins, as pip would leave them in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import GROUP, Registry


def install(folder: Path, name: str, version: str, points: Mapping[str, str]) -> str:
    """Write what makes a distribution of modules in a folder; return the folder as text."""
    about = folder / f"{name}-{version}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{kind} = {place}" for kind, place in points.items()]
    (about / "entry_points.txt").write_text("\n".join([f"[{GROUP}]", *lines, ""]))
    return str(folder)


def fresh(monkeypatch: pytest.MonkeyPatch, registry: Registry[Plugin]) -> None:
    """Let a registry look for plug-ins anew, until the test ends."""
    list(registry)
    monkeypatch.delitem(vars(registry), "_loaded")

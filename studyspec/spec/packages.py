"""Packages: whether the plug-ins that a study speaks of are installed, and work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version

from packaging.requirements import InvalidRequirement, Requirement

from studyspec.errors import Problem
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import AUGMENTATIONS, METRICS, STEPS, Registry
from studyspec.spec.choices import CHOSEN, NAME, base_name
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer

TABLES: Mapping[str, Registry[Plugin]] = {
    "preprocess": STEPS,
    "augment": AUGMENTATIONS,
    "evaluation": METRICS,
}
"""Tables with a key for each plug-in of a kind."""


def package_problems(table: Mapping[str, object], pointer: Pointer) -> Iterator[Problem]:
    """Packages that are missing or too old, and plug-ins that were left out though named."""
    study = table.get("study")
    named = study.get("plugins") if isinstance(study, Mapping) else None
    for i, requirement in enumerate(named if isinstance(named, list) else ()):
        if isinstance(requirement, str) and (what := _lack(requirement)):
            hint = f"pip install '{requirement}'"
            yield pointer.problem(("study", "plugins", i), what, hint)
    for where, registry, name in _mentions(table, ()):
        for broken in registry.broken:
            if broken.name == name:
                hint = f"mend or uninstall {broken.provider}"
                yield pointer.at_key(where, broken.text, hint)


def _lack(requirement: str) -> str:
    """What is missing of a requirement such as "studyspec-extras>=1.2"; empty if nothing is."""
    try:
        wanted = Requirement(requirement)
    except InvalidRequirement:
        return f"'{requirement}' is no package with a version, such as studyspec-extras>=1.2"
    try:
        found = version(wanted.name)
    except PackageNotFoundError:
        return f"package '{wanted.name}' is not installed, and the study needs its plug-ins"
    if not wanted.specifier.contains(found, prereleases=True):
        return f"package '{wanted.name}' is of version {found}, and the study needs {requirement}"
    return ""


def _mentions(
    table: Mapping[str, object], path: Path
) -> Iterator[tuple[Path, Registry[Plugin], str]]:
    """Every place of tables that names a plug-in."""
    for key, inner in table.items():
        here = (*path, key)
        if not isinstance(inner, Mapping):
            continue
        if key in TABLES:
            for name in inner:
                yield (*here, name), TABLES[key], name
        if key in CHOSEN and isinstance(inner.get(NAME), str):
            yield (*here, NAME), CHOSEN[key], base_name(inner[NAME])
        yield from _mentions(inner, here)

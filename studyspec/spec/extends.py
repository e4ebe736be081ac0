"""Extending: a study file laid over the file that it extends, each value with its own place."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from studyspec.errors import SpecError, StudySpecError
from studyspec.spec.layers import Layer
from studyspec.spec.problems import EXTENDS, Pointer
from studyspec.spec.syntax import parse
from studyspec.spec.wording import nearest, shown

PROFILES = "profiles"
STUDY = "study"
OWN = (STUDY, "claims")
"""What a file asks: it lends this to no other."""


@dataclass(frozen=True)
class StudyFile:
    """A study file with all that lies under it.

    `source` is its text, and after it that of each file below, headed by its name; `files` are the
    tables of each by itself.
    """

    layer: Layer
    source: str
    files: tuple[Layer, ...]


def read(path: Path) -> StudyFile:
    """A study file over the files that it extends.

    Raises
    ------
    StudySpecError
        If the file cannot be read.
    SpecError
        With the place, if a file is no TOML, or extends what cannot be extended.
    """
    return _extended(path, _text(path), ())


def profile_names(path: Path) -> tuple[str, ...]:
    """The names of the profiles of a study file, its own and those that lie under it; raises as
    `read`.
    """
    profiles = read(path).layer.table.get(PROFILES)
    return tuple(profiles) if isinstance(profiles, Mapping) else ()


def study_name(path: Path) -> str | None:
    """The name of the study in a file; None if there is none, or no such file."""
    study = _tables(path).get(STUDY)
    name = study.get("name") if isinstance(study, Mapping) else None
    return name if isinstance(name, str) else None


def extended(files: Iterable[Path]) -> frozenset[Path]:
    """Those of some files that another of them extends, and that are no study themselves."""
    tables = {file.resolve(): _tables(file) for file in files}
    named = {
        (path.parent / str(table[EXTENDS])).resolve()
        for path, table in tables.items()
        if EXTENDS in table
    }
    return frozenset(path for path in named if STUDY not in tables.get(path, {STUDY: {}}))


def _tables(file: Path) -> Mapping[str, object]:
    """The tables of a file; none if it cannot be read, which is told when it is loaded."""
    try:
        return tomllib.loads(_text(file))
    except (StudySpecError, ValueError, RecursionError):
        return {}


def _extended(path: Path, text: str, above: tuple[Path, ...]) -> StudyFile:
    """A file over those below it; `above` are the files that led to it."""
    own = parse(text, str(path))
    if EXTENDS not in own.table:
        return StudyFile(own, text, (own,))
    pointer = Pointer(str(path), own.entries)
    chain = (*above, path)
    named = own.table[EXTENDS]
    if not isinstance(named, str) or not named:
        what = f"expected the name of a file, got {shown(named)}"
        raise SpecError([pointer.problem((EXTENDS,), what)])
    below = path.parent / named
    if any(below.resolve() == one.resolve() for one in chain):
        names = " extends ".join(str(one) for one in (*chain, below))
        what = f"files extend each other in a circle: {names}"
        raise SpecError([pointer.problem((EXTENDS,), what, "let one of them extend nothing")])
    try:
        found = _text(below)
    except StudySpecError as error:
        what = error.what if below.exists() else f"no such file '{below}'"
        raise SpecError([pointer.problem((EXTENDS,), what, error.hint)]) from None
    base = _extended(below, found, chain)
    merged = _lent(base.layer).under(own.without(EXTENDS))
    entries = {**merged.entries, (): own.entries[()]}
    source = f"{text.rstrip()}\n\n# {'-' * 20} {named}\n\n{base.source}"
    return StudyFile(replace(merged, entries=entries), source, (own, *base.files))


def _lent(base: Layer) -> Layer:
    """What a file lends to those that extend it, in its profiles too."""
    profiles = base.table.get(PROFILES)
    names = profiles if isinstance(profiles, Mapping) else ()
    for own in OWN:
        for path in ((own,), *((PROFILES, name, own) for name in names)):
            base = base.less(path)
    return base


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise StudySpecError("no such study file", where=str(path), hint=_similar(path)) from None
    except UnicodeDecodeError as error:
        what = f"not UTF-8 text, from byte {error.start} on"
        raise StudySpecError(what, where=str(path), hint="save it as UTF-8") from None
    except OSError as error:
        raise StudySpecError(f"cannot be read: {error.strerror}", where=str(path)) from None


def _similar(path: Path) -> str:
    around = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
    return nearest(path.name, around) or "name a TOML file, or make one: studyspec init DIR"

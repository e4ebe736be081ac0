"""Loading: from a TOML file to a valid Study, or to every problem in it at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studyspec.errors import Problem, SpecError, StudySpecError
from studyspec.spec.places import places
from studyspec.spec.problems import Pointer, explain, nearest
from studyspec.spec.references import reference_problems
from studyspec.spec.study import Study
from studyspec.spec.variants import merged

COMMON = "common"


@dataclass(frozen=True)
class LoadedStudy:
    """A valid study, where it came from, and how to point into its file.

    `root` is the nearest folder above the file that holds the catalog, else the file's own folder.
    """

    study: Study
    path: Path
    root: Path
    source: str
    profile: str | None
    pointer: Pointer

    def problem(self, path: Sequence[str | int], what: str, hint: str = "") -> Problem:
        """A problem found later, at a path of the study such as ("datasets", "Ag", "material")."""
        return self.pointer.problem(path, what, hint)


def load(path: Path, profile: str | None = None) -> LoadedStudy:
    """Read and validate a study file.

    Raises
    ------
    StudySpecError
        If the file cannot be read.
    SpecError
        With every problem found, each with line, column and a way out.
    """
    source = _read(path)
    table = _parse(source, str(path))
    profiles = table.pop("profiles", {})
    plain = Pointer(str(path), places(source))
    if profile is not None:
        if profile not in profiles:
            raise _unknown_profile(path, profile, profiles)
        table = merged(table, profiles[profile])
    pointer = Pointer(plain.file, plain.entries, profile)
    study = _validate(_with_common(table), pointer)
    problems = list(reference_problems(study, pointer))
    if problems:
        raise SpecError(problems)
    root = _root(path, study.catalog.path)
    return LoadedStudy(study, path, root, source, profile, pointer)


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudySpecError("no such study file", where=str(path), hint=_similar(path)) from None
    except (OSError, UnicodeDecodeError) as error:
        raise StudySpecError(f"cannot be read: {error}", where=str(path)) from None


def _similar(path: Path) -> str:
    around = [p.name for p in path.parent.glob("*.toml")] if path.parent.is_dir() else []
    return nearest(path.name, around) or "name a TOML file, or make one: studyspec init DIR"


def _parse(source: str, file: str) -> dict[str, Any]:
    try:
        return tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        lines = source.split("\n")
        found = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        line, column = (int(found[1]), int(found[2])) if found else (len(lines), 1)
        what = re.sub(r" \(at .*\)$", "", str(error))
        raise SpecError(
            [Problem(file, line, column, f"not valid TOML: {what}", "", lines[line - 1])]
        ) from None


def _unknown_profile(path: Path, profile: str, profiles: Mapping[str, Any]) -> StudySpecError:
    hint = nearest(profile, list(profiles)) or "the file has no [profiles]"
    return StudySpecError(f"unknown profile '{profile}'", where=str(path), hint=hint)


def _with_common(table: dict[str, Any]) -> dict[str, Any]:
    """The study with every dataset started from `[datasets.common]`."""
    datasets = table.get("datasets")
    if not isinstance(datasets, Mapping) or not isinstance(datasets.get(COMMON, {}), Mapping):
        return table
    common = datasets.get(COMMON, {})
    started = {
        name: {**common, **own} if isinstance(own, Mapping) else own
        for name, own in datasets.items()
        if name != COMMON
    }
    return {**table, "datasets": started}


def _validate(table: dict[str, Any], pointer: Pointer) -> Study:
    try:
        return Study.model_validate(table)
    except ValidationError as error:
        problems = list(explain(error, pointer, Study))
        problems += _variants_alone(table, pointer)
        raise SpecError(list(dict.fromkeys(problems))) from None


def _variants_alone(table: dict[str, Any], pointer: Pointer) -> Iterator[Problem]:
    """Problems of variants, found although the rest of the study is not valid."""
    variants = table.get("variants", {})
    try:
        around = Study.model_validate(
            {"study": {"name": "x"}, "datasets": {"x": {}}, "variants": variants}
        )
    except ValidationError:
        return
    from studyspec.spec.references import variant_problems

    yield from variant_problems(around, pointer, check_names=False)


def _root(path: Path, catalog: str) -> Path:
    folder = path.absolute().parent
    for candidate in (folder, *folder.parents):
        if (candidate / catalog).exists():
            return candidate
    return folder

"""Loading: from a TOML file to a valid Study, or to every problem in it at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import JsonValue, ValidationError

from studyspec.errors import Problem, SpecError
from studyspec.spec.exclusive import exclusive_problems
from studyspec.spec.extends import PROFILES, read
from studyspec.spec.fillable import cell_problems
from studyspec.spec.layers import Layer
from studyspec.spec.names import COMMON
from studyspec.spec.origins import origin_problems
from studyspec.spec.packages import package_problems
from studyspec.spec.piecewise import Parts
from studyspec.spec.problems import Pointer, explain
from studyspec.spec.references import reference_problems
from studyspec.spec.size import size_problems
from studyspec.spec.study import Study
from studyspec.spec.variant_problems import variant_problems
from studyspec.spec.variants import Variant, expand
from studyspec.spec.wording import nearest, shown

Parsed = tuple[Study, tuple[Variant, ...]]


@dataclass(frozen=True)
class LoadedStudy:
    """A valid study with its variants, where it came from, and how to point into its file.

    `root` is the nearest folder above the file that holds the catalog, else the file's own folder;
    `source` the text of the file and of those that it extends.
    """

    study: Study
    variants: tuple[Variant, ...]
    path: Path
    root: Path
    source: str
    profile: str | None
    pointer: Pointer

    @property
    def file(self) -> str:
        """The file as seen from the project root."""
        path = self.path.absolute()
        inside = path.is_relative_to(self.root)
        return path.relative_to(self.root).as_posix() if inside else path.name

    @property
    def tables(self) -> dict[str, JsonValue]:
        """The study as it is meant, as JSON."""
        return self.study.model_dump(mode="json", by_alias=True)

    def problem(
        self, path: Sequence[str | int], what: str, hint: str = "", *, at_key: bool = False
    ) -> Problem:
        """A problem found later, at a path of the study such as ("datasets", "Ag", "material").

        It points at the value there, or at the key; at the nearest table if neither is written.
        """
        point = self.pointer.at_key if at_key else self.pointer.problem
        return point(path, what, hint)


def load(path: Path, profile: str | None = None, max_jobs: int | None = None) -> LoadedStudy:
    """Read and validate a study file; one of more jobs than `max_jobs` is refused unmade.

    The file, over those that it extends, is checked as a whole: with the profile asked for, and
    every other profile too.

    Raises
    ------
    StudySpecError
        If the file cannot be read.
    SpecError
        With every problem found, each with line, column and a way out.
    """
    whole = read(path)
    file = whole.layer
    layers = dict(_profiles(file))
    problems = list(_file_problems(file, layers, profile, str(path)))
    problems += (p for one in whole.files for p in exclusive_problems(one, str(path)))
    plain = file.without(PROFILES)
    chosen = plain if profile is None else layers.get(profile, plain)
    for layer in (chosen, *layers.values()):
        at = Pointer(str(path), layer.with_common().entries)
        if too_many := list(size_problems(layer.table, at, max_jobs)):
            raise SpecError([*problems, *too_many])
    parsed, found = _validate(chosen, str(path))
    problems += found
    for name, layer in layers.items():
        if name != profile:
            problems += _own_problems(file, name, layer, str(path))
    if parsed is None or problems:
        raise SpecError(list(dict.fromkeys(problems)))
    study, variants = parsed
    root = _root(path, study.catalog.path)
    pointer = Pointer(str(path), chosen.with_common().entries)
    return LoadedStudy(study, variants, path, root, whole.source, profile, pointer)


def _profiles(file: Layer) -> Iterator[tuple[str, Layer]]:
    """The file under each of its profiles."""
    profiles = file.table.get(PROFILES)
    for name, table in profiles.items() if isinstance(profiles, Mapping) else ():
        if isinstance(table, Mapping):
            yield name, file.without(PROFILES).under(file.within(PROFILES, name))


def _file_problems(
    file: Layer, layers: Mapping[str, Layer], profile: str | None, path: str
) -> Iterator[Problem]:
    """What is wrong with the file around its studies."""
    pointer = Pointer(path, file.entries)
    profiles = file.table.get(PROFILES, {})
    tables = profiles.items() if isinstance(profiles, Mapping) else [("", profiles)]
    for name, table in tables:
        if not isinstance(table, Mapping):
            where = (PROFILES, name) if name else (PROFILES,)
            yield pointer.problem(where, f"expected a table, got {shown(table)}")
    if profile is not None and profile not in layers:
        hint = f"the file has {', '.join(layers)}" if layers else "the file has no profiles"
        close = nearest(profile, layers).partition("expected")[0]
        yield pointer.at_key((PROFILES,), f"unknown profile '{profile}'", f"{close} {hint}".strip())


def _own_problems(file: Layer, name: str, layer: Layer, path: str) -> Iterator[Problem]:
    """The problems that stand in the tables of a profile that is not chosen."""
    entries = file.within(PROFILES, name).entries.values()
    own = {
        (p.file or path, p.line, p.column) for entry in entries for p in (entry.key, entry.value)
    }
    for problem in _validate(layer, path)[1]:
        if (problem.file, problem.line, problem.column) in own:
            yield problem


def _validate(layer: Layer, path: str) -> tuple[Parsed | None, list[Problem]]:
    """The study of a layer with its variants, if it is one, and every problem of it."""
    whole = layer.with_common()
    pointer = Pointer(path, whole.entries)
    table = whole.table
    problems = [*_reserved(layer, pointer), *package_problems(table, pointer)]
    study: Study | None = None
    try:
        study = Study.model_validate(table)
    except ValidationError as error:
        problems += explain(error, pointer, Study, table)
    parts = Parts.of(table)
    problems += variant_problems(parts, pointer)
    problems += reference_problems(parts, table, pointer)
    if study is None or problems:
        return None, problems
    variants = expand(study)
    problems += cell_problems(study, variants, pointer)
    problems += origin_problems(study, variants, pointer)
    return (study, variants), problems


def _reserved(layer: Layer, pointer: Pointer) -> Iterator[Problem]:
    """Tables that mean something else than the user hopes."""
    datasets = layer.table.get("datasets")
    common = datasets.get(COMMON, {}) if isinstance(datasets, Mapping) else {}
    if not isinstance(common, Mapping):
        what = f"expected a table of conditions, got {shown(common)}"
        yield pointer.problem(("datasets", COMMON), what)


def _root(path: Path, catalog: str) -> Path:
    folder = path.absolute().parent
    for candidate in (folder, *folder.parents):
        if (candidate / catalog).exists():
            return candidate
    return folder

"""Origins: the networks of a study that others start from, and what can be wrong with them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studyspec.errors import Problem
from studyspec.spec.names import BASE, stem, union_members
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer
from studyspec.spec.starts import FRESH, start_of
from studyspec.spec.study import Study
from studyspec.spec.variants import Variant
from studyspec.spec.wording import nearest

TABLE = ("training", "start_from")
SETTING = ".".join(TABLE)


@dataclass(frozen=True)
class Origin:
    """The networks of a training set in a variant, from which others start fold by fold."""

    variant: Variant
    train: str


def origins(variant: Variant, variants: Mapping[str, Variant]) -> tuple[Origin, ...]:
    """What the networks of a variant of a valid study started from, the nearest first."""
    found: list[Origin] = []
    while (start := start_of(variant.settings)) and start.train is not None:
        variant = variants[start.variant]
        found.append(Origin(variant, start.train))
    return tuple(found)


def origin_path(variant: str) -> Path:
    """Where a variant says what its networks start from."""
    return TABLE if stem(variant) == BASE else ("variants", stem(variant), *TABLE)


def origin_problems(
    study: Study, variants: Sequence[Variant], pointer: Pointer
) -> Iterator[Problem]:
    """Everything that a network of the study cannot start from, once each."""
    known = {variant.name: variant for variant in variants}
    found: dict[Problem, None] = {}
    for variant in variants:
        found |= dict.fromkeys(_problems(study, variant, known, pointer))
    yield from found
    if study.search is not None:
        swept = any(name.startswith(SETTING) for name in study.search.space)
        if swept or start_of(study.stage) is not None:
            what = "a search trains from fresh weights"
            yield pointer.problem(
                ("search", "space"), what, f"let {SETTING} be '{FRESH}' but in variants"
            )


def _problems(
    study: Study, variant: Variant, known: Mapping[str, Variant], pointer: Pointer
) -> Iterator[Problem]:
    start = start_of(variant.settings)
    if start is None or start.train is None:
        return
    for name in union_members(start.train):
        if name in study.networks:
            what = f"'{name}' is a foreign network"
            hint = f'start from its file: {SETTING}.weights = "..."'
            yield pointer.problem(_place(variant, "train", pointer), what, hint)
        elif name not in study.datasets:
            hint = nearest(name, study.datasets)
            what = f"unknown dataset '{name}'"
            yield pointer.problem(_place(variant, "train", pointer), what, hint)
    place = _place(variant, "variant", pointer)
    searched = study.search.variant if study.search else None
    if start.variant == searched:
        what = f"'{searched}' is found by a search, and nothing starts from it"
        yield pointer.problem(place, what, "start from a variant with settings of its own")
    elif start.variant not in known:
        points = [name for name in known if stem(name) == start.variant]
        hint = f"name one point of its sweep, as '{points[0]}'" if points else ""
        what = f"unknown variant '{start.variant}'"
        yield pointer.problem(place, what, hint or nearest(start.variant, known))
    elif _goes_round(variant, known):
        what = f"the networks of '{variant.name}' would start from one another, round and round"
        yield pointer.problem(place, what, f"let one variant have {SETTING} = '{FRESH}'")
    else:
        yield from _unlike(variant, known[start.variant], place, pointer)


def _unlike(variant: Variant, origin: Variant, place: Path, pointer: Pointer) -> Iterator[Problem]:
    """What of two variants must be alike where the networks of one start from the other's."""
    if variant.settings.model != origin.settings.model:
        what = f"[model] of '{variant.name}' is not that of '{origin.name}'"
        yield pointer.problem(place, what, "weights fit one architecture only: let both be alike")
    ours, theirs = (one.settings.cross_validation for one in (variant, origin))
    if ours.repeats > 1 and (ours.folds, ours.repeats) != (theirs.folds, theirs.repeats):
        what = f"'{variant.name}' repeats its {ours.folds} folds otherwise than '{origin.name}'"
        yield pointer.problem(place, what, "each starts from the same fold: let both be alike")
    elif ours.folds > theirs.folds:
        what = f"'{variant.name}' has {ours.folds} folds and '{origin.name}' has {theirs.folds}"
        yield pointer.problem(place, what, "each starts from the same fold: let both be alike")


def _goes_round(variant: Variant, known: Mapping[str, Variant]) -> bool:
    seen = {variant.name}
    while (start := start_of(variant.settings)) and start.train is not None:
        if start.variant in seen:
            return True
        if start.variant not in known:
            return False
        seen.add(start.variant)
        variant = known[start.variant]
    return False


def _place(variant: Variant, key: str, pointer: Pointer) -> Path:
    """Where the file says a part of a variant's start: in the variant, its sweep, or the study."""
    own: Path = () if stem(variant.name) == BASE else ("variants", stem(variant.name))
    for path in ((*own, *TABLE), (*own, "sweep", f"{SETTING}.{key}"), TABLE):
        if any(known[: len(path)] == path for known in pointer.entries):
            return path if "sweep" in path else (*path, key)
    return own

"""Cells: whether a valid study fills the cells, and scores the parts, that its claims need."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studyspec.errors import Problem
from studyspec.spec.claims import Prediction, Selector
from studyspec.spec.dotted import setting_names
from studyspec.spec.names import OTHERS, OWN, stem
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer
from studyspec.spec.study import Study
from studyspec.spec.variants import Variant, chosen_variants
from studyspec.spec.wording import nearest


def cell_problems(study: Study, variants: Sequence[Variant], pointer: Pointer) -> Iterator[Problem]:
    """Every claim that the study cannot judge, whatever its results."""
    for i, claim in enumerate(study.claims):
        for j, prediction in enumerate(claim.predictions):
            where: Path = ("claims", i, "all", j) if claim.all else ("claims", i)
            yield from _prediction(prediction, variants, where, pointer)


def _prediction(
    prediction: Prediction, variants: Sequence[Variant], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    for side, selector in prediction.sides.items():
        chosen = _chosen(selector, variants)
        yield from _cells(selector, chosen, (*where, side), pointer)
        yield from _splits(selector, chosen, (*where, side), pointer)
        if selector.best_over is not None:
            place = (*where, side, "best_over")
            yield from _swept(selector.best_over, chosen, place, pointer)
    trend = prediction.trend
    if trend is not None and prediction.left is not None and "." in trend.over:
        chosen = _chosen(prediction.left, variants)
        yield from _swept(trend.over, chosen, (*where, "trend", "over"), pointer)


def _chosen(selector: Selector, variants: Sequence[Variant]) -> list[Variant]:
    names = chosen_variants(selector.variant, (variant.name for variant in variants))
    return [variant for variant in variants if variant.name in names]


def _cells(
    selector: Selector, chosen: Sequence[Variant], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    missing: dict[str, str] = {}
    for variant in chosen:
        for train in _several(selector.train):
            for test in _several(selector.test):
                if not _filled(variant, train, test):
                    missing.setdefault(f"{train} {test}", _lack(variant, train, test))
    for what in missing.values():
        yield pointer.problem((*where, "test"), what, "no cell of the matrix answers this")


def _filled(variant: Variant, train: str, test: str) -> bool:
    if test == OWN:
        return (train, train) in variant.pairs
    if test == OTHERS:
        return any(a == train and b != train for a, b in variant.pairs)
    return (train, test) in variant.pairs


def _lack(variant: Variant, train: str, test: str) -> str:
    on = {OWN: "its own set", OTHERS: "any other set"}.get(test, f"'{test}'")
    return f"variant '{variant.name}' does not test '{train}' on {on}"


def _splits(
    selector: Selector, chosen: Sequence[Variant], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    drop = selector.metric == "dice_drop"
    for variant in chosen:
        for split in ("train", "test") if drop else (selector.split,):
            if split not in variant.settings.evaluation.splits:
                key = "metric" if drop else "split"
                what = f"split '{split}' is not scored in variant '{variant.name}'"
                yield pointer.problem((*where, key), what, "add it to evaluation.splits")
                return


def _swept(
    setting: str, chosen: Sequence[Variant], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    if setting not in setting_names():
        yield pointer.problem(
            where, f"unknown setting '{setting}'", nearest(setting, setting_names())
        )
    elif len({str(variant.changes.get(setting)) for variant in chosen}) < 2:
        stems = ", ".join(dict.fromkeys(stem(variant.name) for variant in chosen))
        what = f"'{setting}' has only one value in variant '{stems}'"
        yield pointer.problem(where, what, "name a variant with a sweep of it")


def _several(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names

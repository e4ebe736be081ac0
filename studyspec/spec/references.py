"""References: whether the names in matrix, variants and claims are names of the study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studyspec.errors import Problem
from studyspec.spec.names import BASE, COMMON, OTHERS, OWN, stem, union_members
from studyspec.spec.piecewise import Parts
from studyspec.spec.places import Path
from studyspec.spec.problems import Pointer
from studyspec.spec.variants import lists_of, named, points
from studyspec.spec.wording import nearest


def reference_problems(
    parts: Parts, table: Mapping[str, object], pointer: Pointer
) -> Iterator[Problem]:
    """Every name that the study does not have, in the matrix, the variants and the claims."""
    for name in parts.networks:
        if name in parts.datasets:
            what = f"'{name}' is a dataset and a network"
            yield pointer.at_key(("networks", name), what, "rename one of them")
    matrices: dict[Path, object] = {("matrix",): table.get("matrix")}
    for name, variant in parts.variants.items():
        matrices[("variants", name, "matrix")] = variant.get("matrix")
    for where, matrix in matrices.items():
        for path, name in texts(matrix, where):
            inside = path[len(where) :]
            trains = inside[:1] == ("train",) or (inside[:1] == ("pairs",) and inside[-1] == 0)
            yield from _set_name(parts, name, path, pointer, trains)
    search = table.get("search")
    for path, name in (
        texts(search.get("datasets"), ("search", "datasets")) if isinstance(search, Mapping) else ()
    ):
        yield from _set_name(parts, name, path, pointer, trains=False)
    if parts.searched in parts.variants:
        what = f"'{parts.searched}' is a variant already"
        yield pointer.problem(("search", "variant"), what, "give search.variant another name")
    for where, selector in _selectors(table.get("claims")):
        yield from _selector(parts, selector, where, pointer)


def _selectors(claims: object) -> Iterator[tuple[Path, Mapping[str, object]]]:
    """Every left and right of the claims as written, with its path."""
    for where, claim in _tables(claims, ("claims",)):
        for at, prediction in ((where, claim), *_tables(claim.get("all"), (*where, "all"))):
            for side in ("left", "right"):
                selector = prediction.get(side)
                if isinstance(selector, Mapping):
                    yield (*at, side), selector


def _tables(value: object, path: Path) -> Iterator[tuple[Path, Mapping[str, object]]]:
    for i, table in enumerate(value if isinstance(value, list) else ()):
        if isinstance(table, Mapping):
            yield (*path, i), table


def texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    """Every text in nested tables and lists, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from texts(inner, (*path, key))
    elif isinstance(value, list | tuple):
        for i, inner in enumerate(value):
            yield from texts(inner, (*path, i))


def _set_name(
    parts: Parts, name: str, where: Path, pointer: Pointer, trains: bool
) -> Iterator[Problem]:
    """`trains`: the name stands for what was trained on, where a foreign network may stand."""
    if trains and name in parts.networks:
        return
    for member in union_members(name):
        if member == COMMON:
            hint = "'common' is where every filter starts, and selects nothing itself"
            yield pointer.problem(where, "'common' is no dataset", hint)
        elif member in parts.networks and member not in parts.datasets:
            what = f"'{member}' is a network: it stands alone, and nothing is tested on it"
            yield pointer.problem(where, what, "name datasets here")
        elif member and parts.datasets and member not in parts.datasets:
            hint = nearest(member, (*parts.datasets, *(parts.networks if trains else ())))
            yield pointer.problem(where, f"unknown dataset '{member}'", hint)


def _selector(
    parts: Parts, selector: Mapping[str, object], where: Path, pointer: Pointer
) -> Iterator[Problem]:
    for key in ("train", "test"):
        for path, name in texts(selector.get(key), (*where, key)):
            if key == "train" or name not in (OWN, OTHERS):
                yield from _set_name(parts, name, path, pointer, key == "train")
    names = list(variant_names(parts))
    for path, name in texts(selector.get("variant", BASE), (*where, "variant")):
        if name not in names:
            dropped = name == BASE and not parts.base
            hint = "[study] has base = false" if dropped else nearest(name, names)
            yield pointer.problem(path, f"unknown variant '{name}'", hint)


def variant_names(parts: Parts) -> Iterator[str]:
    """What a claim may call a variant: each by itself, a swept one also without its point."""
    swept: dict[str, object] = {BASE: parts.sweep} if parts.base or parts.sweep else {}
    swept |= {parts.searched: {}} if parts.searched else {}
    swept |= {name: table.get("sweep", {}) for name, table in parts.variants.items()}
    for name, sweep in swept.items():
        for point in points(lists_of(sweep)):
            yield named(name, point)
        yield stem(name)

"""Names: what datasets, unions and variants may be called. Knows no study."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from studyspec.plugins.settings import fault

BASE = "base"
COMMON = "common"
OWN, OTHERS = "own", "others"
QUOTES = "'\"`\\"


def union_members(name: str) -> tuple[str, ...]:
    """The datasets of a union: "Au+Ag" is Au and Ag; a plain name is itself."""
    return tuple(member.strip() for member in name.split("+"))


def point_name(name: str, point: dict[str, str]) -> str:
    """The name of one point of a sweep: `noisy[augment.noise.rho=0.25]`."""
    values = ",".join(f"{setting}={value}" for setting, value in point.items())
    return f"{name}[{values}]" if point else name


def stem(name: str) -> str:
    """The variant that a point of a sweep belongs to: `noisy` of the above."""
    return name.partition("[")[0]


def _dataset(name: str) -> str:
    taken = {COMMON: "start of all filters", OWN: "word of claims", OTHERS: "word of claims"}
    if name in taken:
        raise _refused("dataset", name, f"that is the {taken[name]}")
    return _written("dataset", name, "+" + QUOTES)


def _network(name: str) -> str:
    if name in (COMMON, OWN, OTHERS):
        raise _refused("network", name, "that word means something else")
    return _written("network", name, "+" + QUOTES)


def _variant(name: str) -> str:
    if name == BASE:
        raise _refused("variant", name, "that is the study without changes")
    return _written("variant", name, "[]=," + QUOTES)


def _written(kind: str, name: str, refused: str) -> str:
    wrong = [c for c in name if c in refused or not c.isprintable()]
    if wrong:
        reason = "'+' joins datasets" if wrong[0] == "+" else f"leave out {wrong[0]!r}"
        raise _refused(kind, name, reason)
    if not name or name != name.strip():
        raise _refused(kind, name, "a name begins and ends with a visible character")
    return name


def _set(name: str) -> str:
    members = union_members(name)
    if not all(members):
        raise fault(f"'{name}' does not name a dataset on each side of '+'")
    if len(set(members)) < len(members):
        raise fault(f"'{name}' names a dataset twice")
    return "+".join(members)


def _refused(kind: str, name: str, reason: str) -> PydanticCustomError:
    return fault(f"a {kind} cannot be named {name!r}: {reason}")


DatasetName = Annotated[str, AfterValidator(_dataset)]
NetworkName = Annotated[str, AfterValidator(_network)]
VariantName = Annotated[str, AfterValidator(_variant)]
SetName = Annotated[str, Field(min_length=1), AfterValidator(_set)]

"""Names: what datasets, unions and variants may be called. Knows no study."""

from __future__ import annotations

from typing import Annotated, NamedTuple

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from studyspec.plugins.settings import fault

BASE = "base"
COMMON = "common"
OWN, OTHERS = "own", "others"
QUOTES = "'\"`\\"
JOINTS = "+:"
"""What "twin:384+real:128" is put together with."""


class Member(NamedTuple):
    """A dataset in a set of images, and how many of its images are drawn; None: all of them."""

    dataset: str
    take: int | None

    def __str__(self) -> str:
        return self.dataset if self.take is None else f"{self.dataset}:{self.take}"


def set_members(name: str) -> tuple[Member, ...]:
    """The members of a valid set: "twin:384+real" is 384 images of twin, and all of real."""
    parts = (part.partition(":") for part in name.split("+"))
    return tuple(Member(one.strip(), int(n) if colon else None) for one, colon, n in parts)


def union_members(name: str) -> tuple[str, ...]:
    """The datasets of a set: "Au+Ag" and "Au:8+Ag" are Au and Ag; a plain name is itself."""
    return tuple(part.partition(":")[0].strip() for part in name.split("+"))


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
    return _written("dataset", name, JOINTS + QUOTES)


def _network(name: str) -> str:
    if name in (COMMON, OWN, OTHERS):
        raise _refused("network", name, "that word means something else")
    return _written("network", name, JOINTS + QUOTES)


def _variant(name: str) -> str:
    if name == BASE:
        raise _refused("variant", name, "that is the study without changes")
    return _written("variant", name, "[]=," + QUOTES)


def _written(kind: str, name: str, refused: str) -> str:
    wrong = [c for c in name if c in refused or not c.isprintable()]
    if wrong:
        meant = {"+": "'+' joins datasets", ":": "':' stands before a number of images"}
        raise _refused(kind, name, meant.get(wrong[0], f"leave out {wrong[0]!r}"))
    if not name or name != name.strip():
        raise _refused(kind, name, "a name begins and ends with a visible character")
    return name


def _set(name: str) -> str:
    datasets = union_members(name)
    if not all(datasets):
        raise fault(f"'{name}' does not name a dataset on each side of '+'")
    if len(set(datasets)) < len(datasets):
        raise fault(f"'{name}' names a dataset twice")
    for _, colon, n in (part.partition(":") for part in name.split("+")):
        if colon and not (n.strip().isdecimal() and int(n) > 0):
            raise fault(f"'{name}' has {n.strip()!r} where a number of images stands, as 'Au:64'")
    return "+".join(map(str, set_members(name)))


def _refused(kind: str, name: str, reason: str) -> PydanticCustomError:
    return fault(f"a {kind} cannot be named {name!r}: {reason}")


DatasetName = Annotated[str, AfterValidator(_dataset)]
NetworkName = Annotated[str, AfterValidator(_network)]
VariantName = Annotated[str, AfterValidator(_variant)]
SetName = Annotated[str, Field(min_length=1), AfterValidator(_set)]

"""Which studies are asked for, and how a study file differs from what was run of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import JsonValue

from studyspec.plan.record import PlanRecord
from studyspec.plugins.contracts import Whereabouts

MANY = 6
"""So many differences are told."""


class Asked(NamedTuple):
    """A study and profile; text and tables of its file and where its images are, if known."""

    study: str
    profile: str | None = None
    source: str = ""
    spec: Mapping[str, JsonValue] | None = None
    at: Whereabouts | None = None

    def edited(self, plan: PlanRecord) -> str:
        """What of the file was edited since it ran, as a sentence; empty if nothing that counts."""
        if self.spec is None or self.source == plan.source:
            return ""
        found = list(dict.fromkeys(_differences(plan.spec, dict(self.spec))))
        if plan.looks is not None:  # each look adds repeats
            found = [name for name in found if name != "cross_validation.repeats"]
        if not found:
            return ""
        named = ", ".join(found[:MANY]) + (" and more" if len(found) > MANY else "")
        return (
            f"The study file was edited since it ran ({named}): what is told here is what ran. "
            "`studyspec run` brings it up to date; nothing known is done again."
        )


def _differences(old: JsonValue, new: JsonValue, path: tuple[str, ...] = ()) -> Iterator[str]:
    """The dotted names at which two tables differ."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in dict.fromkeys([*old, *new]):
            yield from _differences(old.get(name), new.get(name), (*path, name))
    elif old != new:
        yield ".".join(path)

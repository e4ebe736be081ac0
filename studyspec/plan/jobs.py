"""Jobs: what a worker can do, as frozen values. Knows what keys are made of, no more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from studyspec.spec.identity import digest

Stage = Literal["prepare", "measure", "train", "evaluate"]
STAGES: tuple[Stage, ...] = get_args(Stage)
"""In the order in which a run does them."""


@dataclass(frozen=True)
class Job:
    """One piece of work. Its key is the digest of its ingredients: all that decides the result.

    `needs` are the keys of the jobs whose results it reads; `inputs` say where things are and
    decide nothing; `title` is for people.
    """

    key: str
    stage: Stage
    ingredients: Mapping[str, Any]
    needs: tuple[str, ...] = ()
    inputs: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""

    @classmethod
    def of(
        cls,
        ingredients: Mapping[str, Any],
        needs: tuple[str, ...] = (),
        inputs: Mapping[str, Any] | None = None,
        title: str = "",
    ) -> Job:
        """The job of these ingredients, with its key."""
        stage: Stage = ingredients["stage"]
        return cls(digest(ingredients), stage, ingredients, needs, inputs or {}, title)

    def to_json(self) -> dict[str, Any]:
        """The job as JSON values."""
        return {
            "key": self.key,
            "stage": self.stage,
            "ingredients": dict(self.ingredients),
            "needs": list(self.needs),
            "inputs": dict(self.inputs),
            "title": self.title,
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Job:
        """The job that `to_json` wrote."""
        return cls(
            values["key"],
            values["stage"],
            values["ingredients"],
            tuple(values["needs"]),
            values["inputs"],
            values["title"],
        )

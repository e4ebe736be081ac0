"""The file of a model: the examples that it is made of, what they are from, how well it does.

A model is fitted anew whenever it is wanted, in a second: so the file holds numbers alone, and
nothing in it is run.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.resources import files as resources
from pathlib import Path

import numpy as np

from studyspec import files
from studyspec.errors import StoreError
from studyspec.trust.conditions import Conditions
from studyspec.trust.examples import IMAGES, Example
from studyspec.trust.predictors import NAMES
from studyspec.trust.validation import Held, Validation

FORM = 1
EVERY = IMAGES
SHIPPED = "shipped.json"


@dataclass(frozen=True)
class Learnt:
    """Examples, and what is to be said of them.

    Attributes
    ----------
    examples
        What a model is fitted to.
    source
        From what they were learnt, in words.
    digest
        Of the scores that they were drawn from.
    validation
        How well dice of held-out conditions are foretold; None if there are too few.
    """

    examples: tuple[Example, ...]
    source: str
    digest: str
    validation: Validation | None

    @property
    def told(self) -> str:
        """How many there are, and from what."""
        networks = len({one.network for one in self.examples})
        images = len({one.image_id for one in self.examples})
        conditions = len({one.condition for one in self.examples})
        return (
            f"{len(self.examples)} scores of {networks} networks on {images} images of "
            f"{conditions} conditions ({self.source})"
        )


def write(learnt: Learnt, path: Path) -> None:
    """Write what was learnt; equal values give equal bytes."""
    trained = {one.family: one.trained for one in learnt.examples}
    families = list(trained)
    conditions = list(
        dict.fromkeys(c for one in learnt.examples for c in (one.condition, *trained[one.family]))
    )
    rows = [
        [
            one.network[:16],
            families.index(one.family),
            one.image_id,
            conditions.index(one.condition),
            round(one.dice, 4),
            *(None if math.isnan(v) else float(f"{v:.4g}") for v in one.values),
        ]
        for one in learnt.examples
    ]
    told = {
        "form": FORM,
        "source": learnt.source,
        "digest": learnt.digest,
        "validation": None if learnt.validation is None else asdict(learnt.validation),
        "predictors": NAMES,
        "conditions": [one.written() for one in conditions],
        "families": families,
        "trained": [[conditions.index(c) for c in trained[family]] for family in families],
    }
    head = json.dumps(told, indent=1, ensure_ascii=False)[:-2]
    body = ",\n".join(json.dumps(row, separators=(",", ":"), ensure_ascii=False) for row in rows)
    files.write(path, f'{head},\n "examples": [\n{body}\n]\n}}\n')


def read(path: Path) -> Learnt:
    """Read what `write` wrote.

    Raises
    ------
    StoreError
        If it is no such file, or of another version.
    """
    try:
        return _parsed(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, KeyError, TypeError, IndexError) as error:
        raise StoreError(
            f"not what was learnt about trust: {error}",
            where=str(path),
            hint="delete it: it is learnt anew",
        ) from None


def shipped() -> Learnt:
    """What was learnt from the studies that come with this package."""
    return _parsed(resources("studyspec.trust").joinpath(SHIPPED).read_text(encoding="utf-8"))


def joined(first: Learnt, second: Learnt) -> tuple[Example, ...]:
    """The examples of both; of a (network, image, condition) in both, the second's."""

    def key(one: Example) -> tuple[str, str, Conditions]:
        return one.network[:16], one.image_id, one.condition

    both = {key(one): one for one in (*first.examples, *second.examples)}
    return tuple(both.values())


def _parsed(text: str) -> Learnt:
    told = json.loads(text)
    if told["form"] != FORM or tuple(told["predictors"]) != NAMES:
        raise ValueError("it is of another version")
    conditions = [Conditions(**one) for one in told["conditions"]]
    families = [
        (family, tuple(conditions[i] for i in its))
        for family, its in zip(told["families"], told["trained"], strict=True)
    ]
    return Learnt(
        tuple(_example(row, families, conditions) for row in told["examples"]),
        told["source"],
        told["digest"],
        _validation(told["validation"]),
    )


def _example(
    row: Sequence[str | int | float | None],
    families: Sequence[tuple[str, tuple[Conditions, ...]]],
    conditions: Sequence[Conditions],
) -> Example:
    network, family, image, condition, dice, *numbers = row
    if len(numbers) != len(NAMES):
        raise ValueError("an example has another number of predictors")
    name, trained = families[int(family or 0)]
    return Example(
        str(network),
        name,
        str(image),
        conditions[int(condition or 0)],
        float(dice or 0),
        np.array([math.nan if v is None else float(v) for v in numbers]),
        trained,
    )


def _validation(told: dict[str, object] | None) -> Validation | None:
    if told is None:
        return None
    values: dict[str, object] = dict(told)
    held = values.pop("held")
    if not isinstance(held, list):
        raise ValueError("its validation has no conditions")
    return Validation(held=tuple(Held(**one) for one in held), **values)  # type: ignore[arg-type]

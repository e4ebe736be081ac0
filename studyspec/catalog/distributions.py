"""Distributions: what a column of new rows is drawn from, where it is no one number."""

from __future__ import annotations

import math
import re
import zlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from studyspec.errors import StudySpecError

FORM = "write normal(MEAN, SD) or uniform(LEAST, MOST)"
CALL = re.compile(r"\s*([a-z]+)\s*\(([^()]*)\)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class Distribution:
    """Normal, of a mean and a standard deviation, or uniform, between two numbers."""

    kind: Literal["normal", "uniform"]
    first: float
    second: float

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """A distribution from its text, as normal(5, 3).

        Raises
        ------
        StudySpecError
            Saying what of the text is wrong.
        """
        found = CALL.fullmatch(text)
        if found is None:
            raise StudySpecError(f"'{text}' is no distribution", hint=FORM)
        kind, given = found[1].lower(), found[2].split(",")
        try:
            first, second = (float("no" if "_" in one else one) for one in given)
        except ValueError:
            raise StudySpecError(f"'{text}' needs two numbers", hint=FORM) from None
        if not (math.isfinite(first) and math.isfinite(second)):
            raise StudySpecError(f"'{text}' is not finite", hint=FORM)
        if kind == "normal":
            if second < 0:
                raise StudySpecError(f"'{text}' has a negative deviation", hint=FORM)
            return cls("normal", first, second)
        if kind == "uniform":
            if second < first:
                raise StudySpecError(f"'{text}' ends before it begins", hint=FORM)
            return cls("uniform", first, second)
        raise StudySpecError(f"no distribution '{kind}'", hint=FORM)

    def __str__(self) -> str:
        """As it is written, without spaces."""
        return f"{self.kind}({self.first:g},{self.second:g})"

    def draw(self, seed: int, column: str) -> float:
        """A number with six digits; the same for the same seed and column."""
        rng = np.random.default_rng((seed, zlib.crc32(column.encode())))
        if self.kind == "normal":
            return _short(rng.normal(self.first, self.second))
        return _short(rng.uniform(self.first, self.second))


def _short(value: float) -> float:
    return float(f"{value:.6g}") + 0.0  # without minus zero

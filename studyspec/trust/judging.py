"""Judging: on which images can which network be trusted? Brings the room together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from studyspec.learn.networks import NetworkFile
from studyspec.trust.conditions import Conditions
from studyspec.trust.evidence import Asked, Found, Preview, evidence
from studyspec.trust.examples import Example
from studyspec.trust.learning import Knowledge
from studyspec.trust.model import Expected, TrustModel
from studyspec.trust.predictors import NAMES, values_of
from studyspec.trust.reasons import reasons
from studyspec.trust.subjects import Subject, subjects


@dataclass(frozen=True)
class Judged:
    """What to expect of one network on one image.

    Attributes
    ----------
    network, network_sha256, trained_on
        Its name, its hash, and what it was trained on in words; "" where nothing is known.
    image, conditions
        The file, and how the image was taken, as far as it is known.
    expected
        Dice with its interval, and the baselines.
    reasons
        Why, in words.
    notes
        What else a user should know.
    predictors
        All numbers by name, None where unknown.
    preview
        To look at.
    """

    network: str
    network_sha256: str
    trained_on: str
    image: Path
    conditions: Conditions
    expected: Expected
    reasons: tuple[str, ...]
    notes: tuple[str, ...]
    predictors: dict[str, float | None]
    preview: Preview


def judge(
    networks: Sequence[NetworkFile],
    images: Sequence[Asked],
    known: Knowledge,
    device: str = "cpu",
    on_judged: Callable[[Judged], None] = lambda judged: None,
) -> tuple[Judged, ...]:
    """Judge every network on every image, the most doubtful first.

    Raises
    ------
    LearnError, FileError, PluginError
        Naming the file.
    """
    asked = subjects(networks, known.store)
    model = TrustModel.fit(known.examples)
    judged = []
    for image in images:
        for found in evidence(asked, image, device):
            one = _judged(found, model)
            on_judged(one)
            judged.append(one)
    return tuple(sorted(judged, key=lambda one: (one.expected.dice, one.image.name, one.network)))


def _judged(found: Found, model: TrustModel) -> Judged:
    subject = found.subject
    values = values_of(found.evidence)
    example = Example(subject.file.sha256, subject.family, found.image.path.name,
                      found.prepared, float("nan"), values, subject.trained)  # fmt: skip
    expected = model.expected(example)
    return Judged(
        subject.name,
        subject.file.sha256,
        _told(subject),
        found.image.path,
        found.image.conditions,
        expected,
        reasons(found, example, model),
        tuple(_notes(found)),
        {name: None if np.isnan(v) else float(v) for name, v in zip(NAMES, values, strict=True)},
        found.preview,
    )  # fmt: skip


def _told(subject: Subject) -> str:
    return "; ".join(one.text for one in subject.trained)


def _notes(found: Found) -> Iterator[str]:
    yield from found.notes
    if found.parts > 1:
        yield f"judged by {found.parts} parts of the image, evenly spread"

"""The trust page: one offline HTML file of images, networks and what to expect of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from PIL import Image

from studyspec.files import write as write_whole
from studyspec.report.drawings import with_rows
from studyspec.report.embedding import policy, safe_json, script_text, vega_bundle
from studyspec.report.page import shipped
from studyspec.report.theme import CONFIG
from studyspec.report.trust_map import COLUMNS, Place, drawing
from studyspec.trust.conditions import Conditions
from studyspec.trust.evidence import Preview
from studyspec.trust.examples import Example
from studyspec.trust.judging import Judged
from studyspec.trust.validation import Validation

COVER = 0.45
INK = (0, 114, 178)
QUALITY = 80


@dataclass(frozen=True)
class _Row:
    """A row of the table, as text."""

    image: str
    network: str
    trained_on: str
    dice: str
    interval: str
    nearest: str
    confidence: str
    outside: str
    why: str
    below: bool
    picture: str
    width: int
    height: int


def write(
    judged: Sequence[Judged],
    examples: Sequence[Example],
    threshold: float,
    learnt_from: str,
    validation: Validation | None,
    out: Path,
) -> None:
    """Write the page, whole or not at all; `judged` is in the order of doubt."""
    css = shipped("page.css") + shipped("trust.css")
    js, bundle = script_text(shipped("trust.js")), vega_bundle()
    found = drawing([*_tested(examples), *_trained(examples)])
    data = {} if found is None else {"spec": with_rows(found), "config": CONFIG}
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    text = environment.from_string(shipped("trust.html")).render(
        policy=Markup(policy([bundle, js], [css])),  # ours, hashed and checked
        css=Markup(css),
        js=Markup(js),
        bundle=Markup(bundle),
        data=Markup(safe_json(data)),
        map=found,
        rows=[_row(one, threshold) for one in judged],
        networks={one.network_sha256 for one in judged},
        outcome=_outcome(judged, threshold),
        learnt_from=learnt_from,
        validation=validation,
        beats=validation is not None and validation.beats_both,
        verdict=_verdict(validation),
    )
    write_whole(out, text)


def _outcome(judged: Sequence[Judged], threshold: float) -> str:
    best: dict[Path, float] = {}
    for one in judged:
        best[one.image] = max(best.get(one.image, 0.0), one.expected.dice)
    reached = sum(dice >= threshold for dice in best.values())
    outside = len({one.image for one in judged if one.expected.outside})
    told = f"On {reached} of {len(best)} images a dice of {threshold:g} or more is expected"
    return f"{told}; {outside} lie in some way outside what was ever tested." if outside else (
        f"{told}."
    )  # fmt: skip


def _verdict(validation: Validation | None) -> str:
    if validation is None:
        return "There are too few conditions to say how well this foretells dice."
    return (
        f"On held-out conditions the model errs by {validation.error:.3f}; the nearest tested "
        f"condition by {validation.nearest_error:.3f}, soft dice confidence alone by "
        f"{validation.confidence_error:.3f}."
    )


def _row(one: Judged, threshold: float) -> _Row:
    expected = one.expected
    height, width = one.preview.pixels.shape
    return _Row(
        image=one.image.name,
        network=one.network,
        trained_on=one.trained_on,
        dice=f"{expected.dice:.2f}",
        interval=f"{expected.low:.2f} to {expected.high:.2f}",
        nearest="" if expected.nearest is None else f"{expected.nearest:.2f}",
        confidence=f"{expected.confidence:.2f}",
        outside="; ".join(expected.outside),
        why="; ".join([*one.reasons, *one.notes]),
        below=expected.dice < threshold,
        picture=_picture(one.preview),
        width=width,
        height=height,
    )


def _picture(preview: Preview) -> str:
    """The image with its answer in blue, as an address that holds it."""
    colour = np.repeat(preview.pixels[..., None], 3, axis=2).astype(np.float64)
    colour[preview.mask] = (1 - COVER) * colour[preview.mask] + COVER * np.array(INK)
    out = io.BytesIO()
    Image.fromarray(colour.astype(np.uint8)).save(out, "JPEG", quality=QUALITY)
    return "data:image/jpeg;base64," + base64.b64encode(out.getvalue()).decode()


def _tested(examples: Sequence[Example]) -> Iterator[Place]:
    by: dict[Conditions, list[float]] = {}
    for one in examples:
        by.setdefault(one.condition, []).append(one.dice)
    for condition, dice in by.items():
        yield Place(_values(condition), float(np.mean(dice)), len(dice))


def _trained(examples: Sequence[Example]) -> Iterator[Place]:
    for condition in dict.fromkeys(c for one in examples for c in one.trained):
        yield Place(_values(condition))


def _values(condition: Conditions) -> dict[str, object]:
    return {column: getattr(condition, column) for column, _ in COLUMNS.values()}

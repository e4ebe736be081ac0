"""The page of a test: networks with their dice, then the images, worst first, with overlays."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from jinja2 import Environment, StrictUndefined

from studyspec.files import write
from studyspec.jobs.kept import KeptPatch
from studyspec.report.embedding import policy
from studyspec.report.gallery import draw
from studyspec.stats.tested import ImageScore, NetworkScore


@dataclass(frozen=True)
class Overlay:
    """A patch as a network sees it: a picture as a data address, its bar, and its dice."""

    network: str
    address: str
    bar: str
    dice: str


@dataclass(frozen=True)
class ImageRow:
    """An image of the page: its dice by every network, and overlays of some."""

    image_id: str
    scores: Sequence[str]
    overlays: Sequence[Overlay]


def build_tested(
    name: str,
    scores: Sequence[NetworkScore],
    notes: Sequence[str],
    pictures: Mapping[tuple[str, str], KeptPatch],
    scales_nm: Mapping[str, Mapping[str, float]],
    output: Path,
) -> Path:
    """Write the page.

    Parameters
    ----------
    name
        The test set.
    scores
        The networks, the best first.
    notes
        How images were prepared, and what was left out.
    pictures
        Patches by image and network.
    scales_nm
        Edges of pixels by network and image [nm].
    output
        The file.
    """
    css = (files("studyspec.report") / "page.css").read_text()
    page = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True).from_string(
        (files("studyspec.report") / "tested.html").read_text()
    )
    by_image = {(i.image_id, s.network): i for s in scores for i in s.images}
    images = sorted({i for i, _ in by_image}, key=lambda i: _order(i, scores, by_image))
    rows = [
        ImageRow(
            image,
            [image_text(by_image.get((image, one.network))) for one in scores],
            [
                _overlay(one.network, pictures[image, one.network], scales_nm)
                for one in scores
                if (image, one.network) in pictures
            ],
        )
        for image in images
    ]
    text = page.render(
        policy=policy([], [css]), css=css, name=name, scores=scores, notes=notes, images=rows,
        mean=mean_text, density=density_text,
    )  # fmt: skip
    write(output, text, durable=False)
    return output


def mean_text(score: NetworkScore) -> str:
    """A network's dice with its interval."""
    if score.dice is None:
        return "no image with particles"
    if score.interval is None:
        return f"{score.dice:.3f}"
    return f"{score.dice:.3f} [{score.interval[0]:.2f}, {score.interval[1]:.2f}]"


def image_text(score: ImageScore | None) -> str:
    """An image's dice with its interval, or the false particles of one without particles."""
    if score is None:
        return "not scored"
    if score.dice is None:
        return f"no particles; {score.region.false_particles} false"
    if score.interval is None:
        return f"{score.dice:.3f}"
    return f"{score.dice:.3f} [{score.interval[0]:.2f}, {score.interval[1]:.2f}]"


def density_text(density: float | None, n: int) -> str:
    """The number of false particles, and that per µm² where the scale is known."""
    return f"{n}" if density is None else f"{n} ({density:,.0f} per µm²)"


def _order(
    image: str,
    scores: Sequence[NetworkScore],
    by_image: Mapping[tuple[str, str], ImageScore],
) -> tuple[float, str]:
    dice = [
        found.dice
        for one in scores
        if (found := by_image.get((image, one.network))) is not None and found.dice is not None
    ]
    return (sum(dice) / len(dice) if dice else 2.0), image


def _overlay(
    network: str, patch: KeptPatch, scales_nm: Mapping[str, Mapping[str, float]]
) -> Overlay:
    jpeg, bar_nm = draw(patch, scales_nm.get(network, {}).get(patch.image_id))
    address = f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode()}"
    return Overlay(network, address, f"{bar_nm:g} nm" if bar_nm else "", f"{patch.dice:.2f}")

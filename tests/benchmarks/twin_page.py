"""Writes studies/pictures/twin.md and its pictures: what the twin simulates and what to look for.

Run: make pictures
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import binary_dilation, binary_erosion

from studyspec.catalog.table import Catalog
from studyspec.images.pipeline import preprocess
from studyspec.plugins.values import WorkingImage
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from studyspec.twin.conditions import Conditions
from studyspec.twin.simulation import simulate

PROJECT = Path(__file__).parents[2]
CATALOG = PROJECT / "data_catalog.parquet"
FOLDER = PROJECT / "studies" / "pictures"
WIDTH_PX = 512
SHOWN_PX = 360
SDS = 3.0
"""Black and white are so many standard deviations of the field below and above its mean."""
DRAWN, EXACT = (230, 159, 0), (86, 180, 233)  # orange and sky blue of Okabe and Ito


@dataclass(frozen=True)
class Shown:
    """A picture: a twin row with its number, what differs, and what to look for."""

    file: str
    title: str
    image_id: str
    look_for: str


def _id(sample: str, condition: str) -> str:
    return f"twin/{sample}-{condition}"


FIVE = "0.02nm-423e-ultrathin-carbon-2021-08-26"
PICTURES = (
    Shown(
        "gold",
        "5 nm gold, 423 e/Å²",
        _id("Au-5nm", f"{FIVE}/06"),
        "Lattice fringes that end at facets; through the left particle runs a twin plane, behind "
        "which they go another way. The grain of the film is as coarse as the fringes are.",
    ),
    Shown(
        "small",
        "2.2 nm gold",
        _id("Au-2.2nm", "0.02nm-423e-ultrathin-carbon-2021-10-06/11"),
        "Particles of a few hundred atoms, hardly darker than the film: what makes them visible is "
        "that their texture is regular.",
    ),
    Shown(
        "large",
        "10 nm gold",
        _id("Au-10nm", "0.02nm-425e-ultrathin-carbon-2021-09-02/03"),
        "A part of one particle; thickness makes it darker and its fringes stronger.",
    ),
    Shown(
        "silver",
        "5 nm silver",
        _id("Ag-5nm", "0.02nm-423e-ultrathin-carbon-2022-02-02/04"),
        "The same lattice as gold, less scattering: particles off a zone axis are faint.",
    ),
    Shown(
        "selenide",
        "5 nm cadmium selenide",
        _id("CdSe-5nm", "0.02nm-421e-ultrathin-carbon-2023-01-23/05"),
        "Wurtzite: wider fringes, round particles without facets, the least contrast of all.",
    ),
    Shown(
        "low_dose",
        "5 nm gold, 80 e/Å²",
        _id("Au-5nm", "0.02nm-80e-ultrathin-carbon-2022-06-15/06"),
        "Three electrons a pixel. The noise is not white: the camera spreads every electron over "
        "its neighbours, and fringes drown before shapes do.",
    ),
    Shown(
        "high_dose",
        "5 nm gold, 884 e/Å²",
        _id("Au-5nm", "0.02nm-884e-ultrathin-carbon-2022-06-15/08"),
        "The same day and kind of particle at eleven times the dose: what is left of the grain is "
        "the film itself.",
    ),
    Shown(
        "low_magnification",
        "5 nm gold at 0.042 nm a pixel",
        _id("Au-5nm", "0.042nm-425e-ultrathin-carbon-2021-10-06/06"),
        "A wider view: fringes are a few pixels apart, and neighbours in a raft lie a ligand's "
        "length from one another.",
    ),
    Shown(
        "nitride",
        "5 nm gold on silicon nitride",
        _id("Au-5nm", "0.02nm-423e-silicon-nitride-2021-12-15/00"),
        "A thicker and heavier film: a coarser, stronger grain.",
    ),
)
HEAD = """\
# The twin

Pictures that `make pictures` makes. Each is a part of 512 x 512 pixels of a simulated micrograph,
prepared as a network sees it; black and white are three standard deviations below and above the
mean. On the right are the outlines of its two labels: blue the exact projection of the atoms,
orange the line that a careful person would draw, who overlooks what is too faint. Orange alone is
a hand that went astray; blue alone is a particle that was missed.
"""


def picture(shown: Shown) -> Image.Image:
    """The image, and beside it the image with its outlines."""
    row = next(r for r in Catalog.open(CATALOG).rows if r.image_id == shown.image_id)
    conditions = replace(Conditions.from_row(row), width_px=WIDTH_PX, height_px=WIDTH_PX)
    made = simulate(conditions)
    image = WorkingImage(made.pixels, frame=made.frame)
    pixels = preprocess(image, Pipeline.of(PreprocessSettings())).pixels
    gray = np.clip((pixels + SDS) / (2 * SDS) * 255, 0, 255).astype(np.uint8)
    colour = np.repeat(gray[..., None], 3, axis=2)
    for mask, ink in ((made.exact, EXACT), (made.drawn, DRAWN)):
        colour[_line(mask)] = ink
    both = Image.new("RGB", (2 * SHOWN_PX + 8, SHOWN_PX), "white")
    for number, plane in enumerate((np.repeat(gray[..., None], 3, axis=2), colour)):
        part = Image.fromarray(plane).resize((SHOWN_PX, SHOWN_PX), Image.Resampling.LANCZOS)
        both.paste(part, (number * (SHOWN_PX + 8), 0))
    return both


def _line(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    return np.asarray(binary_dilation(mask) & ~binary_erosion(mask, border_value=1))


def main() -> None:
    """Write the page."""
    FOLDER.mkdir(exist_ok=True)
    parts = [HEAD]
    for shown in PICTURES:
        file = FOLDER / f"{shown.file}.jpg"
        picture(shown).save(file, quality=82)
        parts.append(f"## {shown.title}\n\n{shown.look_for}\n\n![{shown.title}]({file.name})\n")
    (FOLDER / "twin.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()

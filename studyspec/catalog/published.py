"""The 407 published micrographs (Sytwu et al. 2023) as catalog rows, from their series."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from datetime import date
from importlib.resources import files
from pathlib import PurePosixPath
from typing import TypedDict
from urllib.parse import quote

from studyspec.catalog.row import ImageRow

COLLECTION = "sytwu-2023"
SCHEME = "published"
"""Of addresses below the base address."""
BASE_ADDRESS = "https://portal.nersc.gov/project/m3795/hrtem-generalization/"
SUPPORTS = {"UT Carbon": "ultrathin carbon", "SiN": "silicon nitride"}
CAMERA = "Gatan OneView"
MICROSCOPES = {"Team05": "TEAM 0.5"}
WIDTH_PX = 4096
LICENCE = "see doi:10.7941/D1SP93"
CITATION = (
    "Sytwu, Rangel DaCosta, Scott, Generalization Across Experimental Parameters in Machine "
    "Learning Analysis of High Resolution Transmission Electron Microscopy Datasets (2023); data: "
    "doi:10.7941/D1SP93"
)


class Series(TypedDict):
    """Images taken under one setting, as `acquisitions.toml` lists them."""

    magnification_kx: float
    pixel_size_nm: float
    dose_e_per_A2: float
    dose_rate_e_per_A2_s: float
    exposure_s: float


class Session(TypedDict):
    """A day at the microscope, as `acquisitions.toml` lists it."""

    folder: str
    date: date
    material: str
    size_nm: float
    shape: str
    support: str
    instrument: str


def published_rows() -> Iterator[ImageRow]:
    """Every published micrograph, in published order."""
    text = files("studyspec.catalog").joinpath("acquisitions.toml").read_text()
    for session in tomllib.loads(text)["session"]:
        for series in session["series"]:
            for index in _indices(series["indices"]):
                yield _row(session, series, series["template"].format(i=index))


def _indices(ranges: str) -> Iterator[int]:
    """The numbers of an ordered list of ranges, as "2-15,1"."""
    for part in ranges.split(","):
        first, _, last = part.partition("-")
        yield from range(int(first), int(last or first) + 1)


def _row(session: Session, series: Series, name: str) -> ImageRow:
    folder = session["folder"]
    label = f"{folder}/Labels/{PurePosixPath(name).stem}_label.png"
    # The binned ("2k") series has half as many pixels, probably: its size stays unknown.
    width = None if "_2k_" in name else WIDTH_PX
    return ImageRow(
        image_id=f"{folder}/{name}",
        collection=COLLECTION,
        image_uri=f"{SCHEME}:{quote(f'{folder}/{name}')}",
        label_uri=f"{SCHEME}:{quote(label)}",
        width_px=width,
        height_px=width,
        material=session["material"],
        diameter_nm=float(session["size_nm"]),
        shape=session["shape"].lower(),
        support=SUPPORTS[session["support"]],
        microscope=MICROSCOPES[session["instrument"]],
        camera=CAMERA,
        voltage_kv=300.0,
        magnification_kx=float(series["magnification_kx"]),
        pixel_scale_nm=float(series["pixel_size_nm"]),
        dose_e_per_A2=float(series["dose_e_per_A2"]),
        dose_rate_e_per_A2_s=float(series["dose_rate_e_per_A2_s"]),
        exposure_s=float(series["exposure_s"]),
        acquired_on=session["date"],
        session=session["date"].isoformat(),
        licence=LICENCE,
        citation=CITATION,
    )

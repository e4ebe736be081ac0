"""The columns of a catalog: name, type, unit and meaning. The one list that all else follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["VARCHAR", "INTEGER", "DOUBLE", "DATE"]


@dataclass(frozen=True)
class Column:
    """One column; `kind` is its DuckDB type, `unit` is empty where there is none.

    `signed`: its numbers may be negative, so that ratios of them mean nothing.
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    signed: bool = False


KNOBS: tuple[Column, ...] = (
    Column("defocus_nm", "DOUBLE", "Defocus, overfocus positive", "nm", signed=True),
    Column(
        "spherical_aberration_mm", "DOUBLE", "Spherical aberration, third order", "mm", signed=True
    ),
    Column("focal_spread_nm", "DOUBLE", "Standard deviation of the focus", "nm"),
    Column("convergence_mrad", "DOUBLE", "Semi-angle of illumination", "mrad"),
    Column("aperture_mrad", "DOUBLE", "Semi-angle of the objective aperture", "mrad"),
    Column("tilt_mrad", "DOUBLE", "Tilt of the beam, along the rows", "mrad", signed=True),
    Column("film_thickness_nm", "DOUBLE", "Thickness of the film", "nm"),
    Column("temperature_K", "DOUBLE", "Temperature of the specimen", "K"),
)
"""What may be set for one image, as `camera` may; else the twin draws it or has a constant."""
COLUMNS: tuple[Column, ...] = (
    Column("image_id", "VARCHAR", "Unique name: folder and file name"),
    Column("collection", "VARCHAR", "Set of images that belong together"),
    Column("image_uri", "VARCHAR", "Where the image is"),
    Column("label_uri", "VARCHAR", "Where the label drawn by hand is"),
    Column("image_sha256", "VARCHAR", "Hash of the image, null until known"),
    Column("label_sha256", "VARCHAR", "Hash of the label, null until known"),
    Column("exact_label_uri", "VARCHAR", "Where the exact mask is (twin images)"),
    Column("width_px", "INTEGER", "Width of the image", "px"),
    Column("height_px", "INTEGER", "Height of the image", "px"),
    Column("material", "VARCHAR", "Material of the particles"),
    Column("diameter_nm", "DOUBLE", "Nominal diameter of the particles", "nm"),
    Column("shape", "VARCHAR", "Nominal shape of the particles"),
    Column("structure", "VARCHAR", "Cell and sites of the crystal, if simulated from a CIF file"),
    Column("support", "VARCHAR", "Film below the particles"),
    Column("microscope", "VARCHAR", "Microscope"),
    Column("camera", "VARCHAR", "Camera"),
    Column("voltage_kv", "DOUBLE", "Acceleration voltage", "kV"),
    Column("magnification_kx", "DOUBLE", "Indicated magnification", "kX"),
    Column("pixel_scale_nm", "DOUBLE", "Edge of a pixel in the specimen", "nm"),
    Column("dose_e_per_A2", "DOUBLE", "Dose of the image as published", "e/Å^2"),
    Column("dose_rate_e_per_A2_s", "DOUBLE", "Dose rate", "e/Å^2/s"),
    Column("exposure_s", "DOUBLE", "Exposure time", "s"),
    *KNOBS,
    Column("acquired_on", "DATE", "Day of acquisition"),
    Column("session", "VARCHAR", "Session at the microscope"),
    Column("licence", "VARCHAR", "Terms of use"),
    Column("citation", "VARCHAR", "What to cite"),
)
NAMES: tuple[str, ...] = tuple(column.name for column in COLUMNS)
BY_NAME: Mapping[str, Column] = {column.name: column for column in COLUMNS}

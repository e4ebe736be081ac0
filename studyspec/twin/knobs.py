"""Knobs: what a catalog row may set of microscope, camera and specimen, in place of constants."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields, replace

from studyspec.catalog.cameras import CAMERAS
from studyspec.catalog.published import CAMERA
from studyspec.catalog.row import ImageRow
from studyspec.errors import TwinError
from studyspec.twin.constants import CONSTANTS, Constants, Lens
from studyspec.twin.wave import Beam

ABOVE_ZERO = ("aperture_mrad", "film_thickness_nm", "temperature_K")
FROM_ZERO = ("focal_spread_nm", "convergence_mrad")


@dataclass(frozen=True)
class Knobs:
    """Settings of a microscope; None: as the session, or the twin's constants, have it.

    Attributes
    ----------
    defocus_nm
        Overfocus is positive. Counted from where the wave leaves the specimen, the plane behind the
        thickest place of the film: about 5 nm behind the middle of the carbon film.
    spherical_aberration_mm
        Third order.
    focal_spread_nm
        Standard deviation of the focus during an exposure.
    convergence_mrad
        Semi-angle of illumination.
    aperture_mrad
        Semi-angle of the objective aperture; at most what the wave's sampling holds.
    tilt_mrad
        Tilt of the beam against the optical axis, along the rows.
    film_thickness_nm
        The film's mean.
    temperature_K
        Of the specimen: B factors grow in proportion, as above half the Debye temperature.
    camera
        One of `catalog.cameras.CAMERAS`.
    """

    defocus_nm: float | None = None
    spherical_aberration_mm: float | None = None
    focal_spread_nm: float | None = None
    convergence_mrad: float | None = None
    aperture_mrad: float | None = None
    tilt_mrad: float | None = None
    film_thickness_nm: float | None = None
    temperature_K: float | None = None
    camera: str | None = None

    @classmethod
    def from_row(cls, row: ImageRow, voltage_kv: float) -> Knobs:
        """What a row sets.

        Raises
        ------
        TwinError
            Naming the row and the column whose value cannot be.
        """
        given = {one.name: getattr(row, one.name) for one in fields(cls)}
        for name, value in given.items():
            if isinstance(value, float | int):
                given[name] = float(value) + 0.0  # no minus before zero: it were another image
        if given["camera"] == CAMERA:
            given["camera"] = None
        found = cls(**given)
        found._check(row.image_id, Beam(voltage_kv * 1e3).wavelength_A)
        return found

    def written(self) -> dict[str, float | str]:
        """Only what is set: a knob that is not turned is no part of an image's identity."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def on(self, constants: Constants) -> Constants:
        """The constants with these settings; of the focus, which is no constant, nothing."""
        film, waves, thickness = constants.film, constants.waves, self.film_thickness_nm
        if thickness is not None:
            film = replace(film, carbon_nm=thickness, nitride_nm=thickness)
        if self.temperature_K is not None:
            waves = replace(waves, temperature_K=self.temperature_K)
        camera = constants.camera if self.camera is None else CAMERAS[self.camera]
        lens = self._lens(constants.lens)
        return replace(constants, lens=lens, film=film, waves=waves, camera=camera)

    def _lens(self, lens: Lens) -> Lens:
        spread, cs_mm = self.focal_spread_nm, self.spherical_aberration_mm
        if spread is not None:
            # A wider spread needs more points of the sum over focus, or fine fringes come back.
            wider = math.ceil(lens.focal_steps * spread / lens.focal_spread_nm)
            steps = max(lens.focal_steps, wider)
            lens = replace(lens, focal_spread_nm=spread, focal_steps=steps)
        return replace(
            lens,
            cs_um=lens.cs_um if cs_mm is None else cs_mm * 1e3,
            convergence_mrad=_or(self.convergence_mrad, lens.convergence_mrad),
            aperture_mrad=_or(self.aperture_mrad, lens.aperture_mrad),
            tilt_mrad=_or(self.tilt_mrad, lens.tilt_mrad),
        )

    def _check(self, image_id: str, wavelength_A: float) -> None:
        for name, value in self.written().items():
            if isinstance(value, str):
                continue
            above, least = name in ABOVE_ZERO, name in FROM_ZERO
            if not math.isfinite(value) or (above and value <= 0) or (least and value < 0):
                wanted = "use > 0" if above else "use >= 0" if least else "use a number"
                raise TwinError(f"'{name}' is {value}", where=image_id, hint=wanted)
        if self.camera is not None and self.camera not in CAMERAS:
            hint = f"known: {', '.join(CAMERAS)}"
            raise TwinError(f"unknown camera '{self.camera}'", where=image_id, hint=hint)
        widest_mrad = CONSTANTS.waves.highest_per_A * wavelength_A * 1e3
        if self.aperture_mrad is not None and self.aperture_mrad > widest_mrad:
            hint = f"use {widest_mrad:.0f} at most: the wave's sampling holds no more"
            raise TwinError(f"'aperture_mrad' is {self.aperture_mrad}", where=image_id, hint=hint)


def _or(value: float | None, otherwise: float) -> float:
    return otherwise if value is None else value

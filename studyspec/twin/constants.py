"""Every constant of the twin, with its unit and where it comes from. Lengths are in Å inside."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from pydantic import JsonValue

from studyspec.catalog.cameras import ONEVIEW, Camera

FIELD_PX = 4096
"""Edge of the camera's whole field [px]: Gatan OneView."""
NM = 10.0
"""Å per nm."""
ELECTRON_REST_EV = 510_998.95
"""Rest energy of the electron [eV] (CODATA 2018)."""
POTENTIAL_V_A2 = 47.87801
"""h^2 / (2 pi m e) [V Å^2]: projected potential of unit scattering factor (Kirkland 2010, C.15)."""


@dataclass(frozen=True)
class Film:
    """The support film."""

    carbon_nm: float = 2.8  # mean; literature: "ultrathin", below 3 nm by its maker
    nitride_nm: float = 5.0  # mean; measured: named in the published folder
    carbon_per_A3: float = 0.0953  # literature: 1.9 g/cm^3, evaporated amorphous carbon
    nitride_per_A3: float = 0.0960  # literature: 3.0 g/cm^3 Si3N4, all atoms together
    shortest_A: float = 1.35  # shortest distance of atoms; literature: below the C-C bond of 1.42 Å
    carbon_relief: float = 0.5  # sd of the thickness, relative; fitted: long-wave sd of the film
    nitride_relief: float = 0.05  # the same; a guess: grown films are flat
    relief_length_A: float = 40.0  # correlation length of the thickness; a guess
    extremes: tuple[float, float] = (0.6, 2.0)  # least and largest thickness, relative; a guess


@dataclass(frozen=True)
class Sample:
    """How the particles of a material and nominal diameter are, and lie on their film.

    Attributes
    ----------
    coverage
        Share of the camera's field that particles of the nominal diameter would cover.
    clustered
        Share of the particles that lie beside another one.
    mean
        Mean diameter, of the nominal one.
    disorder_A
        Standard deviation of atoms about their lattice, beyond heat: strain, faults, and movement
        under the beam.
    """

    material: str
    diameter_nm: float
    coverage: float
    clustered: float
    mean: float = 0.9
    disorder_A: float = 0.39


@dataclass(frozen=True)
class Particles:
    """The particles on the film."""

    samples: tuple[Sample, ...] = (
        # Fitted: coverage and clusters to how many patches hold particles, and how much of them, in
        # real images; mean to labels; disorder to the variance in particles over that of the film.
        Sample("Au", 2.2, 0.067, 0.98, mean=1.0, disorder_A=0.25),
        Sample("Au", 5.0, 0.11, 0.9),
        Sample("Au", 10.0, 0.036, 0.1, mean=0.8, disorder_A=0.4),
        Sample("Ag", 5.0, 0.125, 0.87, disorder_A=0.46),
        Sample("CdSe", 5.0, 0.135, 0.86, disorder_A=0.35),
    )
    spread: float = 0.14  # sd of diameters, relative; measured on labels: 5 nm spans 3 to 6 nm
    extremes: tuple[float, float] = (0.55, 1.35)  # least and largest, relative; measured likewise
    octahedral: tuple[float, float] = (
        0.90,
        1.06,
    )  # distance of {111} facets, radii; fitted: solidity
    cubic: tuple[float, float] = (0.96, 1.10)  # distance of {100} facets, radii; fitted: solidity
    roundness: float = 1.03  # sphere that cuts edges and corners, radii; fitted: solidity
    gap_A: float = 10.0  # mean gap of neighbours; literature: a ligand shell of each
    gap_sd_A: float = 5.0  # its sd; fitted: separate particles in a patch of 2.2 nm
    fused: float = 0.15  # how far two may have grown together, of the smaller one; a guess
    aligned: float = 1.0  # share with a low-index plane along the beam; fitted: dice
    tilt_deg: float = 3.0  # sd of that alignment; fitted: dice
    twinned: float = 0.3  # share of cubic grains with one (111) twin plane; a guess
    grained: float = 0.15  # share of particles with several grains; fitted: dice
    grains: int = 4  # at most so many; a guess

    def sample_of(self, material: str, diameter_nm: float) -> Sample:
        """The sample most like this one: of its material, of its diameter."""
        return min(
            self.samples,
            key=lambda one: (one.material != material, abs(np.log(one.diameter_nm / diameter_nm))),
        )


@dataclass(frozen=True)
class Waves:
    """The electron wave in the specimen."""

    slice_A: float = 10.0  # one slice; measured: correlates 0.995 with abTEM, one projection 0.79
    film_slice_A: float = (
        20.0  # one slice of the film; measured: correlates 0.998 with 10 Å, nitride 0.992
    )
    bandwidth: float = 2 / 3  # of the Nyquist frequency, against aliasing (Kirkland 2010, 6.9)
    step_A: float = 0.2  # distance of the wave's points at every magnification: 32.8 mrad
    padding_A: float = 12.0  # margin around the field
    temperature_K: float = 293.0  # of the specimen: room temperature
    # Absorptive potential as a share of the elastic: a part in proportion to Z (heat), and one for
    # all (losses). Literature: 3 to 10 % of gold's; fitted: contrast at 884 and 80 e/Å^2, and the
    # long-wave sd of the film.
    absorption_per_Z: float = 0.0225 / 79
    absorption: float = 0.013

    def absorption_of(self, number: int) -> float:
        """Absorptive potential of an element, as a share of the elastic."""
        return self.absorption + self.absorption_per_Z * number

    @property
    def highest_per_A(self) -> float:
        """The highest frequency that the wave holds [1/Å]."""
        return self.bandwidth / (2 * self.step_A)


@dataclass(frozen=True)
class Lens:
    """TEAM 0.5 at 300 kV, corrected to negative spherical aberration."""

    cs_um: float = -15.0  # spherical aberration; literature: small and negative, for imaging
    focal_spread_nm: float = 2.0  # sd of the focus; literature: energy spread and lens currents
    focal_steps: int = 3  # Gauss-Hermite points of that spread
    aperture_mrad: float = 30.0  # inside the band limit at every magnification; a choice
    aperture_edge_mrad: float = 0.5  # softness of its edge; a choice
    convergence_mrad: float = 0.1  # semi-angle of illumination; literature: parallel
    vibration_A: float = 0.38  # sd of the image's movement; fitted: first layers of networks
    tilt_mrad: float = 0.0  # of the beam, along the rows; aligned
    astigmatism_nm: float = 3.0  # residual, twofold; fitted: zeros in spectra of real film


@dataclass(frozen=True)
class Sessions:
    """What differs from session to session and from image to image.

    The focus is fitted to the spectra of film in seven real patches, which lie at 3 to 35 nm, and
    to dice.
    """

    defocus_nm: float = 17.0  # mean; overfocus is positive; fitted: spectra of film
    defocus_between_nm: float = 3.0  # sd between sessions; fitted: spectra of film
    defocus_within_nm: float = 10.0  # sd within a session; fitted: spectra of film
    falloff: tuple[float, float] = (0.1, 0.35)  # loss of light in the darkest corner; a guess
    center: float = 0.6  # distance of the beam from the field's centre, half fields; a guess
    turn_deg: float = 10.0  # sd of the beam's direction within a session; a guess
    falloff_sd: float = 0.15  # relative sd of the loss within a session; a guess
    drift_A: float = 0.3  # mean drift during an exposure; a guess
    gain: tuple[float, float] = (10.0, 14.0)  # counts per electron; a guess


@dataclass(frozen=True)
class Labels:
    """How a mask and a drawing come from atoms."""

    reach_A: float = 1.9  # a pixel this near to an atom is particle; literature: its radius
    closing_A: float = 4.0  # radius over which the exact outline is closed; a choice
    hand_A: float = 3.5  # smoothing of an outline drawn by hand; fitted: solidity
    margin_A: float = 0.0  # how far outside the edge people draw; a guess
    margin_sd_A: float = 0.8  # and how differently around each particle; a guess
    tremor_A: float = 0.5  # sd of an outline about that; fitted: solidity
    tremor_length_A: float = 10.0  # distance over which an outline goes astray; a guess
    seen_px: int = 6  # a person looks at means of so many pixels, squared; a guess
    missed_contrast: float = 1.08  # half of this texture are missed, film has 1; fitted: dice at 80
    missed_width: float = 0.03  # and how sharply that is so; a guess


@dataclass(frozen=True)
class Constants:
    """All of them; a change of any is another twin."""

    film: Film = Film()
    particles: Particles = Particles()
    waves: Waves = Waves()
    lens: Lens = Lens()
    camera: Camera = ONEVIEW
    sessions: Sessions = Sessions()
    labels: Labels = Labels()

    def to_json(self) -> dict[str, JsonValue]:
        """All values, for the recipe of an image."""
        return asdict(self)


CONSTANTS = Constants()

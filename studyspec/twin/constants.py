"""Every constant of the twin, with its unit and where it comes from. Lengths are in Å inside."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
from pydantic import JsonValue

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

    carbon_nm: float = 4.0  # ultrathin carbon (3 nm by its maker) and what settles on it; fitted
    nitride_nm: float = 5.0  # silicon nitride windows, named in the published folder
    carbon_per_A3: float = 0.0953  # 1.9 g/cm^3, evaporated amorphous carbon
    nitride_per_A3: float = 0.0960  # 3.0 g/cm^3 Si3N4, all atoms together
    shortest_A: float = 1.35  # shortest distance between atoms, below the C-C bond of 1.42 Å
    relief: float = 0.15  # part of the thickness that varies slowly; a guess
    relief_length_A: float = 40.0  # correlation length of that variation; a guess


@dataclass(frozen=True)
class Particles:
    """The particles on the film."""

    mean: float = 0.9  # mean diameter, of the nominal one
    spread: float = 0.14  # sd of diameters, of the nominal one: 5 nm spans about 3 to 6 nm
    extremes: tuple[float, float] = (0.55, 1.35)  # least and largest, of the nominal one
    coverage: tuple[tuple[str, float, float], ...] = (  # share of the camera's field that
        ("Au", 2.2, 0.0165),  # particles cover, for a material and a nominal diameter [nm]:
        ("Au", 5.0, 0.058),  # so that as many patches hold particles as in the real images
        ("Au", 10.0, 0.041),
        ("Ag", 5.0, 0.074),
        ("CdSe", 5.0, 0.083),
    )
    clustered: float = 0.25  # share of particles that lie beside another one; fitted
    gap_A: float = 6.0  # mean gap to that one: about a ligand's length
    gap_sd_A: float = 8.0  # its sd: some have grown together
    fused: float = 0.15  # how far two may have grown together, of the smaller diameter
    aligned: float = 0.85  # share with a low-index plane along the beam, with fringes; fitted
    tilt_deg: float = 3.0  # sd of that alignment; fitted
    twinned: float = 0.3  # share of cubic grains with one (111) twin plane
    grained: float = 0.4  # share of particles with several grains; fitted
    grains: int = 4  # at most so many

    def coverage_of(self, material: str, diameter_nm: float) -> float:
        """Coverage of the sample most like this one: of its material, of its diameter."""
        nearest = min(
            self.coverage,
            key=lambda one: (one[0] != material, abs(np.log(one[1] / diameter_nm))),
        )
        return nearest[2]


@dataclass(frozen=True)
class Waves:
    """The electron wave in the specimen."""

    slice_A: float = 10.0  # one slice; a single projection correlates 0.79 with the truth
    bandwidth: float = 2 / 3  # of the Nyquist frequency, against aliasing (Kirkland 2010, 6.9)
    finest_nm: float = 0.027  # coarsest sampling of the wave; a coarser pixel is oversampled
    padding_A: float = 12.0  # margin around the field
    absorption_per_Z: float = 0.01 / 79  # absorptive potential, as a share of the elastic; fitted


@dataclass(frozen=True)
class Lens:
    """TEAM 0.5 at 300 kV, corrected to negative spherical aberration."""

    cs_um: float = -15.0  # spherical aberration: negative, as TEAM is tuned for imaging; fitted
    focal_spread_nm: float = 2.0  # sd of the focus (energy spread and lens currents)
    focal_steps: int = 3  # Gauss-Hermite points of that spread
    aperture_mrad: float = 60.0  # beyond what the rest transfers: no objective aperture; fitted
    aperture_edge_mrad: float = 0.5  # softness of its edge
    convergence_mrad: float = 0.1  # semi-angle of illumination
    vibration_A: float = 0.38  # sd of the image's movement; fitted
    astigmatism_nm: float = 0.5  # residual twofold astigmatism


@dataclass(frozen=True)
class Camera:
    """Gatan OneView: scintillator, fibre plate and CMOS sensor.

    Transfer, light quanta and read noise are fitted to the first layers of released networks.
    """

    mtf_half: float = 0.24  # frequency, of Nyquist, where the transfer falls to one half
    excess_noise: float = 0.35  # sd of the signal per electron, relative
    quanta: float = 200.0  # light quanta detected per electron: their noise is white
    read_noise: float = 2.5  # [counts]
    fixed_pattern: float = 0.01  # relative sd of the pixels' gains, one pattern a session
    xrays_per_electron: float = 1e-6  # hits for each electron
    xray_least: float = 60.0  # signal of a hit, in signals of an electron: at least
    xray_mean: float = 200.0  # and above that, on average
    xray_spill: float = 0.4  # part that spills into a neighbour, and how often


@dataclass(frozen=True)
class Sessions:
    """What differs from session to session and from image to image.

    The focus is fitted to released networks; the rest is plausible, not measured.
    """

    defocus_nm: float = 8.0  # mean; overfocus is positive; fitted
    defocus_between_nm: float = 3.0  # sd between sessions; fitted
    defocus_within_nm: float = 10.0  # sd within a session; fitted
    falloff: tuple[float, float] = (0.1, 0.35)  # loss of light in the darkest corner
    center: float = 0.6  # distance of the beam from the field's centre, in half fields
    turn_deg: float = 10.0  # sd of the beam's direction within a session
    falloff_sd: float = 0.15  # relative sd of the loss within a session
    drift_A: float = 0.3  # mean drift during an exposure
    gain: tuple[float, float] = (10.0, 14.0)  # counts per electron


@dataclass(frozen=True)
class Labels:
    """How a mask and a drawing come from atoms."""

    reach_A: float = 1.9  # a pixel this near to an atom's centre is particle
    closing_A: float = 4.0  # radius over which the exact outline is closed: no scallops
    hand_A: float = 2.5  # smoothing of an outline drawn by hand; a guess
    margin_A: float = 0.0  # how far outside the edge people draw
    margin_sd_A: float = 1.0  # and how differently around each particle
    tremor_A: float = 0.8  # sd of an outline about that
    tremor_length_A: float = 10.0  # distance over which an outline goes astray
    seen_px: int = 4  # a person looks at means of so many pixels, squared
    missed_contrast: float = 1.15  # half of those of this texture are missed; film has 1; fitted
    missed_width: float = 0.03  # and how sharply that is so; fitted


@dataclass(frozen=True)
class Constants:
    """All of them; a change of any is another twin."""

    film: Film = Film()
    particles: Particles = Particles()
    waves: Waves = Waves()
    lens: Lens = Lens()
    camera: Camera = Camera()
    sessions: Sessions = Sessions()
    labels: Labels = Labels()

    def to_json(self) -> dict[str, JsonValue]:
        """All values, for the recipe of an image."""
        return asdict(self)


CONSTANTS = Constants()

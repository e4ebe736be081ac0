"""Every constant of the twin, with its unit and where it comes from. Lengths are in Å inside."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

NM = 10.0
"""Å per nm."""
ELECTRON_REST_EV = 510_998.95
"""Rest energy of the electron [eV] (CODATA 2018)."""
POTENTIAL_V_A2 = 47.87801
"""h^2 / (2 pi m e) [V Å^2]: projected potential of unit scattering factor (Kirkland 2010, C.15)."""


@dataclass(frozen=True)
class Film:
    """The support film."""

    carbon_nm: float = 3.0  # ultrathin carbon on lacey grids, maker's nominal value
    nitride_nm: float = 5.0  # silicon nitride windows, named in the published folder
    carbon_per_A3: float = 0.0953  # 1.9 g/cm^3, evaporated amorphous carbon
    nitride_per_A3: float = 0.0960  # 3.0 g/cm^3 Si3N4, all atoms together
    shortest_A: float = 1.35  # shortest distance between atoms, below the C-C bond of 1.42 Å
    relief: float = 0.15  # part of the thickness that varies slowly; a guess
    relief_length_A: float = 40.0  # correlation length of that variation; a guess


@dataclass(frozen=True)
class Particles:
    """The particles on the film."""

    spread: float = 0.08  # relative sd of diameters, maker's nominal value
    coverage: float = 0.25  # share of the field covered; fields are chosen to hold particles
    gap_A: float = 8.0  # least distance between particles: their ligands
    overhang: float = 0.25  # how far a particle may lie outside the field, in diameters
    aligned: float = 0.5  # share with a low-index plane along the beam: those that show fringes
    tilt_deg: float = 1.5  # sd of that alignment
    twinned: float = 0.3  # share of cubic particles with one (111) twin plane


@dataclass(frozen=True)
class Waves:
    """The electron wave in the specimen."""

    slice_A: float = 10.0  # one slice; a single projection correlates 0.79 with the truth
    bandwidth: float = 2 / 3  # of the Nyquist frequency, against aliasing (Kirkland 2010, 6.9)
    finest_nm: float = 0.0225  # coarsest sampling of the wave; a coarser pixel is oversampled
    padding_A: float = 12.0  # margin around the field
    absorption_per_Z: float = 0.1 / 79  # absorptive potential, as a share of the elastic one


@dataclass(frozen=True)
class Lens:
    """TEAM 0.5 at 300 kV, corrected to negative spherical aberration."""

    cs_um: float = -8.0  # spherical aberration
    focal_spread_nm: float = 2.0  # sd of the focus (energy spread and lens currents)
    focal_steps: int = 3  # Gauss-Hermite points of that spread
    aperture_mrad: float = 33.0  # objective aperture
    aperture_edge_mrad: float = 0.5  # softness of its edge
    convergence_mrad: float = 0.1  # semi-angle of illumination
    vibration_A: float = 0.25  # sd of the image's movement
    astigmatism_nm: float = 0.5  # residual twofold astigmatism


@dataclass(frozen=True)
class Camera:
    """Gatan OneView: scintillator, fibre plate and CMOS sensor; plausible, not fitted."""

    mtf_half: float = 0.65  # frequency, of Nyquist, where the transfer falls to one half
    excess_noise: float = 0.35  # sd of the signal per electron, relative
    read_noise: float = 3.0  # [counts]
    fixed_pattern: float = 0.01  # relative sd of the pixels' gains, one pattern a session
    xrays_per_px: float = 2e-5  # hits in one image
    xray_least: float = 3.0  # signal of a hit, in mean signals of a pixel: at least
    xray_mean: float = 12.0  # and above that, on average
    xray_spill: float = 0.4  # part that spills into a neighbour, and how often


@dataclass(frozen=True)
class Sessions:
    """What differs from session to session and from image to image; plausible, not fitted."""

    defocus_nm: float = 6.0  # mean; overfocus is positive
    defocus_between_nm: float = 1.0  # sd between sessions
    defocus_within_nm: float = 2.0  # sd within a session
    falloff: tuple[float, float] = (0.1, 0.35)  # loss of light in the darkest corner
    center: float = 0.6  # distance of the beam from the field's centre, in half fields
    turn_deg: float = 10.0  # sd of the beam's direction within a session
    falloff_sd: float = 0.15  # relative sd of the loss within a session
    gain: tuple[float, float] = (10.0, 14.0)  # counts per electron


@dataclass(frozen=True)
class Labels:
    """How a mask and a drawing come from atoms."""

    reach_A: float = 1.9  # a pixel this near to an atom's centre is particle
    closing_A: float = 4.0  # radius over which the exact outline is closed: no scallops
    hand_A: float = 2.5  # smoothing of an outline drawn by hand; a guess


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

    def to_json(self) -> dict[str, Any]:
        """All values, for the recipe of an image."""
        return asdict(self)


CONSTANTS = Constants()

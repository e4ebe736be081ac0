"""A whole simulated micrograph: specimen, wave, lens, camera and labels from its conditions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from studyspec.plugins.values import Image, Mask
from studyspec.twin.atoms import Particle
from studyspec.twin.camera import Exposure, detect
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS, NM, Constants
from studyspec.twin.field import Field
from studyspec.twin.film import make_film
from studyspec.twin.labels import LabelMaker
from studyspec.twin.layout import REDUCTION, Window, choose_window
from studyspec.twin.materials import Element
from studyspec.twin.micrograph import Micrograph, Surroundings
from studyspec.twin.optics import Focus, intensity
from studyspec.twin.sessions import Illumination, illuminate, session_of
from studyspec.twin.shapes import SHAPES
from studyspec.twin.specimen import make_particle, rest
from studyspec.twin.wave import Beam, exit_wave

Positions = npt.NDArray[np.float64]
FILM_GAP_A = 1.5
"""Distance between particles and film: about a van der Waals contact less an atom's reach [Å]."""
REACH = 0.65
"""How far a particle's atoms reach from its middle, in diameters: a corner, and a little more."""


def simulate(conditions: Conditions, constants: Constants = CONSTANTS) -> Micrograph:
    """Simulate a micrograph; the same conditions give the same bytes on one machine."""
    constants = conditions.knobs.on(constants)
    beam = Beam(conditions.voltage_kv * 1e3)
    # A stream for each part: a change of one part leaves the others as they were.
    layout, solid, amorphous, setting, noise, hand = np.random.default_rng(conditions.seed).spawn(6)
    field = Field.of(conditions, constants.waves)
    session = session_of(conditions.session, constants.sessions)
    window = choose_window(conditions, layout, constants.particles)
    particles = _particles(conditions, window, field, solid, constants)
    atoms = _on_film(particles, conditions, field, amorphous, constants)
    wave = exit_wave(field.grid, atoms, beam, constants.waves, constants.lens.tilt_mrad)
    focus = Focus.draw(session, setting, constants.sessions)
    if conditions.knobs.defocus_nm is not None:
        focus = replace(focus, defocus_nm=conditions.knobs.defocus_nm)
    seen = field.seen(intensity(wave, field.grid, beam, focus, constants.lens))
    light = illuminate(session, setting, constants.sessions)
    here = light.at(*window.places())
    exposure = Exposure(conditions.dose_e_per_A2, field.pixel_A, window.row, window.col)
    pixels = detect(seen * here, exposure, session, noise, constants.camera)
    labels = LabelMaker(particles, field, constants.labels)
    drawn = labels.drawn(pixels / here, hand)
    counts = seen * np.float32(exposure.electrons * session.gain)
    return Micrograph(pixels, drawn, labels.exact, _around(window, light, counts, labels.exact))


def _particles(
    conditions: Conditions,
    window: Window,
    field: Field,
    rng: np.random.Generator,
    constants: Constants,
) -> list[Particle]:
    """The particles that reach into the window, in its coordinates [Å], resting on z = 0."""
    pixel_A = conditions.pixel_scale_nm * NM
    corner = np.array([window.row, window.col, 0]) * pixel_A - [field.margin_A, field.margin_A, 0]
    discs = window.layout.discs - corner
    shape = None if conditions.shape is None else SHAPES[conditions.shape]
    reach = discs[:, 2:] * (REACH if shape is None else max(REACH, 0.55 * shape.reach))
    inside = (discs[:, :2] > -reach) & (discs[:, :2] < field.grid.size_A + reach)
    near = np.asarray(inside.all(axis=1))
    crystal, make = conditions.crystal, make_particle if shape is None else shape.make
    made = [
        rest(
            make(crystal, disc[2], stream, constants.particles),
            disc,
            discs if shape is None else disc[None],  # shapes lie apart, and are not cut
        )
        for disc, stream, is_near in zip(discs, rng.spawn(len(discs)), near, strict=True)
        if is_near
    ]
    return [particle for particle in made if len(particle.positions)]


def _on_film(
    particles: list[Particle],
    conditions: Conditions,
    field: Field,
    rng: np.random.Generator,
    constants: Constants,
) -> dict[Element, Positions]:
    """The particles' atoms within the grid, and those of the film behind them."""
    size, temperature_K = field.grid.size_A, constants.waves.temperature_K
    sample = constants.particles.sample_of(conditions.material, conditions.diameter_nm)
    atoms: dict[Element, Positions] = {}
    for number, element in enumerate(conditions.crystal.elements):
        element = element.heated(temperature_K).strayed(sample.disorder_A)
        parts = [p.positions[p.elements == number] for p in particles]
        xyz = np.concatenate([np.empty((0, 3)), *parts])
        inside = ((xyz[:, :2] >= 0) & (xyz[:, :2] < size)).all(axis=1)
        atoms[element] = xyz[inside]
    film = make_film(conditions.support, size, rng, constants.film)
    below = np.array([0, 0, FILM_GAP_A])
    return atoms | {one.heated(temperature_K): xyz + below for one, xyz in film.items()}


def _around(window: Window, light: Illumination, counts: Image, particle: Mask) -> Surroundings:
    """The whole field, as bright as the window's film and particles are."""
    film = float(counts[~particle].mean()) if not particle.all() else float(counts.mean())
    dark = float(counts[particle].mean()) if particle.any() else film
    covered = window.layout.covered()
    middles = (np.arange(window.layout.points) + 0.5) * 2 / window.layout.points - 1
    view = light.at(middles, middles) * np.where(covered, np.float32(dark), np.float32(film))
    coverage = float(covered.mean())
    return Surroundings(view, REDUCTION, window.row, window.col, coverage, particle)

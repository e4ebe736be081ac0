"""The layout: where particles lie in the whole field of the camera, and which part is simulated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import FIELD_PX, NM, Particles
from studyspec.twin.shapes import GAP_A, SHAPES

Array = npt.NDArray[np.float64]
T = TypeVar("T", float, Array)
REDUCTION = 16
"""A wide view has one point for this many pixels of the camera, along an edge."""
LEAST_PARTICLE = 2
"""Points of the wide view that a window must show of particles: about 512 pixels."""
TRIES = 200


@dataclass(frozen=True)
class Layout:
    """A whole field of the camera.

    Attributes
    ----------
    discs
        Rows, columns and diameters of the particles [Å, (n, 3)], from the corner of the field.
    size_A
        Edge of the field [Å].
    points
        Edge of the field's wide view, in points.
    """

    discs: Array
    size_A: float
    points: int

    def covered(self) -> npt.NDArray[np.bool_]:
        """The wide view's points that particles cover, (points, points)."""
        step = self.size_A / self.points
        middles = (np.arange(self.points) + 0.5) * step
        inside = np.zeros((self.points, self.points), bool)
        for row, col, diameter in self.discs:
            near_row = np.abs(middles - row) <= diameter / 2
            near_col = np.abs(middles - col) <= diameter / 2
            squares = (middles[near_row] - row)[:, None] ** 2 + (middles[near_col] - col) ** 2
            inside[np.ix_(near_row, near_col)] |= squares <= diameter**2 / 4
        return inside

    def windows(self, edge: int) -> npt.NDArray[np.int64]:
        """Corners (n, 2) [points] of the windows of the regular grid that show particles.

        `edge` is the edge of a window in points. All windows, if none shows any.
        """
        n = self.points // edge
        whole = self.covered()[: n * edge, : n * edge].reshape(n, edge, n, edge)
        shown = whole.sum(axis=(1, 3)) >= LEAST_PARTICLE
        return np.argwhere(shown if shown.any() else ~shown) * edge


@dataclass(frozen=True)
class Window:
    """The part of a field that is simulated: `row`, `col` [px] of its corner, `pixels` wide."""

    layout: Layout
    row: int
    col: int
    pixels: int

    def places(self) -> tuple[Array, Array]:
        """Rows and columns of its pixels, from -1 to 1 across the field."""
        n = self.layout.points * REDUCTION
        rows, cols = (start + np.arange(self.pixels) + 0.5 for start in (self.row, self.col))
        return 2 * rows / n - 1, 2 * cols / n - 1


def choose_window(conditions: Conditions, rng: np.random.Generator, chosen: Particles) -> Window:
    """One of the windows of a new layout's regular grid that show particles, each as likely."""
    points = -(-max(FIELD_PX, conditions.width_px) // REDUCTION)
    size_A = points * REDUCTION * conditions.pixel_scale_nm * NM
    layout = draw_layout(size_A, points, conditions, rng, chosen)
    corners = layout.windows(-(-conditions.width_px // REDUCTION))
    row, col = corners[rng.integers(len(corners))] * REDUCTION
    return Window(layout, int(row), int(col), conditions.width_px)


def draw_layout(
    size_A: float,
    points: int,
    conditions: Conditions,
    rng: np.random.Generator,
    chosen: Particles,
) -> Layout:
    """Particles over a whole field: some alone, others beside one that is there already.

    Neighbours keep a gap, or none: those that touch have grown together. A particle for which
    there is no room is left out.
    """
    diameter_A = conditions.diameter_nm * NM
    apart = _Apart.of(conditions, chosen)
    sample = chosen.sample_of(conditions.material, conditions.diameter_nm)
    expected = sample.coverage * size_A**2 / (np.pi * diameter_A**2 / 4)
    n = max(1, int(rng.poisson(expected)))
    diameters = diameter_A * np.clip(rng.normal(sample.mean, chosen.spread, n), *chosen.extremes)
    discs = np.empty((0, 3))
    for diameter in diameters:
        for _ in range(TRIES):
            beside = len(discs) > 0 and rng.random() < sample.clustered
            place = apart.beside(discs, diameter, rng) if beside else rng.uniform(0, size_A, 2)
            if apart.free(discs, place, diameter):
                discs = np.vstack([discs, [*place, diameter]])
                break
    return Layout(discs, size_A, points)


@dataclass(frozen=True)
class _Apart:
    """How near particles may come: those of a known shape do not fuse, and corners need room.

    `reach` is that of their corners, in radii.
    """

    chosen: Particles
    reach: float
    fuses: bool

    @classmethod
    def of(cls, conditions: Conditions, chosen: Particles) -> _Apart:
        shape = conditions.shape
        return cls(chosen, 1.0 if shape is None else SHAPES[shape].reach, shape is None)

    def free(self, discs: Array, place: Array, diameter: float) -> bool:
        """Whether there is room for a particle."""
        gaps = np.hypot(*(discs[:, :2] - place).T) - self.reach * (discs[:, 2] + diameter) / 2
        return bool(np.all(gaps >= self._least(np.minimum(discs[:, 2], diameter))))

    def beside(self, discs: Array, diameter: float, rng: np.random.Generator) -> Array:
        """A place beside one of the discs, at a random gap; a negative gap is a neck."""
        row, col, other = discs[rng.integers(len(discs))]
        gap = rng.normal(self.chosen.gap_A, self.chosen.gap_sd_A)
        gap = max(gap, float(self._least(min(other, diameter))))
        distance, angle = self.reach * (other + diameter) / 2 + gap, rng.uniform(0, 2 * np.pi)
        return np.array([row + distance * np.cos(angle), col + distance * np.sin(angle)])

    def _least(self, smaller: T) -> T:
        """The least gap [Å]."""
        return -self.chosen.fused * smaller if self.fuses else 0 * smaller + GAP_A

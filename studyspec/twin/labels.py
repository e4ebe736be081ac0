"""Labels: the exact mask of the atoms, and the outline that a careful person would draw."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter

from studyspec.twin.atoms import Particle
from studyspec.twin.constants import Labels
from studyspec.twin.field import Field, block_means

Mask = npt.NDArray[np.bool_]
Array = npt.NDArray[np.float64]
Image = npt.NDArray[np.float32]


class LabelMaker:
    """Both labels of an image; particles that people overlook are in the exact one alone.

    Parameters
    ----------
    particles
        In the coordinates of the field with its margin [Å].
    field
        The camera's pixels, with a margin.
    constants
        How a mask and a drawing come from atoms.
    """

    def __init__(self, particles: Sequence[Particle], field: Field, constants: Labels) -> None:
        self._field, self._constants = field, constants
        pixel_A, n = field.pixel_A, field.wide
        found = [outline(p.positions[:, :2], n, pixel_A, constants) for p in particles]
        self._outlines = [one for one in found if one is not None]
        self.exact = self._plane(one.depth_A > 0 for one in self._outlines)

    def drawn(self, pixels: Image, rng: np.random.Generator) -> Mask:
        """The label that a person draws who looks at these counts (evenly lit), (H, W)."""
        edge = self._constants.seen_px
        view = block_means(pixels, edge)
        film = block_means(self.exact, edge) == 0
        masks = []
        for one, stream in zip(self._outlines, rng.spawn(len(self._outlines)), strict=True):
            line = draw(one, stream, self._constants)
            particle = block_means(self._field.cut(one.on(self._field.wide)), edge) > 0.5
            missed = overlooked(texture(view, particle, film), stream, self._constants)
            masks.append(np.zeros_like(line) if missed else line)
        return self._plane(masks)

    def _plane(self, masks: Iterable[Mask]) -> Mask:
        plane = np.zeros((self._field.wide, self._field.wide), bool)
        for one, mask in zip(self._outlines, masks, strict=True):
            plane[one.place] |= mask
        return self._field.cut(plane)


@dataclass(frozen=True)
class Outline:
    """The edge of one particle: how far each point of a square plane lies inside it.

    Attributes
    ----------
    depth_A
        Distance to the outline [Å], positive inside; a box around the particle.
    row, col
        Where the box begins in the plane [points].
    step_A
        Distance of the points [Å].
    """

    depth_A: npt.NDArray[np.float32]
    row: int
    col: int
    step_A: float

    @property
    def place(self) -> tuple[slice, slice]:
        """The box in the plane."""
        height, width = self.depth_A.shape
        return slice(self.row, self.row + height), slice(self.col, self.col + width)

    def on(self, n: int) -> Mask:
        """What lies inside it on the whole plane, (n, n)."""
        plane = np.zeros((n, n), bool)
        plane[self.place] = self.depth_A > 0
        return plane


def outline(xy_A: Array, n: int, step_A: float, constants: Labels) -> Outline | None:
    """The outline of a particle of these atoms, or None if it lies outside the plane.

    A pixel within reach of an atom's projection is particle; the outline is closed so that it has
    no scallops.

    Parameters
    ----------
    xy_A
        Projected positions of its atoms [Å, (N, 2)].
    n, step_A
        Edge of the plane in points, and their distance [Å].
    constants
        Reach of an atom and radius of the closing.
    """
    around = 2 * (constants.reach_A + constants.closing_A) + 4 * constants.margin_sd_A
    points = np.floor(xy_A / step_A).astype(int)
    wide = int(np.ceil(around / step_A)) + 2
    low = np.maximum(points.min(axis=0) - wide, 0)
    high = np.minimum(points.max(axis=0) + wide, n)
    if np.any(high <= low):
        return None
    free = np.ones(high - low + 2 * wide, bool)  # atoms just outside the plane reach into it
    rows, cols = (points - low + wide).T
    inside = (rows >= 0) & (rows < free.shape[0]) & (cols >= 0) & (cols < free.shape[1])
    free[rows[inside], cols[inside]] = False
    if free.all():
        return None
    far = constants.reach_A + constants.closing_A
    grown = distance_transform_edt(free) * step_A <= far
    within = (distance_transform_edt(grown) - 0.5) * step_A
    closed = grown if grown.all() else within > constants.closing_A
    depth = _signed(closed, step_A)[wide:-wide, wide:-wide]
    return Outline(depth.astype(np.float32), int(low[0]), int(low[1]), step_A)


def draw(exact: Outline, rng: np.random.Generator, constants: Labels) -> Mask:
    """The mask (of the outline's box) inside the line that a person draws around a particle.

    The line is smooth, leaves a margin that differs from particle to particle, and strays.
    """
    step_A = exact.step_A
    smooth = gaussian_filter(exact.depth_A, constants.hand_A / step_A)
    margin = rng.normal(constants.margin_A, constants.margin_sd_A)
    return np.asarray(smooth + margin + _tremor(smooth.shape, step_A, rng, constants) > 0)


def texture(seen: Image, particle: Mask, film: Mask) -> float:
    """Deviation of a particle's pixels from the film's mean, in standard deviations of the film.

    Where nothing is to be seen it is 1; where there is no film to compare with, nothing is
    overlooked. `seen` is the image as a person sees it, (H, W).
    """
    values = seen[film]
    if not particle.any():
        return 0.0
    if values.size < 2:
        return np.inf
    return float(np.sqrt(np.mean((seen[particle] - values.mean()) ** 2)) / values.std())


def overlooked(texture: float, rng: np.random.Generator, constants: Labels) -> bool:
    """Whether a person misses a particle of this texture."""
    distance = (texture - constants.missed_contrast) / constants.missed_width
    return bool(rng.random() < 1 / (1 + np.exp(np.clip(distance, -50, 50))))


def _signed(inside: Mask, step_A: float) -> Array:
    """Distance to the edge of a mask [Å], positive inside."""
    if inside.all() or not inside.any():
        return np.full(inside.shape, step_A * max(inside.shape) * (1 if inside.all() else -1))
    within, without = distance_transform_edt(inside), distance_transform_edt(~inside)
    return np.asarray((np.where(inside, within - 0.5, 0.5 - without)) * step_A)


def _tremor(
    shape: tuple[int, ...], step_A: float, rng: np.random.Generator, constants: Labels
) -> Array:
    """A smooth random plane of sd `tremor_A` [Å]."""
    coarse = max(1, int(constants.tremor_length_A / step_A / 4))
    small = [n // coarse + 9 for n in shape]
    plane = gaussian_filter(rng.standard_normal(small), 2.0, mode="wrap") * (
        2 * 2.0 * np.sqrt(np.pi)
    )
    rows, cols = (np.arange(n) / coarse for n in shape)
    return constants.tremor_A * _bilinear(plane, rows, cols)


def _bilinear(plane: Array, rows: Array, cols: Array) -> Array:
    down, right = rows.astype(int), cols.astype(int)
    r, c = (rows - down)[:, None], cols - right
    top, bottom = plane[down], plane[down + 1]
    first = top[:, right] * (1 - c) + top[:, right + 1] * c
    return np.asarray(first * (1 - r) + (bottom[:, right] * (1 - c) + bottom[:, right + 1] * c) * r)

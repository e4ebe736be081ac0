"""Flat field: division by a smooth surface fitted to the image. Separable throughout.

The surface is a tensor product of Bernstein polynomials, so that neither the basis images nor the
design matrix are ever built: sums over all pixels are two small matrix products.
"""

from __future__ import annotations

from itertools import product
from math import comb
from typing import Annotated

import numpy as np
import numpy.typing as npt
from pydantic import Field

from studyspec.errors import FileError
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings
from studyspec.plugins.values import Frame, Image, WorkingImage

Matrix = npt.NDArray[np.float64]
Order = Annotated[int, Field(ge=0, le=8)]
Count = Annotated[int, Field(ge=1)]

ROWS_AT_ONCE = 32
REDUCED_AT_ONCE = 16


class FlatFieldSettings(Settings):
    """Division by a smooth surface (Bernstein basis) fitted to the image."""

    enabled: bool = Field(True, description="Divide by the fitted surface.")
    order: tuple[Order, Order] = Field(
        (2, 2),
        strict=False,
        description="Polynomial orders along rows and columns; (2, 2) has nine terms.",
    )
    reduction: Count = Field(4, description="The image is reduced this many times to fit.")
    fits: Count = Field(2, description="Number of fits; each after the first is re-weighted.")


class FlatField(Step[FlatFieldSettings]):
    """The step `[preprocess.flat_field]`."""

    name = "flat_field"
    settings = FlatFieldSettings
    standard = True
    keeps_shape = True
    position = 200

    def active(self, settings: FlatFieldSettings) -> bool:
        """Unless it is switched off."""
        return settings.enabled

    def describe(self, settings: FlatFieldSettings) -> str:
        """Order and number of fits."""
        rows, cols = settings.order
        return f"divided by a flat field (Bernstein, order {rows} x {cols}, {settings.fits} fits)"

    def apply(self, image: WorkingImage, settings: FlatFieldSettings) -> WorkingImage:
        """Divide by the surface fitted to the image, or to the frame that it is a part of."""
        divide_by_surface(image.pixels, settings, image.frame)
        return image


FLAT_FIELD = FlatField()


def bernstein(n: int, order: int) -> Matrix:
    """The Bernstein polynomials of an order at linspace(0, 1, n); shape (n, order + 1)."""
    x = np.linspace(0.0, 1.0, n)
    terms = [comb(order, k) * x**k * (1 - x) ** (order - k) for k in range(order + 1)]
    return np.stack(terms, axis=1)


def block_means(values: npt.NDArray[np.floating], reduction: int) -> Matrix:
    """Means of square blocks of an array of one or two dimensions; a remainder is left out."""
    rows = values.shape[0] // reduction
    down = values[: rows * reduction].reshape(rows, reduction, -1).mean(1, dtype=np.float64)
    if values.ndim == 1:
        return np.asarray(down[:, 0])
    cols = values.shape[1] // reduction
    return np.asarray(down[:, : cols * reduction].reshape(rows, cols, reduction).mean(2))


def reduced(image: Image, reduction: int) -> Matrix:
    """As `block_means` of an image, its blocks added in single precision."""
    rows, cols = (n // reduction for n in image.shape)
    small = np.empty((rows, cols))
    mean = np.full(reduction, 1 / reduction**2, np.float32)
    for start in range(0, rows, REDUCED_AT_ONCE):
        stop = min(start + REDUCED_AT_ONCE, rows)
        part = image[start * reduction : stop * reduction, : cols * reduction]
        down = part.reshape(stop - start, reduction, cols * reduction).sum(1)
        small[start:stop] = (down.reshape(-1, reduction) @ mean).reshape(stop - start, cols)
    return small


def fit_surface(image: Image, settings: FlatFieldSettings) -> tuple[Matrix, Matrix, Matrix]:
    """Fit the surface rows @ coefficients @ cols.T to an image.

    Every fit after the first multiplies basis and image with w = exp(-3 e^2 / (2 mean(e^2))), e
    being the residual of the fit before.

    Returns
    -------
    rows, coefficients, cols
        Shapes (H, m), (m, n) and (W, n) for a basis of m x n terms.
    """
    rows, cols = (bernstein(n, order) for n, order in zip(image.shape, settings.order, strict=True))
    reduction = min(settings.reduction, *image.shape)
    small = reduced(image, reduction)
    small_rows, small_cols = (
        np.stack([block_means(term, reduction) for term in basis.T], axis=1)
        for basis in (rows, cols)
    )
    return rows, _fit(small, small_rows, small_cols, settings.fits), cols


def _fit(image: Matrix, rows: Matrix, cols: Matrix, fits: int) -> Matrix:
    coefficients = _least_squares(image, rows, cols, None)
    for _ in range(fits - 1):
        weights = rows @ coefficients @ cols.T
        weights -= image
        weights *= weights
        mean = float(weights.mean())
        if mean > 0:
            # The weights multiply residuals, so their squares weigh the squared residuals.
            weights *= -3 / mean
            np.exp(weights, out=weights)
        coefficients = _least_squares(image, rows, cols, weights if mean > 0 else None)
    return coefficients


def _least_squares(image: Matrix, rows: Matrix, cols: Matrix, weights: Matrix | None) -> Matrix:
    """Minimize sum(weights * (image - rows @ C @ cols.T)**2) over C, by normal equations."""
    m, n = rows.shape[1], cols.shape[1]
    row_pairs = np.stack([rows[:, i] * rows[:, j] for i, j in product(range(m), repeat=2)])
    col_pairs = np.stack([cols[:, i] * cols[:, j] for i, j in product(range(n), repeat=2)])
    if weights is None:
        sums = np.outer(row_pairs.sum(1), col_pairs.sum(1))
        right = rows.T @ image @ cols
    else:
        sums = row_pairs @ weights @ col_pairs.T
        right = rows.T @ (weights * image) @ cols
    normal = sums.reshape(m, m, n, n).transpose(0, 2, 1, 3).reshape(m * n, m * n)
    solved = np.linalg.lstsq(normal, right.ravel(), rcond=None)[0]
    return np.asarray(solved, np.float64).reshape(m, n)


def surface_under(
    frame: Frame, shape: tuple[int, ...], settings: FlatFieldSettings
) -> tuple[Matrix, Matrix, Matrix]:
    """The part under an image of the surface fitted to the whole frame.

    Returns
    -------
    rows, coefficients, cols
        As `fit_surface`, for an image of this shape (H, W).
    """
    step = frame.reduction
    bases = [
        bernstein(n * step, order)
        for n, order in zip(frame.view.shape, settings.order, strict=True)
    ]
    small = [np.stack([block_means(term, step) for term in basis.T], axis=1) for basis in bases]
    coefficients = _fit(frame.view.astype(np.float64), small[0], small[1], settings.fits)
    corner = (frame.row, frame.col)
    rows, cols = (basis[at : at + n] for basis, at, n in zip(bases, corner, shape, strict=True))
    return rows, coefficients, cols


def divide_by_surface(
    image: Image, settings: FlatFieldSettings, frame: Frame | None = None
) -> Image:
    """Divide an image by its fitted surface, in place.

    Parameters
    ----------
    image
        Shape (H, W), float32; changed.
    settings
        Order, reduction and number of fits.
    frame
        What the image is a part of: the surface is fitted to all of it.

    Returns
    -------
    Image
        The same array.

    Raises
    ------
    FileError
        If the surface is not positive everywhere.
    """
    if frame is None:
        rows, coefficients, cols = fit_surface(image, settings)
    else:
        rows, coefficients, cols = surface_under(frame, image.shape, settings)
    down, across = rows.astype(np.float32), (coefficients @ cols.T).astype(np.float32)
    for start in range(0, len(image), ROWS_AT_ONCE):
        block = slice(start, start + ROWS_AT_ONCE)
        surface = down[block] @ across
        if surface.min() <= 0:
            raise FileError(
                "the flat field's surface is not positive everywhere",
                hint="is this a bright-field image? else set preprocess.flat_field.enabled = false",
            )
        image[block] /= surface
    return image

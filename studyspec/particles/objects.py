"""Objects: a mask taken apart into particles, those that touch split. Knows pixels alone."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.bool_]
Labels = npt.NDArray[np.int32]
Distance = npt.NDArray[np.float64]
LEAST_PART = 0.2
"""Parts of a smaller inscribed radius, as a share of the largest beside them, are not split off."""
RADIUS_PX = 16
"""Necks are looked for in a distance transform thinned until its largest radius is this [px]."""


@dataclass(frozen=True)
class Counting:
    """What counts as a particle.

    Attributes
    ----------
    split_touching
        Whether particles that touch are split, by watershed of the distance transform.
    neck
        They are split where the neck between them is narrower than this share of the narrower one.
    min_area_px
        Smaller things are no particles, and smaller holes are filled [px].
    """

    split_touching: bool = True
    neck: float = 0.75
    min_area_px: int = 64

    @property
    def sentence(self) -> str:
        """The rule in words; no full stop at the end."""
        split = (
            "touching particles split by watershed of the distance transform where their neck is "
            f"narrower than {self.neck:g} of the narrower one"
            if self.split_touching
            else "touching particles not split"
        )
        return (
            f"particles are 4-connected; {split}; things and holes of fewer than "
            f"{self.min_area_px} pixels do not count"
        )


@dataclass(frozen=True)
class Objects:
    """The particles of a mask.

    Attributes
    ----------
    labels
        (H, W), int32: 0 is background, 1 to n the particles.
    split
        (n,): whether a particle was split from another.
    """

    labels: Labels
    split: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.split)


def find(mask: Mask, counting: Counting | None = None) -> Objects:
    """The particles of a mask, (H, W).

    Touching ones are told by maxima of the distance to the background. A maximum is a particle of
    its own if the way to a higher one leads through a neck narrower than `counting.neck` of it.

    References
    ----------
    S. Beucher, C. Lantuéjoul, Int. Workshop on Image Processing, Rennes (1979): watersheds.
    P. Soille, Morphological Image Analysis (2003), ch. 6: maxima of a given depth.
    """
    from skimage.measure import label

    counting = counting or Counting()
    components = label(_cleaned(mask, counting.min_area_px), connectivity=1).astype(np.int32)
    if not counting.split_touching:
        return Objects(components, np.zeros(int(components.max(initial=0)), bool))
    return _split(components, counting)


def diameters_px(labels: Labels) -> npt.NDArray[np.float64]:
    """Diameters of the circles of the areas of particles 1 to n [px]."""
    areas = np.bincount(labels.reshape(-1))[1:]
    return np.asarray(np.sqrt(4 * areas / math.pi))


def at_border(labels: Labels) -> npt.NDArray[np.bool_]:
    """Whether particles 1 to n touch the border of the image."""
    found = np.zeros(int(labels.max(initial=0)) + 1, bool)
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        found[edge] = True
    return found[1:]


def _cleaned(mask: Mask, least_px: int) -> Mask:
    """Without things and holes of fewer pixels."""
    from skimage.morphology import remove_small_holes, remove_small_objects

    if least_px <= 1:
        return mask
    filled = remove_small_holes(mask, max_size=least_px - 1, connectivity=1)
    return np.asarray(remove_small_objects(filled, max_size=least_px - 1, connectivity=1))


def _split(components: Labels, counting: Counting) -> Objects:
    """Components taken apart at their necks, box by box."""
    from scipy.ndimage import find_objects

    labels = np.zeros_like(components)
    was_split: list[bool] = []
    for number, box in enumerate(find_objects(components), start=1):
        there = np.pad(components[box] == number, 1)
        parts = _parts(there, counting)[1:-1, 1:-1]
        n = int(parts.max())
        inside = parts > 0
        labels[box][inside] = parts[inside] + len(was_split)
        was_split += [n > 1] * n
    return Objects(labels, np.array(was_split, bool))


def _parts(there: Mask, counting: Counting) -> Labels:
    """The particles of one component, which is padded with background."""
    from scipy.ndimage import distance_transform_edt
    from skimage.segmentation import watershed

    distance = distance_transform_edt(there)
    markers = _markers(distance, counting)
    if int(markers.max()) < 2:
        return there.astype(np.int32)
    return np.asarray(watershed(-distance, markers, mask=there), np.int32)


def _markers(distance: Distance, counting: Counting) -> Labels:
    """The middles of the particles of one component, numbered; 0 elsewhere.

    In the logarithm of the distance a neck of a given share is a valley of a given depth.
    """
    from skimage.measure import label
    from skimage.morphology import local_maxima, reconstruction

    radius = float(distance.max())
    thin = max(1, int(radius // RADIUS_PX))
    least = max(LEAST_PART * radius, math.sqrt(counting.min_area_px / math.pi) / 2, 1.0)
    height = np.log(np.maximum(distance[::thin, ::thin], least))
    flooded = reconstruction(height + math.log(counting.neck), height, method="dilation")
    tops = label(local_maxima(flooded) & (height > math.log(least)))
    markers = np.zeros(distance.shape, np.int32)
    markers[::thin, ::thin] = tops
    return markers

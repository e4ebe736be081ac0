"""Judges of the twin: the networks that Sytwu et al. released, which saw real images alone.

The name of a file says the conditions that its network was trained under. Several folds of one
condition are as many judges.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from studyspec.learn.augment import FORMS, Augmenter
from studyspec.learn.conditions import RELEASED_SCALE_NM, released_conditions
from studyspec.learn.draws import Draws
from studyspec.learn.weights import load_network
from studyspec.plugins.values import Samples
from studyspec.spec.sections import StageSettings
from studyspec.spec.uses import Learning
from studyspec.twin.conditions import Conditions

PATCH_PX = 512
SESSIONS = {
    ("Au", 2.2): "2021-10-06",
    ("Au", 10.0): "2021-09-02",
    ("Ag", 5.0): "2022-02-02",
    ("CdSe", 5.0): "2023-01-23",
}
"""Sessions of the published training sets, by material and diameter; 5 nm gold by dose below."""
PUBLISHED = {
    ("Au 2.2 nm 0.02 423", "Au 2.2 nm 0.02 423"): 0.811,
    ("Au 2.2 nm 0.02 423", "Au 5 nm 0.02 423"): 0.893,
    ("Au 2.2 nm 0.02 423", "Au 10 nm 0.02 425"): 0.901,
    ("Au 5 nm 0.02 423", "Au 5 nm 0.02 423"): 0.889,
    ("Au 5 nm 0.02 884", "Au 5 nm 0.02 884"): 0.915,
    ("Au 5 nm 0.02 80", "Au 5 nm 0.02 80"): 0.852,
    ("Au 5 nm 0.02 884", "Au 5 nm 0.02 80"): 0.464,
    ("Au 5 nm 0.02 884", "Au 5 nm 0.02 423"): 0.865,
}
"""(trained on, tested on) -> dice on real images (Sytwu et al. 2023)."""


@dataclass(frozen=True)
class Judge:
    """A released network: its file, the name of its conditions, and these."""

    file: Path
    name: str
    conditions: Conditions

    def network(self) -> nn.Module:
        """The network itself."""
        return load_network(self.file)


@dataclass(frozen=True)
class Images:
    """Prepared images (N, P, P) float32 and both labels (N, P, P) bool; all show particles."""

    pixels: npt.NDArray[np.float32]
    drawn: npt.NDArray[np.bool_]
    exact: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.pixels)


def judges(folder: Path) -> list[Judge]:
    """The networks of a folder; a file whose name says no conditions is left out, loudly."""
    found = []
    for file in sorted(folder.glob("UNet_*.safetensors")):
        named = released_conditions(file.stem)
        if not named.material:
            print(f"left out: {file.name}, whose name says no conditions")
            continue
        (diameter,), (material,) = named.diameter_nm, named.material
        (scale,), (dose,) = named.pixel_scale_nm, named.dose_e_per_A2
        session = SESSIONS.get((material, diameter)) or _session_of_5nm_gold(scale, dose)
        conditions = Conditions(
            material, diameter, "ultrathin carbon", 300.0, scale, dose, session,
            PATCH_PX, PATCH_PX, seed=0,
        )  # fmt: skip
        found.append(Judge(file, f"{material} {diameter:g} nm {scale:g} {dose:g}", conditions))
    return found


def _session_of_5nm_gold(scale: float, dose: float) -> str:
    if dose in (80, 884):
        return "2022-06-15"
    return "2021-10-06" if scale == RELEASED_SCALE_NM["160"] else "2021-08-26"


@dataclass(frozen=True)
class Counts:
    """Hits, false positives and misses of each image, (N,), against its drawn label."""

    tp: npt.NDArray[np.int64]
    fp: npt.NDArray[np.int64]
    fn: npt.NDArray[np.int64]

    @classmethod
    def of(cls, network: nn.Module, images: Images) -> Counts:
        """What a network makes of images."""
        rows = []
        with torch.inference_mode():
            for image, label in zip(images.pixels, images.drawn, strict=True):
                logits = network(torch.from_numpy(image)[None, None])[0]
                seen = (logits[1] > logits[0]).numpy()
                rows.append([(seen & label).sum(), (seen & ~label).sum(), (~seen & label).sum()])
        return cls(*np.array(rows, np.int64).T)

    def dice(self) -> npt.NDArray[np.float64]:
        """Dice of each image, as published: (2 TP + 1) / (2 TP + FP + FN + 1)."""
        return np.asarray((2 * self.tp + 1) / (2 * self.tp + self.fp + self.fn + 1))


def first_variances(network: nn.Module, images: Images) -> npt.NDArray[np.float64]:
    """Variance of a network's first filters over images as a training sees them.

    Returns
    -------
    array
        (N, filters): mean square of each image about the mean of all, over the variance that the
        first batch norm remembers of real images. Its mean over N is the ratio.
    """
    convolution = network.get_submodule("downs.0.conv1")
    remembered = network.get_buffer("downs.0.bn1.running_var")
    augmenter = Augmenter.of(Learning.of(StageSettings()))
    x = torch.from_numpy(images.pixels)
    y = torch.from_numpy(images.drawn.astype(np.uint8))
    means, squares = [], []
    for form in range(0, FORMS, 2):
        batch = augmenter(Samples(x, y, torch.arange(len(x)) * FORMS + form), Draws(0, 0))
        with torch.no_grad():
            seen = convolution(batch.images)
        means.append(seen.mean((2, 3)))
        squares.append(seen.square().mean((2, 3)))
    mean, square = torch.stack(means).mean(0), torch.stack(squares).mean(0)
    middle = mean.mean(0)
    return np.asarray(((square - 2 * middle * mean + middle**2) / remembered).double().numpy())


def pooled(one: Sequence[npt.NDArray[np.float64]]) -> tuple[float, float]:
    """Mean over judges and images (judges x images), and its standard error.

    Images are the same for all judges: the error has a part of the images' means and one of the
    judges' means.
    """
    table = np.array(one)
    judges_n, images_n = table.shape
    error = table.mean(0).var(ddof=1) / images_n
    if judges_n > 1:
        error += table.mean(1).var(ddof=1) / judges_n
    return float(table.mean()), float(np.sqrt(error))

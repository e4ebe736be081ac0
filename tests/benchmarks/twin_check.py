"""The twin before judges that never saw it: released networks, trained on real images alone.

Every network is tested on twin images of the conditions of all of them, 512 px wide and prepared as
the paper does. Printed: dice against the drawn and the exact label, over-segmentation, the
published figures beside the twin's, the variance that each network's first normalisation layer
remembers of real patches beside that of twin patches, and patches kept of a 4096 px field.

Run: python tests/benchmarks/twin_check.py NETWORKS [-n 24]
NETWORKS is a folder of the networks that Sytwu et al. released, as safetensors.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from studyspec.images.pipeline import preprocess
from studyspec.learn.augment import FORMS, Augmenter
from studyspec.learn.draws import Draws
from studyspec.learn.metrics.reference import oversegmentation, patch_dice
from studyspec.learn.weights import load_network
from studyspec.plugins.values import Samples, WorkingImage
from studyspec.spec.sections import PreprocessSettings, StageSettings
from studyspec.spec.uses import Learning, Pipeline
from studyspec.twin.conditions import Conditions
from studyspec.twin.constants import CONSTANTS
from studyspec.twin.layout import LEAST_PARTICLE, REDUCTION, choose_window
from studyspec.twin.simulation import simulate

PATCH_PX = 512
LEAST_PARTICLE_PX = 200
FIELDS = 24
SCALES = {"330": 0.02, "260": 0.026, "205": 0.033, "160": 0.042}
SESSIONS = {
    ("Au", 2.2): "2021-10-06",
    ("Au", 10.0): "2021-09-02",
    ("Ag", 5.0): "2022-02-02",
    ("CdSe", 5.0): "2023-01-23",
}
"""Sessions of the published training sets, by material and diameter; 5 nm gold by dose below."""
NAME = re.compile(r"UNet_([0-9p]+)nm([A-Z][A-Za-z]*?)([0-9]{3})kX([0-9]+)e")
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
WITHIN = 0.04
KEPT = {"Au 2.2": 25.0, "Au 5": 26.0, "Au 10": 8.5, "Ag 5": 31.0, "CdSe 5": 34.0}
"""Patches kept of a real 4096 px image, by material and diameter."""


@dataclass(frozen=True)
class Judge:
    """A released network and the conditions that it was trained under."""

    name: str
    network: nn.Module
    conditions: Conditions


@dataclass(frozen=True)
class Images:
    """Prepared images (N, P, P) float32 and both labels (N, P, P) uint8; all show particles."""

    pixels: npt.NDArray[np.float32]
    drawn: npt.NDArray[np.uint8]
    exact: npt.NDArray[np.uint8]


def judges(folder: Path) -> list[Judge]:
    """The networks of a folder; their names say their conditions."""
    found = []
    for file in sorted(folder.glob("UNet_*.safetensors")):
        match = NAME.match(file.name)
        if match is None:
            print(f"left out: {file.name}, whose name says no conditions")
            continue
        diameter, material = float(match[1].replace("p", ".")), match[2]
        scale, dose = SCALES[match[3]], float(match[4])
        session = SESSIONS.get((material, diameter)) or _session_of_5nm_gold(scale, dose)
        conditions = Conditions(
            material, diameter, "ultrathin carbon", 300.0, scale, dose, session,
            PATCH_PX, PATCH_PX, seed=0,
        )  # fmt: skip
        name = f"{material} {diameter:g} nm {scale:g} {dose:g}"
        found.append(Judge(name, load_network(file), conditions))
    return found


def _session_of_5nm_gold(scale: float, dose: float) -> str:
    if dose in (80, 884):
        return "2022-06-15"
    return "2021-10-06" if scale == SCALES["160"] else "2021-08-26"


Rendered = tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]


def render(conditions: Conditions) -> Rendered:
    """One image, prepared, and its labels."""
    torch.set_num_threads(1)
    made = simulate(conditions)
    image = WorkingImage(made.pixels, frame=made.frame)
    pixels = preprocess(image, Pipeline.of(PreprocessSettings())).pixels
    return pixels, made.drawn, made.exact


def images_of(conditions: Conditions, n: int, pool: ProcessPoolExecutor) -> Images:
    """`n` images; those without enough particle are left out, as the paper's patches are."""
    seeds = [replace(conditions, seed=1000 + number) for number in range(n)]
    kept = [one for one in pool.map(render, seeds) if one[1].sum() > LEAST_PARTICLE_PX]
    pixels, drawn, exact = (np.stack(part) for part in zip(*kept, strict=True))
    return Images(pixels, drawn.astype(np.uint8), exact.astype(np.uint8))


@dataclass(frozen=True)
class Counts:
    """Hits, false positives and misses of each image, (N,)."""

    tp: npt.NDArray[np.int64]
    fp: npt.NDArray[np.int64]
    fn: npt.NDArray[np.int64]

    def dice(self) -> npt.NDArray[np.float64]:
        """Dice of each image."""
        return patch_dice(self.tp, self.fp, self.fn)


def seen_by(judge: Judge, images: Images) -> npt.NDArray[np.uint8]:
    """Where a network sees particles, (N, P, P)."""
    masks = []
    with torch.inference_mode():
        for image in torch.from_numpy(images.pixels):
            logits = judge.network(image[None, None])[0]
            masks.append((logits[1] > logits[0]).numpy().astype(np.uint8))
    return np.stack(masks)


def count(seen: npt.NDArray[np.uint8], label: npt.NDArray[np.uint8]) -> Counts:
    """Pixels of masks against labels, both (N, P, P)."""
    tp = (seen & label).sum((1, 2), dtype=np.int64)
    return Counts(tp, seen.sum((1, 2)) - tp, label.sum((1, 2)) - tp)


def variances(judge: Judge, images: Images) -> list[float]:
    """Variance of each first filter over augmented twin patches, of that over the real ones."""
    convolution = judge.network.get_submodule("downs.0.conv1")
    remembered = judge.network.get_buffer("downs.0.bn1.running_var")
    augmenter = Augmenter.of(Learning.of(StageSettings()))
    means, squares = [], []
    x, y = torch.from_numpy(images.pixels), torch.from_numpy(images.drawn)
    for form in range(FORMS):
        samples = torch.arange(len(x)) * FORMS + form
        batch = augmenter(Samples(x, y, samples), Draws(seed=0, epoch=0))
        with torch.no_grad():
            seen = convolution(batch.images)
        means.append(seen.mean((0, 2, 3)))
        squares.append(seen.square().mean((0, 2, 3)))
    mean, square = torch.stack(means).mean(0), torch.stack(squares).mean(0)
    return [float(ratio) for ratio in (square - mean**2) / remembered]


def kept_patches(conditions: Conditions) -> float:
    """Patches with particle of a 4096 px field: the mean over fields."""
    points = PATCH_PX // REDUCTION
    counts = []
    for seed in range(FIELDS):
        rng = np.random.default_rng(seed)
        covered = choose_window(conditions, rng, CONSTANTS.particles).layout.covered()
        n = len(covered) // points
        inside = covered[: n * points, : n * points].reshape(n, points, n, points).sum((1, 3))
        counts.append(int((inside >= LEAST_PARTICLE).sum()))
    return float(np.mean(counts))


def table(title: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[float]]]) -> None:
    """Print numbers under short names."""
    print(f"\n{title}\n{'':>22}" + "".join(f"{name:>8}" for name in names))
    for name, values in rows:
        print(f"{name:>22}" + "".join(f"{value:8.3f}" for value in values))


def judged(found: dict[tuple[str, str], npt.NDArray[np.float64]]) -> Iterator[str]:
    """A line for each published figure."""
    for pair, published in PUBLISHED.items():
        if pair not in found:
            continue
        values = found[pair]
        mean, error = float(values.mean()), float(values.std(ddof=1) / np.sqrt(len(values)))
        verdict = "within" if abs(mean - published) <= WITHIN else "NOT within"
        where = f"{pair[0]} on {pair[1]}"
        yield (
            f"{where:<42} {mean:.3f} ± {error:.3f}  real {published:.3f}"
            f"  {mean - published:+.3f}  {verdict} {WITHIN}"
        )


def check(folder: Path, n: int) -> None:
    """Render, judge, print."""
    jury = judges(folder)
    names = [judge.name for judge in jury]
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
        images = {j.name: images_of(j.conditions, n, pool) for j in jury}
    drawn: dict[tuple[str, str], npt.NDArray[np.float64]] = {}
    matrices: dict[str, list[tuple[str, list[float]]]] = {"drawn": [], "exact": [], "over": []}
    for judge in jury:
        lines: dict[str, list[float]] = {name: [] for name in matrices}
        for name in names:
            one = images[name]
            seen = seen_by(judge, one)
            by_drawn, by_exact = count(seen, one.drawn), count(seen, one.exact)
            drawn[judge.name, name] = by_drawn.dice()
            lines["drawn"].append(float(by_drawn.dice().mean()))
            lines["exact"].append(float(by_exact.dice().mean()))
            lines["over"].append(oversegmentation(by_drawn.fp, by_drawn.fn))
        for name, values in lines.items():
            matrices[name].append((judge.name, values))
    numbers = [f"({i})" for i in range(len(names))]
    print(f"images of 512 px by condition: {[len(images[name].pixels) for name in names]}")
    for i, name in enumerate(names):
        print(f"  ({i}) {name} e/Å^2")
    table("dice against the drawn label: trained on \\ tested on", numbers, matrices["drawn"])
    table("dice against the exact label", numbers, matrices["exact"])
    table("over-segmentation FP / (FP + FN), drawn label", numbers, matrices["over"])
    print("\npublished on real images")
    print("\n".join(judged(drawn)))
    ratios = [(j.name, variances(j, images[j.name])) for j in jury]
    table("twin / real variance of the first filters", ["1", "2", "3", "4"], ratios)
    print("\npatches kept of a 4096 px field")
    for judge in jury:
        c = judge.conditions
        if c.pixel_scale_nm == SCALES["330"]:
            real = KEPT.get(f"{c.material} {c.diameter_nm:g}", float("nan"))
            print(f"{judge.name:>22} {kept_patches(c):6.1f}  real {real:.1f}")


def main() -> None:
    """Read the command line and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("networks", type=Path)
    parser.add_argument("-n", type=int, default=24, help="images for each condition")
    arguments = parser.parse_args()
    if not any(arguments.networks.glob("UNet_*.safetensors")):
        parser.error(f"no released networks in {arguments.networks}")
    check(arguments.networks, arguments.n)


if __name__ == "__main__":
    main()

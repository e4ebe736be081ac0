"""The twin before judges that never saw it: figures of real images beside those of the twin.

Printed: a row for each figure with the real one, the twin's and its standard error, how near it is
to be, and whether it is; dice of released networks on twin images, and the orders of the paper.
Images are 512 px wide and prepared as the paper does; dice is against the drawn label.

Run: python tests/benchmarks/twin_check.py NETWORKS [-n 40] [--seed 1000] [--output FILE.md]
NETWORKS is a folder of the networks that Sytwu et al. released, as safetensors; several folds of a
condition are averaged, their spread beside. Constants were fitted to the images of the default
seed: another seed shows images that they were not fitted to.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from studyspec.images.pipeline import preprocess
from studyspec.plugins.values import WorkingImage
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from studyspec.twin.conditions import Conditions
from studyspec.twin.simulation import simulate
from tests.benchmarks import twin_figures as figures
from tests.benchmarks.twin_constants import constants
from tests.benchmarks.twin_figures import Value
from tests.benchmarks.twin_judges import (
    PUBLISHED,
    Counts,
    Images,
    Judge,
    first_variances,
    judges,
    pooled,
)
from tests.benchmarks.twin_orders import ORDERS, Matrix, pairs

LEAST_PARTICLE_PX = 400
"""Patches with no more particle than this are dropped, as the paper's are."""
FIRST_SEED = 1000
"""Images of this seed and those after it are what constants were fitted to."""
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Row:
    """A line of the table: what, the real figure, the twin's, and between what it is to be."""

    what: str
    real: float
    twin: Value
    least: float
    most: float

    def __str__(self) -> str:
        met = "met" if self.least <= self.twin.mean <= self.most else "NOT met"
        value = f"{self.twin.mean:.3f} ± {self.twin.error:.3f}"
        reach = f"{self.least:.3f} to {self.most:.3f}"
        away = f"{self.residual:+.1f}" if np.isfinite(self.residual) else "–"
        return f"| {self.what} | {self.real:.3f} | {value} | {away} | {reach} | {met} |"

    @property
    def residual(self) -> float:
        """The twin's figure less the real one, in its standard errors."""
        away, error = self.twin.mean - self.real, self.twin.error
        return away / error if error > 0 else float("nan")


def within(what: str, real: float, twin: Value, part: float) -> Row:
    """A row that is met within a part of the real figure."""
    return Row(what, real, twin, real * (1 - part), real * (1 + part))


@dataclass(frozen=True)
class Verdict:
    """What one judge makes of the images of one condition."""

    trained: str
    tested: str
    dice: Array
    over: float
    variances: npt.NDArray[np.float64] | None


Mask = npt.NDArray[np.bool_]


def render(conditions: Conditions) -> tuple[npt.NDArray[np.float32], Mask, Mask]:
    """One image, prepared, and its labels."""
    made = simulate(conditions)
    image = WorkingImage(made.pixels, frame=made.frame)
    pixels = preprocess(image, Pipeline.of(PreprocessSettings())).pixels
    return pixels, made.drawn, made.exact


def images_of(conditions: Conditions, n: int, first: int, pool: ProcessPoolExecutor) -> Images:
    """`n` images, of seeds from the first one on; those without enough particle are left out.

    The paper's patches are, too.
    """
    seeds = [replace(conditions, seed=first + number) for number in range(n)]
    kept = [one for one in pool.map(render, seeds) if one[1].sum() > LEAST_PARTICLE_PX]
    pixels, drawn, exact = zip(*kept, strict=True)
    return Images(np.stack(pixels), np.stack(drawn), np.stack(exact))


def judge_all(tested: str, images: Images, jury: list[Judge]) -> list[Verdict]:
    """Verdicts on one condition by the judges of those that the paper compares with it."""
    torch.set_num_threads(1)
    found = []
    for judge in jury:
        if (judge.name, tested) in pairs():
            network = judge.network()
            counts = Counts.of(network, images)
            over = counts.fp.sum() / (counts.fp.sum() + counts.fn.sum())
            variances = first_variances(network, images) if judge.name == tested else None
            found.append(Verdict(judge.name, tested, counts.dice(), over, variances))
    return found


def by_condition(verdicts: list[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """The verdicts of all folds, by (trained on, tested on)."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for one in verdicts:
        found.setdefault((one.trained, one.tested), []).append(one)
    return found


def spread(folds: list[Verdict]) -> str:
    """How many folds, and the standard deviation of their mean dice (ddof 1)."""
    means = [float(one.dice.mean()) for one in folds]
    return f"{len(means)}, {np.std(means, ddof=1):.3f}" if len(means) > 1 else "1, –"


def matrix_of(verdicts: list[Verdict]) -> Matrix:
    """Mean dice with its error, and over-segmentation, for each (trained on, tested on)."""
    by_pair = by_condition(verdicts)
    dice = {pair: Value(*pooled([v.dice for v in found])) for pair, found in by_pair.items()}
    over = {pair: float(np.mean([v.over for v in found])) for pair, found in by_pair.items()}
    return Matrix(dice, over)


def image_rows(images: Mapping[str, Images]) -> Iterator[Row]:
    """Figures of the images alone."""
    gold = "Au 5 nm 0.02"
    for dose, real, rough in (("884", 0.576, 0.027), ("80", 0.239, 0.050)):
        if one := images.get(f"{gold} {dose}"):
            yield within(f"contrast, {dose} e/Å²", real, figures.contrast(one), 0.1)
            yield within(f"roughness, {dose} e/Å²", rough, figures.median_roughness(one), 0.1)
    bright = figures.bright_pixels(423)
    yield Row("pixels over 1500 counts above the centre, 4096², 423 e/Å²", 0.214, bright, 0.1, 0.4)
    ratios = (("Au 2.2 nm 0.02 423", 1.6), (f"{gold} 423", 1.9), ("Au 10 nm 0.02 425", 3.2),
              ("Ag 5 nm 0.02 423", 1.6))  # fmt: skip
    for name, real in ratios:
        if one := images.get(name):
            what = f"variance in particles over film, {name}"
            yield within(what, real, figures.display_ratio(one, 0.02), 0.3)
    if one := images.get(f"{gold} 423"):
        yield within("long-wave sd of the film, 5 nm", 0.070, figures.long_wave(one, 0.02), 0.2)
        solid = figures.solidity(one)
        yield Row("solidity of 5 nm particles", 0.994, solid, 0.990, 0.998)
    if one := images.get("Au 2.2 nm 0.02 423"):
        yield within("label's share, 2.2 nm", 0.19, figures.share(one), 0.3)
        yield within("particles in a patch, 2.2 nm", 7.75, figures.particles(one), 0.3)


def judged_rows(verdicts: list[Verdict], matrix: Matrix) -> Iterator[Row]:
    """Figures of the networks: what their first batch norm remembers, and dice."""
    for name in sorted({one.trained for one in verdicts}):
        own = [
            v.variances.mean(1) for v in verdicts if v.trained == name and v.variances is not None
        ]
        if own:
            yield Row(f"variance of the first filters, {name}", 1.0, Value(*pooled(own)), 0.9, 1.1)
    known = [pair for pair in PUBLISHED if pair in matrix.dice]
    for pair in known:
        real = PUBLISHED[pair]
        what = f"dice, {pair[0]} on {pair[1]}"
        yield Row(what, real, matrix.dice[pair], real - 0.03, real + 0.03)
    if len(known) > 3:
        real_dice = np.array([PUBLISHED[pair] for pair in known])
        twin_dice = np.array([matrix.dice[pair].mean for pair in known])
        everything = Value(float(np.corrcoef(real_dice, twin_dice)[0, 1]), float("nan"))
        yield Row("correlation of dice over the cells", 1.0, everything, 0.97, 1.0)
        without = [
            float(np.corrcoef(np.delete(real_dice, i), np.delete(twin_dice, i))[0, 1])
            for i in range(len(known))
        ]
        yield Row("the same without any one cell, least", 1.0, Value(min(without), np.nan), 0.9, 1)


def report(folder: Path, n: int, seed: int = FIRST_SEED) -> Iterator[str]:
    """Render, judge, and give the lines of the page."""
    jury = judges(folder)
    context = get_context("spawn")
    with ProcessPoolExecutor(mp_context=context) as pool:
        wanted = {judge.name: judge.conditions for judge in jury}
        images = {name: images_of(conditions, n, seed, pool) for name, conditions in wanted.items()}
        found = pool.map(partial(judge_all, jury=jury), images.keys(), images.values())
        verdicts = [verdict for one in found for verdict in one]
    yield from page_of(len(jury), seed, images, verdicts)


def page_of(
    networks: int, seed: int, images: Mapping[str, Images], verdicts: list[Verdict]
) -> Iterator[str]:
    """The lines of the page."""
    matrix = matrix_of(verdicts)
    kept = ", ".join(f"{name}: {len(one)}" for name, one in images.items())
    yield f"Networks: {networks}. Images of 512 px by condition, from seed {seed} on: {kept}.\n"
    yield "| what | real | twin ± standard error | residual [standard errors] | reach | |"
    yield "|---|---|---|---|---|---|"
    yield from (str(row) for row in image_rows(images))
    yield from (str(row) for row in judged_rows(verdicts, matrix))
    yield "\n| order of the paper | in the twin | |\n|---|---|---|"
    for order in ORDERS:
        yield order.judged(matrix)
    yield "\n| trained on, tested on | dice | folds, sd between them | over-segmentation |"
    yield "|---|---|---|---|"
    folds = by_condition(verdicts)
    for (trained, tested), value in matrix.dice.items():
        over, among = matrix.over[trained, tested], spread(folds[trained, tested])
        dice = f"{value.mean:.3f} ± {value.error:.3f}"
        yield f"| {trained}, {tested} | {dice} | {among} | {over:.2f} |"
    yield "\n| constant of the twin | value | what it is |\n|---|---|---|"
    yield from (f"| {one.name} | {one.value} | {one.origin} |" for one in constants())


def main() -> None:
    """Read the command line and check."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("networks", type=Path)
    parser.add_argument("-n", type=int, default=40, help="images for each condition")
    parser.add_argument("--seed", type=int, default=FIRST_SEED, help="of the first image")
    parser.add_argument("--output", type=Path, help="write the page to this file too")
    arguments = parser.parse_args()
    if not any(arguments.networks.glob("UNet_*.safetensors")):
        parser.error(f"no released networks in {arguments.networks}")
    lines = []
    for line in report(arguments.networks, arguments.n, arguments.seed):
        print(line, flush=True)
        lines.append(line)
    if arguments.output:
        arguments.output.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()

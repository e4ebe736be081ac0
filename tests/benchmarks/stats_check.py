"""`make stats-check`: false alarms and coverage of every kind of contrast, by simulation.

Scores are drawn with variances typical of the store, judged by the package itself, and the errors
are counted: of 95 % intervals, and of one-sided 95 % bounds (the worse of both). Aim: 3.5 to 6.5 %
of false alarms, 93.5 to 96.5 % of coverage. The rows "common" show what nothing can mend: folds
whose networks have something in common that is in no spread. The last rows are of studies that are
judged several times, with folds repeated once more each time, as `run --until-decided` does: shares
that are wrong at any look, and in brackets those of one look at all networks, and of 95 % intervals
at every look. Own sets of 6 micrographs are liberal with many repeats, looked at once or often.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from itertools import product

from tests.stats.calibration import KINDS, LEVELS, Kind, LookRates, Rates, look_rates, rates
from tests.stats.made_up import Noise

MICROGRAPHS = (6, 12, 24, 48)
AIM = (0.035, 0.065)
COMMON = 0.375
"""The share of the variance of networks that folds have in common if half of it comes of training
images: two of five folds share three quarters of these."""
SLOWER = 5
"""How many times fewer draws of the best of a sweep, which takes as much longer."""
LOOKS = 5
LOOKED = KINDS[:5]
"""The kinds that several looks are taken at; the last rows take five times as long each."""
Case = tuple[str, str, int, int]


def main() -> int:
    """Print the table; 1 if a kind is liberal beyond the aim and its error of simulation."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--draws", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=2)
    asked = parser.parse_args()
    kinds = {kind.name: kind for kind in (*KINDS, *_unknowable())}
    cases = [
        (level, name, n, asked.draws) for level, name, n in product(LEVELS, kinds, MICROGRAPHS)
    ]
    names = [kind.name for kind in LOOKED]
    several = [
        (level, name, n, asked.draws) for level, name, n in product(LEVELS, names, MICROGRAPHS)
    ]
    with ProcessPoolExecutor(asked.workers) as pool:
        found = dict(zip(cases, pool.map(_rates, cases, chunksize=4), strict=True))
        looked = dict(zip(several, pool.map(_looks, several), strict=True))
    print("Type I error [%] two-sided / one-sided, coverage [%]; folds: 5")
    print(f"{'':44}" + "".join(f"{f'{n} micrographs':^26}" for n in MICROGRAPHS))
    bad = 0
    for level, name in product(LEVELS, kinds):
        mine = [found[level, name, n, asked.draws] for n in MICROGRAPHS]
        print(f"{level:11}{name:33}" + "".join(f"{_told(one):^26}" for one in mine))
        if kinds[name] in KINDS:
            bad += sum(one.two_sided - 2 * one.error(one.two_sided) > AIM[1] for one in mine)
    print(f"Wrong at any of {LOOKS} looks [%] two-sided / one-sided (one look at all; careless)")
    for level, name in product(LEVELS, names):
        ours = [looked[level, name, n, asked.draws] for n in MICROGRAPHS]
        print(f"{level:11}{name:33}" + "".join(f"{_told_looks(one):^26}" for one in ours))
        bad += sum(
            one.two_sided - 2 * mine[0].error(one.two_sided) > max(AIM[1], one.last) for one in ours
        )
    error = 100 * mine[0].error(0.05)
    print(
        f"Monte Carlo standard error of a share of 5 %: {error:.2f} % (best of a sweep: "
        f"{error * SLOWER**0.5:.2f} %, and bounds: at most 5 %)"
    )
    return int(bad > 0)


def _unknowable() -> Iterator[Kind]:
    """Kinds of which one training set cannot tell: its networks have something in common."""
    for kind in KINDS[:3]:
        yield replace(kind, name=f"{kind.name}, common", noise=_common)


def _common(noise: Noise) -> Noise:
    return replace(noise, common=COMMON)


def _rates(case: Case) -> Rates:
    level, name, n, draws = case
    kind = next(one for one in (*KINDS, *_unknowable()) if one.name == name)
    draws = draws // SLOWER if kind.best else draws
    return rates(kind, replace(LEVELS[level], micrographs=n), draws)


def _looks(case: Case) -> LookRates:
    level, name, n, draws = case
    kind = next(one for one in LOOKED if one.name == name)
    return look_rates(kind, replace(LEVELS[level], micrographs=n), LOOKS, draws)


def _told_looks(one: LookRates) -> str:
    worse = max(one.above, one.below)
    mark = " " if one.two_sided <= AIM[1] else "!"
    beside = f"({100 * one.last:.1f}; {100 * one.careless:.1f})"
    return f"{100 * one.two_sided:4.1f}{mark}/ {100 * worse:4.1f} {beside}"


def _told(one: Rates) -> str:
    worse = max(one.above, one.below)
    mark = " " if one.two_sided <= AIM[1] else "!"
    return f"{100 * one.two_sided:4.1f}{mark}/ {100 * worse:4.1f}  {100 * one.coverage:5.1f}"


if __name__ == "__main__":
    sys.exit(main())

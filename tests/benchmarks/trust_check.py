"""Expected dice beside dice: networks on labelled images that nothing was learnt from.

Printed: expected dice with its interval and dice of every (network, image), then the rank
correlation over all of them, that of the plain baseline, mean absolute errors, and the share of
dice within their interval. Labels are not shown to what foretells.

Run: python tests/benchmarks/trust_check.py NETWORKS METADATA.csv
NETWORKS is a folder of networks; the CSV has the columns image, label and pixel_scale_nm.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from studyspec import api
from studyspec.api.found import find
from studyspec.catalog.readers import read_image, read_label
from studyspec.learn.applied import Applied


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", type=Path)
    parser.add_argument("metadata", type=Path)
    asked = parser.parse_args()
    folder = asked.metadata.parent
    with asked.metadata.open(newline="") as file:
        rows = {row["image"]: row for row in csv.DictReader(file)}
    applied = {file.sha256: Applied.of(file) for file in find(asked.networks)}
    images = [folder / name for name in rows]
    found = api.trust(asked.networks, images, metadata=asked.metadata)
    dice = []
    for one in found.rows:
        row = rows[one.image.name]
        scale = float(row["pixel_scale_nm"])
        probability = applied[one.network_sha256].probability(
            read_image(one.image), pixel_scale_nm=scale, where=str(one.image)
        )
        mask, label = probability > 0.5, read_label(folder / row["label"])
        dice.append(2 * int((mask & label).sum()) / max(1, int(mask.sum() + label.sum())))
        e = one.expected
        print(f"{one.image.name:28s} {one.network:40s} expected {e.dice:.2f} "
              f"[{e.low:.2f}, {e.high:.2f}]  dice {dice[-1]:.2f}")  # fmt: skip
    true = np.array(dice)
    expected, alone = (np.array([getattr(one.expected, name) for one in found.rows])
                       for name in ("dice", "confidence"))  # fmt: skip
    inside = [
        e.low <= d <= e.high for e, d in zip((r.expected for r in found.rows), true, strict=True)
    ]
    for name, told in (("model", expected), ("confidence alone", alone)):
        print(f"{name}: rank correlation {spearmanr(told, true)[0]:.3f}, "
              f"mean absolute error {np.abs(told - true).mean():.3f}")  # fmt: skip
    print(f"{np.mean(inside):.0%} of {len(true)} dice within their 90 % interval")


if __name__ == "__main__":
    main()

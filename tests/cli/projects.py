"""Small projects on disk for tests of the command line; their study runs in seconds."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image

SIZE = 64
STUDY = """\
[study]
name = "discs"
question = "Does a network trained on one kind of disc find the other?"

[catalog]
path = "catalog.parquet"
collection = "mine"

[datasets.A]
kind = "A"

[datasets.B]
kind = "B"

[matrix]
train = ["A", "B"]
test = ["A", "B"]

[preprocess]
flat_field.enabled = false
patch = { size = 32, min_particle_px = 20 }

[augment]
dihedral = "random"

[training]
epochs = 2
batch_size = 8
learning_rate = 1e-2

[cross_validation]
folds = 2

[evaluation]
dihedral = false
"""


def disc_image(folder: Path, name: str, seed: int, bright: int) -> None:
    """A noisy image of discs with its label."""
    rng = np.random.default_rng(seed)
    rows, cols = np.mgrid[:SIZE, :SIZE]
    label = np.zeros((SIZE, SIZE), bool)
    for row, col in rng.integers(8, SIZE - 8, (5, 2)):
        label |= (rows - row) ** 2 + (cols - col) ** 2 < 60
    np.save(folder / f"{name}.npy", rng.poisson(100 + bright * label).astype(np.uint16))
    Image.fromarray(label.astype(np.uint8) * 255).save(folder / f"{name}_label.png")


def make_project(folder: Path, kinds: str = "ABC", images: int = 3) -> Path:
    """A project with a catalog of a few images of each kind, and a study; the study's path."""
    data = folder / "data"
    data.mkdir(parents=True)
    lines = ["image,label,kind"]
    for kind in kinds:
        for i in range(images):
            name = f"{kind}{i}"
            disc_image(data, name, seed=ord(kind) * 10 + i, bright=20 * (1 + kinds.index(kind)))
            lines.append(f"{name}.npy,{name}_label.png,{kind}")
    (data / "metadata.csv").write_text("\n".join(lines) + "\n")
    (folder / "study.toml").write_text(STUDY)
    studyspec(
        folder, "catalog", "add", "data", "--metadata", "data/metadata.csv",
        "--catalog", "catalog.parquet",
    )  # fmt: skip
    return folder / "study.toml"


def studyspec(
    folder: Path, *words: str, expect: int | None = 0
) -> subprocess.CompletedProcess[str]:
    """Run the command line in a folder; fail the test if the exit status is another."""
    done = subprocess.run(
        [sys.executable, "-m", "studyspec", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "STUDYSPEC_CACHE": str(folder / "cache"), "COLUMNS": "120"},
        timeout=240,
    )
    if expect is not None:
        assert done.returncode == expect, done.stdout + done.stderr
    return done

"""A tiny real study on .npy images: what the tests of the runner run."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from studyspec.catalog.row import ImageRow
from studyspec.images.door import Door, Identity
from studyspec.jobs.stages import Job
from studyspec.plan.datasets import PlannedImage, ResolvedDataset
from studyspec.plan.expansion import expand_jobs
from studyspec.plan.preparation import Files
from studyspec.plugins.contracts import Whereabouts
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.sections import StageSettings
from studyspec.spec.variants import Variant
from studyspec.store.folder import Results

SIZE = 64


def settings(folds: int = 2, epochs: int = 2) -> StageSettings:
    """Patches of 16 pixels, a network of one filter, no augmentation."""
    return StageSettings.model_validate(
        {
            "preprocess": {"patch": {"size": 16, "min_particle_px": 0}},
            "augment": {"dihedral": "none", "rotation": {"probability": 0}},
            "model": {"first_filters": 1},
            "training": {"epochs": epochs, "precision": "float32"},
            "cross_validation": {"folds": folds},
            "evaluation": {"dihedral": False},
        }
    )


def write_image(folder: Path, name: str, seed: int) -> ImageRow:
    """An image of noise with bright discs, and its label."""
    folder.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).normal(100, 10, (SIZE, SIZE))
    rows, cols = np.mgrid[:SIZE, :SIZE]
    label = (rows % 16 - 8) ** 2 + (cols % 16 - 8) ** 2 < 25
    np.save(folder / f"{name}.npy", (noise + 50 * label).astype(np.float32))
    np.save(folder / f"{name}_label.npy", label.astype(np.uint8))
    return ImageRow(name, "mine", f"{name}.npy", f"{name}_label.npy")


def identity(folder: Path, row: ImageRow) -> Identity:
    """The hashes of an image and its label as they are now."""
    door = Door(Whereabouts(folder / "catalog.parquet", folder / "cache"))
    return door.identity(row, "drawn")


def dataset(folder: Path, name: str, n: int = 2) -> ResolvedDataset:
    """A dataset of n images in a folder."""
    images = []
    for i in range(n):
        row = write_image(folder, f"{name}-{i}", 100 * sum(name.encode()) + i)
        found = identity(folder, row)
        images.append(PlannedImage(row, "drawn", found.image_sha256, found.label_sha256))
    return ResolvedDataset(name, DatasetFilter(), tuple(images))


def study(
    folder: Path,
    names: str = "AB",
    folds: int = 2,
    epochs: int = 2,
    pairs: tuple[tuple[str, str], ...] | None = None,
) -> tuple[Job, ...]:
    """The jobs of these pairs; default: every dataset against every other one."""
    datasets = {name: dataset(folder, name) for name in names}
    pairs = pairs or tuple((train, test) for train in names for test in names)
    variant = Variant("base", settings(folds, epochs), pairs)
    files = Files(str(folder / "catalog.parquet"), str(folder / "cache"))
    return expand_jobs([variant], datasets, files).jobs


def records(results: Results) -> list[dict[str, Any]]:
    """All records of jobs, by name."""
    return [json.loads(path.read_text()) for path in sorted(results.records.glob("[!.]*.json"))]


def done_once(results: Results) -> dict[str, Any]:
    """The results of all done jobs by key; fails if a job was done twice."""
    done = [record for record in records(results) if record["status"] == "done"]
    found = {record["key"]: record["result"] for record in done}
    assert len(found) == len(done)
    return found


def scores(results: Results) -> dict[str, Any]:
    """The scores of all evaluations by key."""
    return {key: found["scores"] for key, found in done_once(results).items() if "scores" in found}


def wait_for(what: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.02)


def start(
    data: Path, results: Results, epochs: int = 2, engine: str = "local", names: str = "AB"
) -> subprocess.Popen[bytes]:
    """A runner in a process of its own."""
    program = [sys.executable, "-m", "tests.run.program", str(data), str(results.folder)]
    return subprocess.Popen([*program, str(epochs), engine, names], stdout=subprocess.DEVNULL)


def worker_pids(results: Results) -> list[int]:
    """The process numbers of all workers that a runner knows of."""
    files = results.workers.glob("[!.]*.json")
    return [int(json.loads(path.read_text())["handle"].partition(":")[0]) for path in files]


def leased(results: Results) -> list[str]:
    """What leases have left behind."""
    found = results.leases.iterdir() if results.leases.exists() else ()
    return [path.name for path in found if not path.name.startswith(".")]


def child_pids(pid: int) -> list[int]:
    """The children of a process."""
    shown = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False
    )
    return [int(line) for line in shown.stdout.split()]


def training(results: Results) -> bool:
    """Whether some training has come through an epoch and goes on."""
    progress = results.leases.glob("[!.]*.progress")
    return any(results.lease(path.stem).exists() for path in progress)

"""Cleaning: deleting what can be made again. Never touches records or the database."""

from __future__ import annotations

import shutil
from pathlib import Path

from studyspec.store.folder import Results


def clean(results: Results, networks: bool = False) -> int:
    """Delete rendered images, patches and checkpoints, and weights if asked; bytes freed."""
    folders = [results.twins, results.prepared, results.checkpoints]
    if networks:
        folders.append(results.networks)
    freed = sum(_size(folder) for folder in folders)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

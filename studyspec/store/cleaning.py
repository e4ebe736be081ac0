"""Cleaning: deleting what can be made again. Never touches records or the database."""

from __future__ import annotations

import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from studyspec.store.folder import Results

HALF = re.compile(r"\.[0-9a-f]{32}\.")
"""Begins the name of what is not whole yet, as `files` makes it."""
DEAD_S = 3600.0
"""Nothing is written for so long without a change [s]."""


def clean(results: Results, networks: bool = False) -> int:
    """Delete rendered images, patches and checkpoints, and weights if asked; bytes freed.

    What programs that died left half written goes too.
    """
    folders = [results.twins, results.prepared, results.checkpoints]
    if networks:
        folders.append(results.networks)
    freed = sum(_size(folder) for folder in folders) + _sweep(results.folder)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    return freed


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _sweep(folder: Path) -> int:
    """Delete files and folders that were being written long ago, and never were whole."""
    freed, now = 0, time.time()
    for path in list(folder.rglob(".*")):
        with suppress(OSError):
            if not HALF.match(path.name) or now - path.stat().st_mtime < DEAD_S:
                continue
            if path.is_dir() and not path.is_symlink():
                freed += _size(path)
                shutil.rmtree(path, ignore_errors=True)
            else:
                freed += path.lstat().st_size
                path.unlink()
    return freed

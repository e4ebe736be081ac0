"""Hardware: what this machine has to compute on."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path

from studyspec.errors import RunError

CPU = "cpu"
GPU_FILES = ("dev/nvidia[0-9]*", "dev/dxg")


def gpus() -> tuple[str, ...]:
    """The GPUs. Asks torch only where there may be one: importing it takes seconds."""
    if not any(found for pattern in GPU_FILES for found in Path("/").glob(pattern)):
        return ()
    from studyspec.learn.devices import available

    return tuple(name for name in available() if name != CPU)


def cores() -> int:
    """How many cores this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def check(names: Iterable[str]) -> None:
    """Refuse a device that is not here.

    Raises
    ------
    RunError
        Naming the device and those there are.
    """
    here = (CPU, *gpus())
    for name in names:
        if name not in here:
            raise RunError(f"no device '{name}' here", hint=f"there is {', '.join(here)}")

"""studyspec: on which of my micrographs can I trust this network?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studyspec.api.notebook import OpenResults

__version__ = "0.1.0"


def open(folder: str | Path = "results") -> OpenResults:
    """Open a results folder in a notebook; see `studyspec.api.notebook`."""
    from studyspec.api.notebook import open_results

    return open_results(folder)

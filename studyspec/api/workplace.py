"""Where a study's results and files are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studyspec.store.layout import Results


@dataclass(frozen=True)
class Workplace:
    """Where results, fetched files and the published images are; None: the defaults.

    The default results folder is `results/` in the study's project root, the default cache is the
    user's cache directory.
    """

    results: Path | None = None
    cache: Path | None = None
    base_address: str | None = None

    def results_of(self, root: Path) -> Results:
        """The results folder for a project root."""
        return Results((self.results or root / "results").absolute())

    def cache_folder(self) -> Path:
        """The folder of fetched files."""
        from platformdirs import user_cache_path

        return (self.cache or user_cache_path("studyspec")).absolute()


HERE = Workplace()

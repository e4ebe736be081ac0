"""Where things are: study files, results, fetched files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studyspec.catalog.own_folders import OwnFolders
from studyspec.errors import NothingThere
from studyspec.plugins.contracts import Whereabouts
from studyspec.spec.extends import extended
from studyspec.spec.size import MOST_JOBS
from studyspec.store.folder import Results

AnyPath = str | Path
"""A path, as text or as a Path."""
Paths = AnyPath | Sequence[AnyPath]
"""One path, or several."""
RESULTS = "results"
"""The results folder of whoever names no study."""


@dataclass(frozen=True)
class Workplace:
    """Where results, fetched files and the published images are; None: the defaults.

    The default results folder is `results/` in the study's project root, the default cache is the
    user's cache directory, the default address that of the images' authors.

    `allow_http`: files may be fetched without encryption; `trust`: networks that are code may run;
    a study of more jobs than `max_jobs` is refused.
    """

    results: AnyPath | None = None
    cache: AnyPath | None = None
    base_address: str | None = None
    allow_http: bool = False
    trust: bool = False
    max_jobs: int | None = MOST_JOBS

    def results_of(self, root: Path) -> Results:
        """The results folder for a project root."""
        return results_in(root / RESULTS if self.results is None else self.results)

    def whereabouts(
        self, catalog: AnyPath, base_address: str | None = None, folders: Sequence[Path] = ()
    ) -> Whereabouts:
        """Where the addresses of a catalog start; `base_address` and `folders` are the study's."""
        from platformdirs import user_cache_path

        return Whereabouts(
            Path(catalog),
            Path(self.cache or user_cache_path("studyspec")).absolute(),
            self.base_address or base_address,
            folders=(*folders, *own_folders().folders),
            allow_http=self.allow_http,
        )


HERE = Workplace()


def own_folders() -> OwnFolders:
    """The folders of images that the user of this machine has named himself."""
    from platformdirs import user_state_path

    return OwnFolders(user_state_path("studyspec") / "folders.json")


def results_in(folder: AnyPath) -> Results:
    """The results folder of this path."""
    return Results(Path(folder).absolute())


def study_files(paths: Paths) -> tuple[Path, ...]:
    """The study files named, folders replaced by the studies in them, in name order.

    A file of a folder that others there extend, and that has no `[study]`, is none.

    Raises
    ------
    NothingThere
        If there is none.
    """
    given = [Path(path) for path in several(paths)]
    files = [f for p in given for f in (_studies(p) if p.is_dir() else [p])]
    if not files:
        raise NothingThere("no study file was named", hint="name a TOML file or a folder of them")
    return tuple(files)


def _studies(folder: Path) -> list[Path]:
    files = sorted(folder.glob("*.toml"))
    lying_under = extended(files)
    return [file for file in files if file.resolve() not in lying_under]


def several(paths: Paths) -> tuple[AnyPath, ...]:
    """Paths as a tuple, of one too."""
    return (paths,) if isinstance(paths, str | Path) else tuple(paths)

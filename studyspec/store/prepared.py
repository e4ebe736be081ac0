"""Images and prepared patches that are still there, to be looked at; none is made for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from studyspec.errors import FileError, StudySpecError
from studyspec.seals import Broken, unsealed

if TYPE_CHECKING:
    from studyspec.catalog.row import Cell
    from studyspec.images.door import LabelKind, Labelled
    from studyspec.images.patches import Patches
    from studyspec.jobs.task import Key
    from studyspec.plugins.contracts import Whereabouts
    from studyspec.store.folder import Results

SIMULATED = "twin:"


@dataclass(frozen=True)
class AtHand:
    """What of images is here: in a results folder, and where the addresses of a catalog start."""

    results: Results | None = None
    at: Whereabouts | None = None

    def patches(self, key: Key) -> Patches | None:
        """The patches of a prepare job; None if they are gone or damaged."""
        from studyspec.images.pipeline import load

        if self.results is None:
            return None
        try:
            return load(self.results.patches(key))
        except FileError:
            return None

    def image(self, columns: Mapping[str, Cell], label: LabelKind) -> Labelled | None:
        """An image of a plan, whole, with its label; None if it is not here, or another by now.

        A simulated one is here if it was rendered.
        """
        from studyspec.catalog.row import ImageRow
        from studyspec.images.door import Door

        if self.results is None or self.at is None:
            return None
        row, sha256 = ImageRow.from_json(dict(columns)), str(columns.get("image_sha256"))
        if row.image_uri.startswith(SIMULATED) and not _rendered(self.results.twin(sha256)):
            return None
        door = Door(replace(self.at, renders=self.results.twins))
        try:
            if door.identity(row, label).image_sha256 != sha256:
                return None
            return door.read(row, label)
        except StudySpecError:  # not fetched, moved, damaged: then it is not shown
            return None


def _rendered(path: Path) -> bool:
    """Whether a simulated image lies there as it was written."""
    try:
        unsealed(path)
    except (OSError, Broken):
        return False
    return True

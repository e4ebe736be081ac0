"""The user's own folders: where catalogs may point to, because he named the folder himself.

Kept on this machine alone: no catalog, study or archive of others can bring any with it.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from studyspec.catalog.addresses import within
from studyspec.catalog.locks import locked
from studyspec.files import write


@dataclass(frozen=True)
class OwnFolders:
    """The folders that are remembered in a file, which need not exist."""

    file: Path

    @property
    def folders(self) -> tuple[Path, ...]:
        """All of them; none if they cannot be read."""
        try:
            found = json.loads(self.file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return ()
        named = found if isinstance(found, list) else []
        return tuple(Path(one) for one in named if isinstance(one, str) and Path(one).is_absolute())

    def remember(self, folder: Path, catalog: Path) -> str:
        """Remember a folder, if it lies outside of the catalog's; why that cannot be, or nothing.

        Several processes may do so at once.
        """
        folder = folder.resolve()
        if within(folder, [catalog.absolute().parent]):
            return ""
        try:
            with locked(self.file):
                known = [str(one) for one in self.folders]
                if str(folder) not in known:
                    write(self.file, json.dumps([*known, str(folder)], indent=1))
        except OSError as error:
            return (
                f"{folder} lies outside of the catalog's folder and could not be noted as yours in "
                f"{self.file} ({error.strerror}): name it in studies, as catalog.folders"
            )
        return ""

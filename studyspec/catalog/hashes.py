"""Hashes of files, remembered by size and time of change so that a plan reads no image twice."""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from pathlib import Path

from studyspec.errors import FileError
from studyspec.files import write


class FileHashes:
    """SHA-256 of files. `memory` is a folder that several processes may share; None: no memory."""

    def __init__(self, memory: Path | None) -> None:
        self._memory = memory

    @classmethod
    def of_cache(cls, cache: Path) -> FileHashes:
        """The hashes that a cache folder remembers."""
        return cls(cache / "hashes")

    def sha256(self, path: Path) -> str:
        """Hash of a file's bytes (hex).

        Raises
        ------
        FileError
            If the file cannot be read.
        """
        try:
            state = path.stat()
            seen = [str(path), state.st_size, state.st_mtime_ns]
            note = None if self._memory is None else self._memory / _name(path)
            if note is not None and note.exists():
                known = json.loads(note.read_text())
                if known[:3] == seen:
                    return str(known[3])
            found = file_sha256(path)
        except FileNotFoundError:
            raise FileError(
                "no such file", where=str(path), hint="is its folder mounted? was it moved?"
            ) from None
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror}", where=str(path)) from None
        if note is not None:
            with suppress(OSError):  # a cache that cannot be written costs time, nothing else
                write(note, json.dumps([*seen, found]), durable=False)
        return found


def file_sha256(path: Path) -> str:
    """Hash of a file's bytes (hex)."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _name(path: Path) -> str:
    return hashlib.sha256(str(path).encode()).hexdigest()[:32]

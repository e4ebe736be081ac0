"""Seals: digests by which a damaged file is told from one that was written. Knows no format.

A sealed file ends with the SHA-256 of all before it, so file and seal are there together or not at
all; a zip archive (.npz, .pt) can still be opened by other programs. The files of a folder have
their digests in a file beside them, in the form of `sha256sum`.
"""

from __future__ import annotations

import hashlib
import os
from functools import lru_cache
from pathlib import Path

MARK = b"\nsha256:"
LENGTH = len(MARK) + 64
LIST = "sha256"
"""The file in a folder that holds the digests of the others."""


class Broken(Exception):  # noqa: N818
    """A file is not as it was written; its message says what is wrong, in a few words."""


def sha256(path: Path) -> str:
    """The digest of a file (hex), computed once in a process as long as size and time stay.

    Raises
    ------
    OSError
        If it cannot be read.
    """
    state = path.stat()
    return _sha256(path.absolute(), state.st_ino, state.st_size, state.st_mtime_ns)


@lru_cache(maxsize=1 << 16)
def _sha256(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def is_named(path: Path) -> bool:
    """Whether a file is there and its name begins with its digest."""
    try:
        return path.name.partition(".")[0] == sha256(path)
    except OSError:
        return False


def seal(path: Path) -> None:
    """Seal a file that is whole."""
    with path.open("rb+") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0, os.SEEK_END)
        file.write(MARK + digest.encode())


def unsealed(path: Path, trusting: bool = False) -> bytes:
    """What a sealed file holds; if `trusting`, all of a file that bears no seal.

    Raises
    ------
    OSError
        If it cannot be read.
    Broken
        If it bears no seal, or another one.
    """
    data = path.read_bytes()
    held, mark, digest = data[:-LENGTH], data[-LENGTH:-64], data[-64:]
    if mark != MARK and trusting:
        return data
    if mark != MARK:
        raise Broken("it bears no digest")
    if hashlib.sha256(held).hexdigest().encode() != digest:
        raise Broken("it differs from its digest")
    return held


def seal_folder(folder: Path) -> str:
    """Write down the digests of all files of a folder; the digest of these (hex)."""
    files = sorted(path for path in folder.iterdir() if path.name != LIST)
    text = "".join(f"{sha256(path)}  {path.name}\n" for path in files)
    (folder / LIST).write_text(text)
    return hashlib.sha256(text.encode()).hexdigest()


def check_folder(folder: Path) -> None:
    """Compare the files of a folder with their digests.

    Raises
    ------
    OSError
        If one of them cannot be read, or there are no digests.
    Broken
        If one is not as it was written.
    """
    lines = (folder / LIST).read_bytes().decode("ascii", "replace").splitlines()
    pairs = (line.partition("  ") for line in lines)
    told = {name: digest for digest, _, name in pairs}
    there = {path.name for path in folder.iterdir()} - {LIST}
    if odd := sorted(told.keys() ^ there):
        raise Broken(f"{odd[0]} and the list of digests do not belong together")
    for name, digest in told.items():
        if sha256(folder / name) != digest:
            raise Broken(f"{name} differs from its digest")

"""Writing a file so that it is there whole or not at all. Knows no format."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from studyspec.machine import THIS, Machine


@contextmanager
def whole(path: Path, durable: bool = True, machine: Machine = THIS) -> Iterator[Path]:
    """A place to write a file to, which takes its name at once when the block ends.

    If the block fails nothing is left. The place lies in the same folder, begins with a dot and
    ends as `path` does.

    Parameters
    ----------
    path
        The file; its folder is made. One that is there is replaced.
    durable
        Whether the file outlives a loss of power from the moment it has its name.
    machine
        Whose files they are.
    """
    half = hidden(path, machine)
    machine.make_folder(path.parent)
    try:
        yield half
        if durable:
            machine.sync(half)
        machine.rename(half, path)
    except BaseException:
        with suppress(OSError):
            machine.remove(half)
        raise
    if durable:
        machine.sync(path.parent)


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """As `whole`, for a folder. If two write the same folder, the first stays."""
    half = beside(path)
    half.mkdir()
    try:
        yield half
        half.rename(path)
    except BaseException as error:
        shutil.rmtree(half, ignore_errors=True)
        if not (isinstance(error, OSError) and path.is_dir()):
            raise


def write(path: Path, content: str | bytes, durable: bool = True, machine: Machine = THIS) -> None:
    """Write text (UTF-8) or bytes, whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    with whole(path, durable, machine) as half:
        machine.put(half, data)


def beside(path: Path) -> Path:
    """A hidden name of nobody else's in the same folder, which is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    return hidden(path)


def hidden(path: Path, machine: Machine = THIS) -> Path:
    """A hidden name of nobody else's in the same folder."""
    return path.with_name(f".{machine.unique()}.{path.name}")


def sync(path: Path) -> None:
    """Wait until a file, or what a folder lists, is on the disk."""
    THIS.sync(path)

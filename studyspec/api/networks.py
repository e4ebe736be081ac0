"""Networks outside of studies: masks for new images, and published weights made readable."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studyspec.api.found import FOLDERS, find, known_files, networks_in
from studyspec.api.found import known as known
from studyspec.api.workplace import RESULTS, AnyPath, Paths, Workplace, several


@dataclass(frozen=True)
class Converted:
    """Weights that were converted: the new file, its SHA-256, and what it was trained on."""

    path: Path
    sha256: str
    conditions: str = ""


@dataclass(frozen=True)
class Listed:
    """A network that `find_networks` knows.

    Attributes
    ----------
    name
        "material/Au/0", or that of the file.
    conditions
        What it was trained on, in words; empty if nobody says.
    sha256
        Hash of its file.
    file
        Its file; None: deleted, and made again by its study.
    """

    name: str
    conditions: str
    sha256: str
    file: str | None


def listed(results: AnyPath = RESULTS, folders: Paths = FOLDERS) -> tuple[Listed, ...]:
    """All networks: those that studies trained, by name, then those of folders.

    Raises
    ------
    LearnError
        If a file in a folder cannot be read.
    """
    place = Workplace(results, trust=True)  # they are listed, not run
    trained = [
        Listed(one.name, words, one.sha256, None if file is None else str(file))
        for one, words, file in known_files(results)
    ]
    there = [str(folder) for folder in several(folders) if any(networks_in(Path(folder)))]
    files = find(there, place) if there else ()
    return (*trained, *(Listed(f.name, f.conditions.words, f.sha256, f.file) for f in files))


def convert(file: AnyPath, output: AnyPath | None = None) -> Converted:
    """Turn pickled weights of the residual U-Net into safetensors, without running what is in them.

    Parameters
    ----------
    file
        Pickled weights, or a pickled module (.h5, .pt, .pth).
    output
        Folder of the new file; default: beside the old one.

    Raises
    ------
    LearnError
        If the file holds anything but tensors, or the weights of another network.
    """
    from studyspec.learn.conditions import released_conditions
    from studyspec.learn.conversion import convert as convert_file

    source = Path(file)
    target = Path(output or source.parent) / f"{source.stem}.safetensors"
    sha256 = convert_file(source, target)
    return Converted(target, sha256, released_conditions(source.stem).words)

"""Verifying: every fetched file against its pin."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from studyspec.catalog.addresses import resolve
from studyspec.catalog.hashes import file_sha256
from studyspec.catalog.pins import Pins


@dataclass(frozen=True)
class Verified:
    """Files that are as pinned, what is wrong with others, and how many are not here."""

    intact: int
    wrong: tuple[str, ...]
    absent: int


def verify(catalog: Path, cache: Path, base_address: str | None = None) -> Verified:
    """Read every pinned file that is here and compare its hash; downloads nothing."""
    intact, absent, wrong = 0, 0, []
    for pin in Pins.beside(catalog).all():
        path = resolve(pin.uri, catalog, cache, base_address).path
        if not path.exists():
            absent += 1
        elif (found := file_sha256(path)) == pin.sha256:
            intact += 1
        else:
            wrong.append(f"{path}: SHA-256 is {found}, pinned is {pin.sha256}; delete and fetch it")
    return Verified(intact, tuple(wrong), absent)

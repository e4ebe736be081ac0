"""Verifying: every fetched file against its pin."""

from __future__ import annotations

from dataclasses import dataclass

from studyspec.catalog.addresses import resolve
from studyspec.catalog.hashes import file_sha256
from studyspec.catalog.pins import Pins
from studyspec.errors import FileError
from studyspec.plugins.contracts import Whereabouts


@dataclass(frozen=True)
class Verified:
    """Files that are as pinned, what is wrong with others, and how many are not here."""

    intact: int
    wrong: tuple[str, ...]
    absent: int


def verify(at: Whereabouts) -> Verified:
    """Read every pinned file that is here and compare its hash; downloads nothing."""
    intact, absent, wrong = 0, 0, []
    for pin in Pins.beside(at.catalog).all():
        try:
            address = resolve(pin.uri, at)
        except FileError as error:
            wrong.append(error.text)
            continue
        if address is None or not address.path.exists():
            absent += 1
        elif (found := file_sha256(address.path)) == pin.sha256:
            intact += 1
        else:
            wrong.append(
                f"{address.path}: SHA-256 is {found}, pinned is {pin.sha256}; delete and fetch it"
            )
    return Verified(intact, tuple(wrong), absent)

"""Pins: the hash of every fetched file, written at first sight beside the catalog."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from studyspec.catalog.locks import locked
from studyspec.errors import CatalogError
from studyspec.files import write

FIELDS = ["uri", "sha256", "bytes"]


@dataclass(frozen=True)
class Pin:
    """What a fetched file was when first seen."""

    uri: str
    sha256: str
    bytes: int


class Pins:
    """The pins of one catalog, as `pins.csv` beside it; several processes may add to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def beside(cls, catalog: Path) -> Pins:
        """The pins of a catalog file."""
        return cls(catalog.parent / "pins.csv")

    def get(self, uri: str) -> Pin | None:
        """The pin of a uri as the catalog writes it, if there is one."""
        return self._read().get(uri)

    def all(self) -> list[Pin]:
        """Every pin, by uri."""
        return sorted(self._read().values(), key=lambda pin: pin.uri)

    def add(self, pins: Iterable[Pin]) -> None:
        """Write new pins; one that is there already stays as it is."""
        with locked(self.path):
            known = dict(self._read())
            for pin in pins:
                known.setdefault(pin.uri, pin)
            text = io.StringIO(newline="")
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(FIELDS)
            writer.writerows(astuple(known[uri]) for uri in sorted(known))
            write(self.path, text.getvalue())

    def _read(self) -> Mapping[str, Pin]:
        try:
            state = self.path.stat()
        except FileNotFoundError:
            return {}
        return _pins(self.path, state.st_ino, state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _pins(path: Path, *state: int) -> Mapping[str, Pin]:
    """The pins in a file of this state; one that changes is a new file."""
    with path.open(newline="", encoding="utf-8") as file:
        try:
            rows = [Pin(r["uri"], r["sha256"], int(r["bytes"])) for r in csv.DictReader(file)]
        except (KeyError, TypeError, ValueError):
            raise CatalogError(
                f"not a list of pins: expected the columns {', '.join(FIELDS)}",
                where=str(path),
                hint="restore it, or delete it to pin anew",
            ) from None
    return MappingProxyType({pin.uri: pin for pin in rows})

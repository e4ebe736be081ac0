"""Pins: the hash of every fetched file, written at first sight beside the catalog."""

from __future__ import annotations

import csv
import fcntl
import os
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

from studyspec.errors import CatalogError

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
        self._pins: dict[str, Pin] | None = None

    @classmethod
    def beside(cls, catalog: Path) -> Pins:
        """The pins of a catalog file."""
        return cls(catalog.parent / "pins.csv")

    def get(self, uri: str) -> Pin | None:
        """The pin of a uri as the catalog writes it, if there is one."""
        if self._pins is None:
            self._pins = self._read()
        return self._pins.get(uri)

    def all(self) -> list[Pin]:
        """Every pin, by uri."""
        return sorted(self._read().values(), key=lambda pin: pin.uri)

    def add(self, pins: Iterable[Pin]) -> None:
        """Write new pins; one that is there already stays as it is."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with (self.path.with_name(".pins.lock")).open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            known = self._read()
            for pin in pins:
                known.setdefault(pin.uri, pin)
            half = self.path.with_name(f".pins.{os.getpid()}.csv")
            with half.open("w", newline="") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(FIELDS)
                writer.writerows(astuple(known[uri]) for uri in sorted(known))
            half.replace(self.path)
        self._pins = known

    def _read(self) -> dict[str, Pin]:
        if not self.path.exists():
            return {}
        with self.path.open(newline="") as file:
            try:
                rows = [Pin(r["uri"], r["sha256"], int(r["bytes"])) for r in csv.DictReader(file)]
            except (KeyError, TypeError, ValueError):
                raise CatalogError(
                    f"not a list of pins: expected the columns {', '.join(FIELDS)}",
                    where=str(self.path),
                    hint="restore it, or delete it to pin anew",
                ) from None
        return {pin.uri: pin for pin in rows}

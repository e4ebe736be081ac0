"""The intake: takes results into the database when it can be had, and else goes on without.

A notebook or a viewer may have it open for hours; the records are the results all the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from studyspec.errors import DatabaseBusy
from studyspec.run.interrupts import put_off
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest

INGEST_S, INGEST_SHARE = 3.0, 0.05
"""Results are taken in after this [s], or later: it takes no more than this share of the time."""
PATIENCE_S, LAST_PATIENCE_S = 0.2, 10.0
"""So long others are waited for, meanwhile and at the end [s]."""

TakeIn = Callable[[Results, float], int]
log = logging.getLogger(__name__)


class Intake:
    """Brings the database up to date from time to time."""

    def __init__(self, results: Results, take_in: TakeIn = ingest) -> None:
        self._results, self._machine, self._take_in = results, results.machine, take_in
        self._next = float("-inf")

    def tend(self) -> None:
        """Take in what there is if it is time to, and nobody has the database open."""
        began = self._machine.monotonic()
        if began < self._next:
            return
        busy = self._try(PATIENCE_S)
        took = 0.0 if busy else self._machine.monotonic() - began
        self._next = began + max(INGEST_S, took / INGEST_SHARE)

    def end(self) -> None:
        """Take in all; if that cannot be, say who is in the way."""
        end = self._machine.monotonic() + LAST_PATIENCE_S
        while busy := self._try(PATIENCE_S):
            if self._machine.monotonic() > end:
                log.warning("%s", busy.text)
                return
            self._machine.sleep(PATIENCE_S)

    def _try(self, patience_s: float) -> DatabaseBusy | None:
        try:
            with put_off():
                self._take_in(self._results, patience_s)
        except DatabaseBusy as busy:
            return busy
        return None

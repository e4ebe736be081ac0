"""Patch sizes: how large the patches of prepare tasks are, by what their records say decided them.

The counts of a test must add up to the pixels of such a patch. Where no record of the preparation
is here nobody can tell.
"""

from __future__ import annotations

from contextlib import suppress

from studyspec.errors import PluginError, RunError, StoreError
from studyspec.jobs.prepare import Prepare
from studyspec.jobs.stages import task_of
from studyspec.spec.identity import digest
from studyspec.store.folder import Results
from studyspec.store.record_file import read_record
from studyspec.store.records import record_names


class PatchSizes:
    """Of the prepare tasks of a results folder; a record is opened when its task is asked for."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._records: dict[str, str] | None = None
        self._pixels: dict[str, int | None] = {}

    def pixels(self, key: str) -> int | None:
        """Pixels of a patch that a prepare task cuts; None if nobody can tell."""
        if key not in self._pixels:
            self._pixels[key] = self._look(key)
        return self._pixels[key]

    def _look(self, key: str) -> int | None:
        if self._records is None:
            self._records = {name.partition(".")[0]: name for name in record_names(self._results)}
        name = self._records.get(key)
        if name is None:
            return None
        with suppress(StoreError, RunError, PluginError):
            told = read_record(self._results.records / name).ingredients
            if told is not None and digest(told) == key:
                task = task_of(told)
                return task.pipeline.patch.size**2 if isinstance(task, Prepare) else None
        return None

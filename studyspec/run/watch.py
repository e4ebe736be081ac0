"""Watching: which leased jobs have begun or come further since the last look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import JsonValue, TypeAdapter, ValidationError

from studyspec.run import leases
from studyspec.store.folder import Results

AS_JSON = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Sign:
    """A sign of life of a leased job; without progress: it has begun.

    `idle_s`: no life, its process has not computed for so long [s].
    """

    key: str
    device: str
    progress: Mapping[str, JsonValue] = field(default_factory=dict)

    @property
    def idle_s(self) -> float | None:
        """For how long its process has not computed [s]; None if it does."""
        found = self.progress.get(leases.IDLE)
        return found if isinstance(found, int | float) else None


class Watch:
    """Sees the leases of a results folder and what their workers write beside them."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._seen: dict[str, leases.Lease] = {}
        self._written: dict[str, int] = {}

    def news(self, keys: Collection[str]) -> Iterator[Sign]:
        """Signs of the jobs of these keys since the last call."""
        held = leases.held(self._results)
        for key in self._seen.keys() - held:
            del self._seen[key]
        for key in sorted(held):
            if key in keys:
                yield from self._look(key)

    def _look(self, key: str) -> Iterator[Sign]:
        if key not in self._seen:
            lease = leases.read(self._results, key)
            if lease is None:
                return
            self._seen[key] = lease
            yield Sign(key, lease.device)
        path = leases.progress_path(self._results, key)
        with suppress(FileNotFoundError, ValidationError):  # gone, or cut short by a loss of power
            written = self._results.machine.changed_at(path)
            if written != self._written.get(key):
                self._written[key] = written
                told = AS_JSON.validate_json(self._results.machine.read(path))
                yield Sign(key, self._seen[key].device, told)

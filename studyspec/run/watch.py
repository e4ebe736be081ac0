"""Watching: which leased jobs have begun or come further since the last look."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pydantic import JsonValue, TypeAdapter

from studyspec.run import leases
from studyspec.store.folder import Results

AS_JSON = TypeAdapter(dict[str, JsonValue])


@dataclass(frozen=True)
class Sign:
    """A sign of life of a leased job; without progress: it has begun."""

    key: str
    device: str
    progress: Mapping[str, JsonValue] = field(default_factory=dict)


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
        for key in held:
            if key in keys:
                yield from self._look(key)

    def _look(self, key: str) -> Iterator[Sign]:
        if key not in self._seen:
            lease = leases.read(self._results.lease(key))
            if lease is None:
                return
            self._seen[key] = lease
            yield Sign(key, lease.device)
        path = leases.progress_path(self._results, key)
        with suppress(FileNotFoundError):
            written = path.stat().st_mtime_ns
            if written != self._written.get(key):
                self._written[key] = written
                yield Sign(key, self._seen[key].device, AS_JSON.validate_json(path.read_bytes()))

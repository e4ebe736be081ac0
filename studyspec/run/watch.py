"""Watching: which claimed jobs have begun or come further since the last look."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from studyspec.run import claims
from studyspec.store.layout import Results


@dataclass(frozen=True)
class Sign:
    """A sign of life of a claimed job; without values: it has begun."""

    key: str
    device: str
    values: Mapping[str, Any] = field(default_factory=dict)


class Watch:
    """Sees the claims of a results folder and what their workers write beside them."""

    def __init__(self, results: Results) -> None:
        self._results = results
        self._seen: dict[str, claims.Claim] = {}
        self._written: dict[str, int] = {}

    def news(self, keys: Collection[str]) -> Iterator[Sign]:
        """Signs of the jobs of these keys since the last call."""
        held = claims.held(self._results)
        for key in self._seen.keys() - held:
            del self._seen[key]
        for key in held:
            if key in keys:
                yield from self._look(key)

    def _look(self, key: str) -> Iterator[Sign]:
        if key not in self._seen:
            claim = claims.read(self._results.claim(key))
            if claim is None:
                return
            self._seen[key] = claim
            yield Sign(key, claim.device)
        path = claims.progress_path(self._results, key)
        with suppress(FileNotFoundError):
            written = path.stat().st_mtime_ns
            if written != self._written.get(key):
                self._written[key] = written
                yield Sign(key, self._seen[key].device, json.loads(path.read_text()))

"""Engines: what starts workers on some machine. They carry no results and never judge success."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Resources:
    """What a worker gets: the results folder that it serves, and its device."""

    results: Path
    device: str


class Engine(Protocol):
    """Starts workers and tells how they are. Handles are strings that outlive the runner."""

    @property
    def place(self) -> str:
        """Engine and machine or cluster: where its handles mean something."""

    def start(self, n: int, resources: Resources) -> list[str]:
        """Start n workers; return their handles."""

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those of the handles whose workers still live."""

    def cancel(self, handles: Iterable[str]) -> None:
        """Ask workers to stop; they save a checkpoint and give back their jobs first."""

    def why(self, handle: str) -> str:
        """How a worker ended, as far as the engine knows: "was killed by SIGKILL"."""

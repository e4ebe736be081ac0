"""Engines as the runner sees them: what one of another package raises bears that package's name."""

from __future__ import annotations

from collections.abc import Iterable

from studyspec.errors import RunError
from studyspec.plugins.contracts import Engine, EngineKind, Resources
from studyspec.plugins.guard import blamed
from studyspec.plugins.registry import ENGINES, Found


class GuardedEngine:
    """An engine of a kind, asked through `plugins.guard`."""

    def __init__(self, found: Found[EngineKind]) -> None:
        self._found = found
        with blamed(ENGINES.kind, found):
            self._engine: Engine = found.plugin.make()

    @property
    def place(self) -> str:
        """As `Engine.place`."""
        with blamed(ENGINES.kind, self._found):
            return self._engine.place

    def start(self, n: int, resources: Resources) -> list[str]:
        """As `Engine.start`."""
        with blamed(ENGINES.kind, self._found):
            return self._engine.start(n, resources)

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """As `Engine.alive`."""
        with blamed(ENGINES.kind, self._found):
            return self._engine.alive(handles)

    def cancel(self, handles: Iterable[str]) -> None:
        """As `Engine.cancel`."""
        with blamed(ENGINES.kind, self._found):
            self._engine.cancel(handles)

    def why(self, handle: str) -> str:
        """As `Engine.why`."""
        with blamed(ENGINES.kind, self._found):
            return self._engine.why(handle)

    def tend(self) -> None:
        """As `Engine.tend`."""
        with blamed(ENGINES.kind, self._found):
            self._engine.tend()


def engine_kind(name: str) -> Found[EngineKind]:
    """The kind of engine of this name.

    Raises
    ------
    RunError
        If none is installed, naming those that are.
    PluginError
        If it was left out, saying why.
    """
    if name not in (*ENGINES.names, *(broken.name for broken in ENGINES.broken)):
        raise RunError(
            f"no engine '{name}' is installed", hint=f"there is: {', '.join(sorted(ENGINES.names))}"
        )
    return ENGINES.find(name)


def devices_of(
    found: Found[EngineKind], asked: tuple[str, ...], workers: int | None
) -> tuple[str, ...]:
    """The device of each worker.

    Parameters
    ----------
    asked
        The devices to use; none: as the engine says.
    workers
        How many workers, if that was said; more than devices share these.

    Raises
    ------
    RunError
        If the engine does not have them.
    """
    with blamed(ENGINES.kind, found):
        if not asked:
            return found.plugin.devices(workers)
        n = len(asked) if workers is None else workers
        wanted = tuple(asked[i % len(asked)] for i in range(n))
        found.plugin.check(wanted)
        return wanted

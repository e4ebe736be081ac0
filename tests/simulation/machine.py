"""The machine that a simulated process sees: `studyspec.machine` over a world."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from studyspec.machine import FileLock, Machine
from tests.simulation.world import EPOCH_S, Node, World

LOCK_POLL_S = 0.2


class SimulatedMachine(Machine):
    """Whatever is asked of it may be the moment at which another process has its turn."""

    def __init__(self, world: World, node: Node) -> None:
        self._world, self._node, self._disk = world, node, world.disk

    @property
    def host(self) -> str:
        return self._node.host.name

    @property
    def pid(self) -> int:
        return self._node.pid

    def start_time(self, pid: int) -> str | None:
        found = [n for n in self._world.live() if n.pid == pid and n.host is self._node.host]
        return found[0].started if found else None

    def processor_time(self, pid: int) -> str:
        return ""

    def unique(self) -> str:
        return self._world.unique()

    def now(self) -> float:
        return EPOCH_S + self._world.now + self._node.host.off_s

    def monotonic(self) -> float:
        return self._world.now

    def sleep(self, seconds: float) -> None:
        self._world.turn(self._node, seconds)

    def make_folder(self, path: Path) -> None:
        self._turn()

    def read(self, path: Path) -> bytes:
        self._turn()
        return self._disk.read(self.host, path, self._world.now)

    def ends(self, path: Path, n: int) -> tuple[bytes, bytes]:
        content = self.read(path)
        if len(content) < n:
            raise OSError("too short")
        return content.partition(b"\n")[0] + b"\n", content[-n:]

    def put(self, path: Path, content: bytes) -> None:
        self._turn()
        self._disk.write(self.host, path, content, self._world.now, self._world.date())

    def create(self, path: Path, content: bytes) -> None:
        self._turn()
        self._disk.create(self.host, path, b"", self._world.now, self._world.date())
        self._turn()  # it is there, and empty
        self._disk.write(self.host, path, content, self._world.now, self._world.date())

    def append(self, path: Path, content: bytes) -> None:
        self._turn()

    def sync(self, path: Path) -> None:
        self._turn()
        self._disk.sync(path)

    def rename(self, path: Path, target: Path) -> None:
        self._turn()
        self._disk.rename(self.host, path, target, self._world.now, self._world.date())

    def remove(self, path: Path) -> None:
        self._turn()
        self._disk.remove(self.host, path, self._world.now, self._world.date())

    def touch(self, path: Path) -> None:
        self._turn()
        self._disk.touch(self.host, path, self._world.now, self._world.date())

    def exists(self, path: Path) -> bool:
        self._turn()
        return self._disk.seen(self.host, path, self._world.now) is not None

    def changed_at(self, path: Path) -> int:
        self._turn()
        inode = self._disk.seen(self.host, path, self._world.now)
        found = self._disk.folder_changed_at(path) if inode is None else inode.changed_at
        if found is None:
            raise FileNotFoundError(str(path))
        return found

    def stamp(self, path: Path) -> str:
        self._turn()
        inode = self._disk.seen(self.host, path, self._world.now)
        return "" if inode is None else f"{len(inode.content)} {inode.changed_at}"

    def names(self, folder: Path) -> set[str]:
        self._turn()
        return self._disk.names(self.host, folder, self._world.now)

    def is_named(self, path: Path) -> bool:
        try:
            content = self.read(path)
        except FileNotFoundError:
            return False
        return hashlib.sha256(content).hexdigest() == path.name.partition(".")[0]

    @contextmanager
    def opened_lock(self, path: Path) -> Iterator[FileLock]:
        self._turn()
        lock = SimulatedLock(self._world, self._node, str(path))
        try:
            yield lock
        finally:
            lock.close()

    def _turn(self) -> None:
        self._world.turn(self._node)


class SimulatedLock(FileLock):
    """A lock of the world."""

    def __init__(self, world: World, node: Node, path: str) -> None:
        self._world, self.node = world, node
        self._holders = world.locks.setdefault(path, {})

    def take(self, shared: bool = False, wait: bool = True) -> bool:
        while True:
            self._world.turn(self.node)
            others = [s for holder, s in self._holders.items() if holder is not self]
            if not others or (shared and all(others)):
                self._holders[self] = shared
                return True
            if not wait:
                return False
            self._holders.pop(self, None)
            self._world.turn(self.node, LOCK_POLL_S)

    def close(self) -> None:
        """Give it up."""
        self._holders.pop(self, None)

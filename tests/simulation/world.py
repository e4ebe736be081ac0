"""A world of hosts and processes whose time is drawn: each process a thread, one at work at a time.

A process goes on until it asks something of its machine; then it may be another's turn. So one seed
gives one order of all that is read, written and waited for.
"""

from __future__ import annotations

import heapq
import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.simulation.disk import BLOCK_NS, Disk

EPOCH_S = 1_760_000_000.0
SWITCH = 0.25
"""How likely another process has its turn when one asks its machine something."""
STEPS = 400_000
"""A world without end is stopped after so many questions."""


class Killed(BaseException):
    """The process is no more; whatever it still tries has no effect."""


class Endless(AssertionError):  # noqa: N818
    """The world does not come to an end."""


@dataclass(eq=False)
class Host:
    """A machine: its name and how far its clock is off [s]."""

    name: str
    off_s: float = 0.0


@dataclass(eq=False)
class Node:
    """A process."""

    name: str
    host: Host
    pid: int
    parent: Node | None = None
    alive: bool = True
    stopped_until: float = 0.0
    signal: Callable[[], None] | None = None
    answer: object = None
    go: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    children: list[Node] = field(default_factory=list)

    @property
    def started(self) -> str:
        """Tells it from others of its number."""
        return f"s{self.pid}"


class World:
    """All hosts, processes and the disk, driven by one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.now = 0.0
        self.hosts = [Host(f"host{i}") for i in range(self.rng.choice((1, 1, 2, 3)))]
        self.disk_off_s = 0.0
        shared = len(self.hosts) > 1
        self.disk = Disk(self.rng, self.rng.choice((0.0, 1.0, 4.0)) if shared else 0.0)
        self.locks: dict[str, dict[object, bool]] = {}
        self.nodes: list[Node] = []
        self.written: set[str] = set()
        self._turns: list[tuple[float, int, Node]] = []
        self._back = threading.Semaphore(0)
        self._count = self._steps = 0
        self._names = 0

    def unique(self) -> str:
        """A name of nobody else's."""
        self._names += 1
        return f"{self.rng.getrandbits(64):016x}{self._names:016x}"

    def date(self) -> int:
        """Now, as the disk dates changes [ns]."""
        now = int((EPOCH_S + self.now + self.disk_off_s) * 1e9)
        return now - now % BLOCK_NS

    def start(
        self, name: str, host: Host, work: Callable[[Node], object], parent: Node | None = None
    ) -> Node:
        """Begin a process."""
        node = Node(name, host, 1000 + len(self.nodes), parent)
        self.nodes.append(node)
        if parent is not None:
            parent.children.append(node)

        def live() -> None:
            node.go.acquire()
            try:
                if node.alive:
                    node.answer = work(node)
            except Killed:
                pass
            except BaseException as error:
                node.answer = error
            self.kill(node)
            self._back.release()

        threading.Thread(target=live, name=name, daemon=True).start()
        self._later(node, self.rng.uniform(0.0, 0.3))
        return node

    def kill(self, node: Node) -> None:
        """End a process, and those that die with it; what it held locked is free."""
        node.alive = False
        for lock in self.locks.values():
            for holder in [h for h in lock if getattr(h, "node", None) is node]:
                del lock[holder]
        for child in node.children:
            if child.alive:
                self.kill(child)

    def live(self) -> list[Node]:
        """The processes that live."""
        return [node for node in self.nodes if node.alive]

    def turn(self, node: Node, wait_s: float = 0.0) -> None:
        """Let others have their turn, for some time or if it is drawn; called by a process."""
        if not node.alive:
            raise Killed
        self._steps += 1
        if self._steps > STEPS:
            raise Endless(f"no end after {self.now:.0f} s")
        if wait_s or self.rng.random() < SWITCH:
            self._later(node, wait_s + self.rng.uniform(0.0, 0.01))
            self._back.release()
            node.go.acquire()
            if not node.alive:
                raise Killed
        if node.signal is not None:
            signal, node.signal = node.signal, None
            signal()

    def run(self, nodes: Sequence[Node], meanwhile: Callable[[], None]) -> None:
        """Give processes their turns until these have ended."""
        while any(node.alive for node in nodes):
            if not self._turns:
                raise Endless("nobody has anything to do")
            when, _, node = heapq.heappop(self._turns)
            if node.alive and node.stopped_until > when:
                self._later(node, node.stopped_until - self.now)
                continue
            self.now = max(self.now, when)
            node.go.release()
            self._back.acquire()
            if self._steps > STEPS:
                raise Endless(f"no end after {self.now:.0f} s")
            meanwhile()

    def end(self) -> None:
        """Kill all, so that no thread is left."""
        for node in self.nodes:
            self.kill(node)
        while self._turns:
            _, _, node = heapq.heappop(self._turns)
            node.go.release()
            self._back.acquire()

    def _later(self, node: Node, wait_s: float) -> None:
        self._count += 1
        heapq.heappush(self._turns, (self.now + wait_s, self._count, node))

"""A disk that several hosts share: what is on it for good, and what each host sees of it yet."""

from __future__ import annotations

import errno
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath

BLOCK_NS = 4_000_000
"""The disk dates changes to so many nanoseconds."""


@dataclass(eq=False)
class Inode:
    """A file: its content, what of it would outlive a loss of power, and its date."""

    content: bytes
    changed_at: int
    durable: bytes | None = None


@dataclass
class View:
    """What a host sees: for some paths still what was there before, up to some time [s]."""

    stale: dict[str, tuple[float, Inode | None]] = field(default_factory=dict)


class Disk:
    """Files by path; folders are where files are.

    `delay_s` is the longest time after which another host sees a change: each change has its own,
    so that later ones may be seen before earlier ones. Exclusive creation, renaming, and reading of
    what is seen at all are done by the server: they never show anything old.
    """

    def __init__(self, rng: random.Random, delay_s: float) -> None:
        self._rng, self.delay_s = rng, delay_s
        self._files: dict[str, Inode] = {}
        self._kept: dict[str, Inode] = {}
        self._views: dict[str, View] = {}
        self._folders: dict[str, int] = {}
        self.full = False

    def paths(self) -> Iterator[str]:
        """All that is there."""
        return iter(self._files)

    def content(self, path: PurePath) -> bytes:
        """What is there in truth."""
        return self._files[str(path)].content

    def seen(self, host: str, path: PurePath, now: float) -> Inode | None:
        """The file that a host sees."""
        view = self._views.setdefault(host, View())
        old = view.stale.get(str(path))
        if old is not None and now < old[0]:
            return old[1]
        view.stale.pop(str(path), None)
        return self._files.get(str(path))

    def read(self, host: str, path: PurePath, now: float) -> bytes:
        """What a file holds that a host sees."""
        if self.seen(host, path, now) is None or str(path) not in self._files:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        return self._files[str(path)].content

    def write(self, host: str, path: PurePath, content: bytes, now: float, date: int) -> None:
        """Write a file, half of it if the disk is full."""
        if self.full:
            self._set(host, path, Inode(content[: len(content) // 2], date), now, date)
            raise OSError(errno.ENOSPC, "no space left on device", str(path))
        self._set(host, path, Inode(content, date), now, date)

    def create(self, host: str, path: PurePath, content: bytes, now: float, date: int) -> None:
        """Write a file unless there is one, whatever the host sees."""
        if str(path) in self._files:
            raise FileExistsError(errno.EEXIST, "file exists", str(path))
        if self.full:
            content = b""
        self._set(host, path, Inode(content, date), now, date)
        if self.full:
            raise OSError(errno.ENOSPC, "no space left on device", str(path))

    def rename(self, host: str, path: PurePath, target: PurePath, now: float, date: int) -> None:
        """Give a file another name at once."""
        inode = self._files.get(str(path))
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        self._set(host, target, inode, now, date)
        self._set(host, path, None, now, date)

    def remove(self, host: str, path: PurePath, now: float, date: int) -> None:
        """Remove a file, if it is there."""
        if str(path) in self._files:
            self._set(host, path, None, now, date)

    def touch(self, host: str, path: PurePath, now: float, date: int) -> None:
        """Date a file."""
        inode = self._files.get(str(path))
        if inode is None:
            raise FileNotFoundError(errno.ENOENT, "no such file", str(path))
        self._hide(host, path, now)
        self._files[str(path)] = Inode(inode.content, date, inode.durable)
        if self._kept.get(str(path)) is inode:
            self._kept[str(path)] = self._files[str(path)]

    def sync(self, path: PurePath) -> None:
        """Make a file's content last, or the names in a folder."""
        if (inode := self._files.get(str(path))) is not None:
            inode.durable = inode.content
            return
        folder = str(path)
        for name in {*self._files, *self._kept}:
            if _parent(name) == folder:
                self._keep(name)

    def names(self, host: str, folder: PurePath, now: float) -> set[str]:
        """The names that a host sees in a folder."""
        stale = self._views.setdefault(host, View()).stale
        known = {*self._files, *stale}
        here = sorted(path for path in known if _parent(path) == str(folder))
        return {
            path.rpartition("/")[2]
            for path in here
            if self.seen(host, PurePath(path), now) is not None
        }

    def folder_changed_at(self, folder: PurePath) -> int | None:
        """When names of a folder were last changed."""
        return self._folders.get(str(folder))

    def lose_power(self) -> None:
        """Lose what was not made to last: of each change that was not, it is drawn if it was."""
        for path in sorted({*self._files, *self._kept}):
            if self._rng.random() < 0.5:
                self._keep(path)
        for inode in self._kept.values():
            if inode.durable is None:
                inode.durable = inode.content[: self._rng.randint(0, len(inode.content))]
            inode.content = inode.durable
        self._files = dict(self._kept)
        self._views.clear()

    def _set(self, host: str, path: PurePath, inode: Inode | None, now: float, date: int) -> None:
        self._hide(host, path, now)
        if (inode is None) != (str(path) not in self._files) or inode is not None:
            self._folders[_parent(str(path))] = date
        if inode is None:
            del self._files[str(path)]
        else:
            self._files[str(path)] = inode

    def _hide(self, host: str, path: PurePath, now: float) -> None:
        """Let other hosts see for a while what was there before."""
        if not self.delay_s:
            return
        for other, view in self._views.items():
            if other != host:
                before = self.seen(other, path, now)
                view.stale[str(path)] = (now + self._rng.uniform(0, self.delay_s), before)

    def _keep(self, path: str) -> None:
        if path in self._files:
            self._kept[path] = self._files[path]
        else:
            self._kept.pop(path, None)


def _parent(path: str) -> str:
    return path.rpartition("/")[0]

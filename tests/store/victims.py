"""Processes to be killed: each line on stdin starts one that writes, ingests or asks in a loop.

Forked from one that has imported everything, so that many can be killed in a short time.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import IO
from uuid import uuid4

from studyspec.store import ingest as ingesting
from studyspec.store.folder import Results
from tests.store.results_folders import dataset, evaluate, write_done


def write(results: Results) -> str:
    """Record one new evaluation of two images, 12 rows of scores; the record's name."""
    return write_done(results, evaluate(uuid4().hex, [dataset("Au")])).name


class Victims:
    """The process that forks the others."""

    def __init__(self, results: Results) -> None:
        program = [sys.executable, "-m", "tests.store.victims", str(results.folder)]
        self._parent = subprocess.Popen(
            program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def start(self, what: str) -> int:
        """Start a process that writes or ingests for ever; its number, once it has begun."""
        _, answers = self._pipes()
        self._tell(what)
        return int(answers.readline())

    def says(self, lines: int) -> list[str]:
        """The next lines that the last one says: a record's name, or how many it ingested."""
        _, answers = self._pipes()
        return [answers.readline().strip() for _ in range(lines)]

    def buried(self) -> list[str]:
        """Wait for the last one's death; the lines that it had said before."""
        self._tell("bury")
        _, answers = self._pipes()
        return [line.strip() for line in iter(answers.readline, "buried\n")]

    def close(self) -> None:
        """End the forking process."""
        asked, answers = self._pipes()
        asked.close()
        self._parent.wait()
        answers.close()

    def _tell(self, what: str) -> None:
        asked, _ = self._pipes()
        asked.write(f"{what}\n")
        asked.flush()

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        return self._parent.stdin, self._parent.stdout


def _live(what: str, results: Results) -> None:
    _say(str(os.getpid()))
    while True:
        if what == "write":
            _say(write(results))
        else:
            _say(str(ingesting.ingest(results)))


def _say(line: str) -> None:
    os.write(1, f"{line}\n".encode())


def main() -> None:
    """Fork a process for each line of stdin."""
    results = Results(Path(sys.argv[1]))
    ingesting.BATCH_FILES = 5
    children: list[int] = []
    while line := sys.stdin.readline().strip():
        if line == "bury":
            os.waitpid(children.pop(), 0)
            _say("buried")
            continue
        child = os.fork()
        if child == 0:
            _live(line, results)
        children.append(child)


if __name__ == "__main__":
    main()

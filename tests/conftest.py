"""What tests of several rooms need, and what every run of them tells at its end."""

from __future__ import annotations

import os
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.slurm_cluster import cluster, whole_cluster

__all__ = ["cluster", "whole_cluster"]
# What is remembered of this user's own folders is none of a test's business.
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="studyspec-state-")


@pytest.fixture
def ctrl_c() -> Iterator[None]:
    """Ctrl-C as a terminal has it: a process in the background may ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line on what was not run, and how to have it."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    deselected = len(terminalreporter.stats.get("deselected", []))
    said = [f"{n} for {reason}" for reason, n in reasons.most_common()]
    if deselected:
        said.append(f"{deselected} by their marks (`make test` runs all but those for a GPU)")
    if said:
        terminalreporter.write_line(f"not run: {'; '.join(said)}")

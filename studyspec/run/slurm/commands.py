"""The commands of Slurm: what is submitted, and what Slurm says of it. Knows no jobs of a study.

A handle is `ARRAY_TASK`, the name that Slurm itself has for one task of an array.
"""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from studyspec.errors import RunError

PATIENCE_S = 60.0
"""A command that does not answer within this time has failed [s]."""
NO_OUTPUT = 53
"""What Slurm calls the signal of a task whose output file cannot be made."""
HOPELESS = {
    "PartitionTimeLimit": "the partition gives no worker so much time: lower `time`",
    "AssocMaxWallDurationPerJobLimit": "the account has not so much time: lower `time`",
    "QOSMaxWallDurationPerJobLimit": "the qos gives no worker so much time: lower `time`",
    "PartitionNodeLimit": "the partition has no such nodes: change `cpus`, `memory` or `gres`",
    "BadConstraints": "no node has what is asked for: change `constraint` or `gres`",
    "InvalidAccount": "set `account`",
    "InvalidQOS": "set `qos`",
    "launch failed requeued held": "the nodes could not start it: ask the cluster's people",
    "job requeued in held state": "`scontrol release` lets it begin",
}
"""Reasons for which a task would wait for ever, and what to do."""


@dataclass(frozen=True)
class Waiting:
    """A task that Slurm knows of: its state and the reason, and the node once it runs."""

    handle: str
    state: str
    reason: str
    node: str
    name: str

    @property
    def pending(self) -> bool:
        """Whether it has still to begin."""
        return self.state == "PENDING"

    @property
    def text(self) -> str:
        """In words."""
        if self.node:
            return f"{self.state.lower()} on {self.node}"
        return f"{self.state.lower()} ({self.reason})"


@dataclass(frozen=True)
class Ended:
    """How a task ended: its state, the reason, and the exit status of its process."""

    state: str
    reason: str
    status: int
    signal: int

    @property
    def text(self) -> str:
        """In words, to be read after the task."""
        how = f"ended as {self.state}"
        if self.reason not in ("", "None"):
            how += f" ({self.reason})"
        if self.signal:
            return f"{how} by signal {self.signal}"
        return f"{how} with status {self.status}" if self.status else how


def check_installed() -> None:
    """Refuse a machine without Slurm.

    Raises
    ------
    RunError
        If its commands are not on the path, or reach no cluster.
    """
    if shutil.which("sbatch") is None:
        raise RunError(
            "there is no `sbatch` on the path",
            hint="run on a login node of the cluster, or load its module; `--on local` needs none",
        )


def cluster_name() -> str:
    """The name of the cluster that the commands reach."""
    return _config("ClusterName") or "slurm"


def largest_array() -> int:
    """How many tasks an array may have."""
    found = _config("MaxArraySize")
    return int(found) if found and found.isdigit() and int(found) > 1 else 1000


def submit(options: Sequence[str], script: str) -> str:
    """Submit a script; the number of its array.

    Raises
    ------
    RunError
        If Slurm does not take it, with what it says.
    """
    check_installed()
    try:
        said = subprocess.run(
            ["sbatch", "--parsable", *options],
            input=script,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
    except subprocess.TimeoutExpired:
        raise RunError("Slurm does not answer", hint="`sinfo` says how it is") from None
    if said.returncode:
        reason = said.stderr.strip().splitlines()[-1:] or ["sbatch failed"]
        raise RunError(
            f"Slurm takes no workers: {reason[0].removeprefix('sbatch: error: ')}",
            hint="mend [engines.slurm] in studyspec.toml; `sinfo` lists partitions",
        )
    return said.stdout.strip().partition(";")[0]


def queue() -> list[Waiting] | None:
    """All tasks of this user; None if Slurm does not answer."""
    user = getpass.getuser()
    shown = _asked(["squeue", "-h", "-r", "-u", user, "-o", "%F_%K|%T|%N|%j|%r"])
    if shown is None:
        return None
    rows = (line.split("|", 4) for line in shown.splitlines())
    return [
        Waiting(handle, state, reason, node, name)
        for handle, state, node, name, reason in (row for row in rows if len(row) == 5)
    ]


def cancel(handles: Iterable[str]) -> None:
    """Ask tasks to stop: Slurm sends SIGTERM, and kills later."""
    named = [*handles]
    for first in range(0, len(named), 500):
        _asked(["scancel", *named[first : first + 500]])


def requeue(handle: str) -> bool:
    """Start one task anew, not its whole array; whether Slurm does."""
    return _asked(["scontrol", "requeue", handle]) is not None


def ended(handle: str) -> Ended | None:
    """How a task ended: Slurm remembers for some minutes, its accounting, if any, for long."""
    shown = _asked(["scontrol", "-o", "show", "job", handle])
    if shown:
        fields = dict(re.findall(r"(\w+)=(\S*)", shown.splitlines()[0]))
        status, _, signal = fields.get("ExitCode", "0:0").partition(":")
        state, reason = fields.get("JobState", ""), fields.get("Reason", "")
        return Ended(state, reason, int(status), int(signal or 0))
    shown = _asked(["sacct", "-n", "-P", "-X", "-j", handle, "-o", "State,ExitCode"])
    for line in (shown or "").splitlines():
        state, _, code = line.partition("|")
        status, _, signal = code.partition(":")
        return Ended(state.partition(" ")[0], "", int(status or 0), int(signal or 0))
    return None


def _config(name: str) -> str:
    shown = _asked(["scontrol", "show", "config"]) or ""
    found = re.search(rf"^{name}\s*= (.*)$", shown, re.MULTILINE)
    return found[1].strip() if found else ""


def _asked(command: Sequence[str]) -> str | None:
    """What a command says; None if it fails or there is no such command."""
    try:
        said = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=PATIENCE_S
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if said.returncode else said.stdout

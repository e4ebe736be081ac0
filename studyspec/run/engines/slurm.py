"""The engine of a Slurm cluster: workers as tasks of job arrays, submitted by plain `sbatch`.

All tasks of a results folder bear one name, so that whoever asks Slurm finds them: a runner that
died between submitting and noting has submitted nothing twice. What runs on the nodes is
`run/slurm/task.py`.
"""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Self

from studyspec.errors import RunError
from studyspec.plugins.contracts import Engine, EngineKind, Resources
from studyspec.plugins.settings import Settings
from studyspec.run import hardware
from studyspec.run.slurm import commands, task
from studyspec.run.slurm.commands import Waiting
from studyspec.run.slurm.footing import written
from studyspec.run.slurm.settings import SlurmSettings
from studyspec.store.folder import Results

BUSY_S = 1.0
"""While workers are expected to end, Slurm is asked this often [s]."""


class SlurmEngine:
    """Workers as tasks of a cluster; a handle is `ARRAY_TASK`."""

    def __init__(self, settings: SlurmSettings) -> None:
        self._settings = settings
        self._noted: set[str] = set()
        self._queue: list[Waiting] = []
        self._asked_at = float("-inf")
        self._ending = False
        self._logs: Path | None = None

    @cached_property
    def place(self) -> str:
        """`slurm@` and the cluster."""
        return f"slurm@{commands.cluster_name()}"

    def start(self, n: int, resources: Resources) -> list[str]:
        """Have n workers: those of this folder that nobody has noted, and new ones for the rest.

        None at all as long as Slurm does not answer, and no more than `max_running` at once.

        Raises
        ------
        RunError
            If Slurm does not take them.
        """
        results = Results(resources.results)
        self._logs = results.logs
        self._logs.mkdir(parents=True, exist_ok=True)
        name = f"studyspec-{task.sign(results)}-{resources.device.partition(':')[0]}"
        if not self._ask(0.0):
            return []
        ours = [found for found in self._queue if found.name == name]
        handles = [found.handle for found in ours if found.handle not in self._noted][:n]
        n = min(n - len(handles), self._room(ours))
        while n > 0:
            some = min(n, self._largest)
            array = commands.submit(self._options(name, some), self._script(results, resources))
            handles += [f"{array}_{i}" for i in range(some)]
            n -= some
        self._noted |= {*handles}
        self._asked_at = float("-inf")
        return handles

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those that wait or run, and all as long as Slurm does not answer."""
        handles = frozenset(handles)
        self._noted |= handles
        if not handles or not self._ask(BUSY_S if self._ending else self._settings.poll):
            return handles
        return handles & {one.handle for one in self._queue}

    def cancel(self, handles: Iterable[str]) -> None:
        """Have Slurm stop them."""
        self._ending = True
        commands.cancel(self.alive(handles))
        self._asked_at = float("-inf")

    def why(self, handle: str) -> str:
        """As Slurm says it, with its log.

        Raises
        ------
        RunError
            If its node has another Python or other packages, or does not see the results folder.
        """
        ended = commands.ended(handle)
        log = None if self._logs is None else task.log(self._logs, handle)
        said = _last_line(log)
        if ended is None:
            return f"is gone{f': {said}' if said else ''}"
        if ended.status == task.REFUSED:
            hint = "install on the nodes what is here, or set `python` in [engines.slurm]"
            raise RunError(said or "the nodes have other packages", where=str(log), hint=hint)
        if ended.status == task.UNSEEN or ended.signal == commands.NO_OUTPUT:
            raise RunError(
                "a node of the cluster does not see the results folder",
                where=str(self._logs and self._logs.parent.parent),
                hint="choose one on a shared file system with --results",
            )
        return f"{ended.text}{f': {said}' if said else ''}"

    def tend(self) -> None:
        """Look whether they all wait for what never comes.

        Raises
        ------
        RunError
            If so, and what to do.
        """
        found = [one for one in self._queue if one.handle in self._noted]
        if found and all(one.pending and one.reason in commands.HOPELESS for one in found):
            reason = found[0].reason
            raise RunError(
                f"Slurm starts no worker: {reason}",
                where="[engines.slurm]",
                hint=commands.HOPELESS[reason],
            )

    def _ask(self, age_s: float) -> bool:
        """See to it that the queue is known, no older than this; False if Slurm does not answer."""
        now = time.monotonic()
        if now - self._asked_at <= age_s:
            return True
        found = commands.queue()
        if found is None:
            return False
        self._queue, self._asked_at = found, now
        return True

    def _room(self, ours: list[Waiting]) -> int:
        """How many may be submitted: what waits takes the place of what has ended."""
        most = self._settings.max_running
        if most is None or not ours:
            return sys.maxsize
        return 0 if any(one.pending for one in ours) else max(0, most - len(ours))

    @cached_property
    def _largest(self) -> int:
        return commands.largest_array()

    def _options(self, name: str, n: int) -> list[str]:
        s = self._settings
        asked = {
            "partition": s.partition,
            "account": s.account,
            "qos": s.qos,
            "constraint": s.constraint,
            "mem": s.memory,
            "gres": s.gres,
        }
        throttle = "" if s.max_running is None else f"%{s.max_running}"
        return [
            f"--array=0-{n - 1}{throttle}",
            f"--job-name={name}",
            f"--time={s.time}",
            "--ntasks=1",
            f"--cpus-per-task={s.cpus}",
            "--requeue" if s.requeue else "--no-requeue",
            "--open-mode=append",
            f"--output={task.log(self._logs or Path(), '%A_%a')}",
            *(f"--{option}={value}" for option, value in asked.items() if value),
            *shlex.split(s.options),
        ]

    def _script(self, results: Results, resources: Resources) -> str:
        s = self._settings
        told = task.Told(
            results=str(results.folder),
            sign=task.sign(results),
            device=resources.device,
            seconds=s.seconds,
            lead_s=s.lead_s,
            requeue=s.requeue,
            footing=written(),
        )
        python = shlex.quote(s.python or sys.executable)
        return "\n".join(
            (
                "#!/bin/bash",
                s.setup,
                f"exec {python} -m studyspec.run.slurm.task {shlex.quote(told.text)} "
                '"${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"',
                "",
            )
        )


class Slurm(EngineKind):
    """`studyspec run --on slurm`."""

    name = "slurm"
    lasting = True
    settings: type[Settings] = SlurmSettings

    def __init__(self, chosen: SlurmSettings | None = None) -> None:
        self._chosen = chosen or SlurmSettings()

    def configured(self, settings: Settings) -> Self:
        """The same for another cluster."""
        assert isinstance(settings, SlurmSettings)
        return type(self)(settings)

    def devices(self, workers: int | None = None) -> tuple[str, ...]:
        """What `gres` gives, once for each worker; raises RunError if there is no Slurm here."""
        commands.check_installed()
        return (self._chosen.device,) * (workers or self._chosen.workers)

    def check(self, devices: Iterable[str]) -> None:
        """Refuse what a node does not give to a worker."""
        for name in devices:
            if name not in (hardware.CPU, self._chosen.device):
                raise RunError(
                    f"a worker of Slurm has no device '{name}'",
                    hint='a GPU is asked for by gres = "gpu:1" in [engines.slurm]',
                )

    def make(self) -> Engine:
        """An engine for one run."""
        return SlurmEngine(self._chosen)

    def look(self, handles: Iterable[str]) -> Mapping[str, str]:
        """What Slurm says of them."""
        queue = {one.handle: one.text for one in commands.queue() or ()}
        told = {}
        for handle in handles:
            ended = None if handle in queue else commands.ended(handle)
            told[handle] = queue.get(handle, "gone" if ended is None else ended.text)
        return told


SLURM = Slurm()


def _last_line(log: Path | None) -> str:
    if log is None or not log.exists():
        return ""
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""

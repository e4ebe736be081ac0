"""What the engine `slurm` needs to know of a cluster: `[engines.slurm]`, never in a study."""

from __future__ import annotations

import re

from pydantic import Field, field_validator

from studyspec.plugins.settings import Settings, fault

TIME = re.compile(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?$")
"""The forms of `sbatch --time`."""


class SlurmSettings(Settings):
    """The allocation of one worker."""

    partition: str = Field("", description="Partition; empty: the cluster's default.")
    account: str = Field("", description="Account that pays.")
    qos: str = Field("", description="Quality of service.")
    constraint: str = Field("", description="Features that nodes must have.")
    time: str = Field("4:00:00", description="Time limit of a worker, in the forms of sbatch.")
    memory: str = Field("", description='Memory of a worker, as "8G"; empty: the default.')
    cpus: int = Field(1, ge=1, description="Cores of a worker.")
    gres: str = Field("", description='What else it needs, as "gpu:1": one GPU a worker.')
    workers: int = Field(4, ge=1, description="How many workers, unless --workers says.")
    max_running: int | None = Field(None, ge=1, description="How many of them run at once.")
    requeue: bool = Field(True, description="Whether Slurm may start a worker anew.")
    stop_early: int = Field(
        300, ge=1, description="Trainings stop at an epoch so long before the time limit [s]."
    )
    python: str = Field("", description="Python on the nodes; empty: the one that runs this.")
    setup: str = Field("", description='Shell lines before the worker, as "module load cuda".')
    options: str = Field("", description='More options of sbatch, as "--exclude=n7 --nice".')
    poll: float = Field(15.0, gt=0, description="Slurm is asked no more often than this [s].")

    @field_validator("time")
    @classmethod
    def _is_time(cls, text: str) -> str:
        if not TIME.match(text) or not _seconds(text):
            raise fault(f'no time limit: "{text}"; write "90" [min], "1:30:00" or "2-00:00:00"')
        return text

    @property
    def seconds(self) -> int:
        """The time limit [s]."""
        return _seconds(self.time)

    @property
    def lead_s(self) -> float:
        """How long before its end a worker stops trainings at an epoch [s]."""
        return min(self.stop_early, self.seconds / 4)

    @property
    def device(self) -> str:
        """What a worker computes on: it sees the one GPU that it was given, or none."""
        return "cuda:0" if "gpu" in self.gres else "cpu"


def _seconds(text: str) -> int:
    """As `sbatch` reads it: minutes alone, minutes and seconds; hours first after days."""
    found = TIME.match(text)
    if found is None:
        return 0
    days, *parts = found.groups()
    numbers = [int(part) for part in parts if part is not None]
    if days is not None:
        hours, minutes, seconds = (*numbers, 0, 0)[:3]
    elif len(numbers) == 3:
        hours, minutes, seconds = numbers
    else:
        hours, (minutes, seconds) = 0, (*numbers, 0)[:2]
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds

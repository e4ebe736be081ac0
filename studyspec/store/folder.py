"""The results folder: where everything lies. Owns every path; opens no file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from studyspec.machine import THIS, Machine


@dataclass(frozen=True)
class Results:
    """The paths of one results folder. Nothing need exist.

    Records are the results and last; artifacts can be made again; `run` is forgotten after a run.
    `machine` is asked for clocks, processes and the files of runs and records.
    """

    folder: Path
    machine: Machine = field(default=THIS, compare=False, repr=False)

    @property
    def writable(self) -> bool:
        """Whether results can be changed here; an archive can only be read."""
        return not self.folder.exists() or os.access(self.folder, os.W_OK | os.X_OK)

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / "studyspec.duckdb"

    @property
    def lock(self) -> Path:
        """The file whose lock guards the database from open to close."""
        return self.folder / "studyspec.duckdb.lock"

    @property
    def records(self) -> Path:
        """One file for each attempt and each plan."""
        return self.folder / "records"

    def record(self, key: str, uuid: str) -> Path:
        """The record of one attempt at a job, or of one plan."""
        return self.records / f"{key}.{uuid}.json"

    @property
    def rejected(self) -> Path:
        """Records that differ from what was computed once more, set aside by a person."""
        return self.folder / "rejected"

    @property
    def refused(self) -> Path:
        """Which records cannot be true, and are as if they were not there."""
        return self.folder / "refused.json"

    @property
    def artifacts(self) -> Path:
        """What jobs made, apart from their scores."""
        return self.folder / "artifacts"

    @property
    def twins(self) -> Path:
        """Rendered images of the twin."""
        return self.artifacts / "twin"

    def twin(self, image_sha256: str) -> Path:
        """One rendered image of the twin, by the image's hash."""
        return self.twins / f"{image_sha256}.npz"

    @property
    def prepared(self) -> Path:
        """Prepared patches, a folder for each prepare job."""
        return self.artifacts / "patches"

    def patches(self, key: str) -> Path:
        """The patches that a prepare job made."""
        return self.prepared / key

    @property
    def networks(self) -> Path:
        """Trained weights."""
        return self.artifacts / "networks"

    def network(self, weights_sha256: str) -> Path:
        """Weights by the hash of their file."""
        return self.networks / f"{weights_sha256}.safetensors"

    @property
    def predictions(self) -> Path:
        """Predictions of chosen patches, kept to be looked at."""
        return self.artifacts / "predictions"

    def prediction(self, key: str) -> Path:
        """The kept patches of one evaluation."""
        return self.predictions / f"{key}.npz"

    @property
    def checkpoints(self) -> Path:
        """Unfinished trainings."""
        return self.artifacts / "checkpoints"

    def checkpoint(self, key: str) -> Path:
        """The unfinished training of a train job."""
        return self.checkpoints / f"{key}.pt"

    @property
    def run(self) -> Path:
        """What runners and workers tell each other."""
        return self.folder / "run"

    @property
    def jobs(self) -> Path:
        """Published jobs."""
        return self.run / "jobs"

    def job(self, key: str) -> Path:
        """A published job."""
        return self.jobs / f"{key}.json"

    @property
    def sources(self) -> Path:
        """How to prepare the images that published jobs need."""
        return self.run / "sources"

    def source(self, key: str) -> Path:
        """The ingredients and inputs of one prepare job."""
        return self.sources / f"{key}.json"

    @property
    def leases(self) -> Path:
        """Who does which job now."""
        return self.run / "leases"

    def lease(self, key: str) -> Path:
        """A worker's hold on a job."""
        return self.leases / key

    @property
    def workers(self) -> Path:
        """The workers that runners have started."""
        return self.run / "workers"

    def worker(self, name: str) -> Path:
        """One worker."""
        return self.workers / f"{name}.json"

    @property
    def logs(self) -> Path:
        """What jobs printed."""
        return self.run / "logs"

    def log(self, key: str, uuid: str) -> Path:
        """What one attempt printed."""
        return self.logs / f"{key}.{uuid}.log"

    @property
    def workers_log(self) -> Path:
        """What workers printed outside of any attempt."""
        return self.logs / "workers.log"

    @property
    def tests(self) -> Path:
        """What `studyspec test` wrote: a folder for each set of images, with its study."""
        return self.folder / "tests"

    @property
    def reports(self) -> Path:
        """Pages of reports."""
        return self.folder / "reports"

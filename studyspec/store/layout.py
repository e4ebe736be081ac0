"""The layout of a results folder: the one class that owns every path in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Results:
    """A results folder. Records are results; artifacts can be made again; `run` is volatile."""

    folder: Path

    @property
    def database(self) -> Path:
        """The DuckDB file."""
        return self.folder / "studyspec.duckdb"

    @property
    def lock(self) -> Path:
        """The file whose lock whoever opens the database holds."""
        return self.folder / "studyspec.duckdb.lock"

    @property
    def records(self) -> Path:
        """One file for each attempt."""
        return self.folder / "records"

    @property
    def artifacts(self) -> Path:
        """What jobs made beside their records."""
        return self.folder / "artifacts"

    @property
    def networks(self) -> Path:
        """Weights by their own hash."""
        return self.artifacts / "networks"

    @property
    def run(self) -> Path:
        """What runners and workers tell each other."""
        return self.folder / "run"

    @property
    def jobs(self) -> Path:
        """Published jobs."""
        return self.run / "jobs"

    @property
    def sources(self) -> Path:
        """What published jobs say of the images that they read, once each."""
        return self.run / "sources"

    @property
    def claims(self) -> Path:
        """Jobs that a worker has taken."""
        return self.run / "claims"

    @property
    def workers(self) -> Path:
        """Workers that were started."""
        return self.run / "workers"

    @property
    def workers_log(self) -> Path:
        """What workers print outside of jobs."""
        return self.run / "logs" / "workers.log"

    @property
    def reports(self) -> Path:
        """Pages of reports."""
        return self.folder / "reports"

    def record(self, key: str, uuid: str) -> Path:
        """The record of one attempt."""
        return self.records / f"{key}.{uuid}.json"

    def patches(self, key: str) -> Path:
        """The folder of the patches of a prepare job."""
        return self.artifacts / "patches" / key

    def network(self, weights_sha256: str) -> Path:
        """The weights of this hash."""
        return self.networks / f"{weights_sha256}.safetensors"

    def twin(self, image_sha256: str) -> Path:
        """A rendered twin image."""
        return self.artifacts / "twin" / f"{image_sha256}.npz"

    def checkpoint(self, key: str) -> Path:
        """The checkpoint of an unfinished training."""
        return self.artifacts / "checkpoints" / f"{key}.pt"

    def job(self, key: str) -> Path:
        """A published job."""
        return self.jobs / f"{key}.json"

    def source(self, key: str) -> Path:
        """What a published prepare job is made from."""
        return self.sources / f"{key}.json"

    def claim(self, key: str) -> Path:
        """The claim on a job."""
        return self.claims / key

    def worker(self, name: str) -> Path:
        """A worker that was started."""
        return self.workers / f"{name}.json"

    def log(self, key: str, uuid: str) -> Path:
        """What one attempt printed."""
        return self.run / "logs" / f"{key}.{uuid}.log"

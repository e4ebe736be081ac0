"""Upkeep of a results folder: bringing its database up to date, freeing disk."""

from __future__ import annotations

from studyspec.api.workplace import RESULTS, AnyPath, results_in
from studyspec.run.runners import alone
from studyspec.store import cleaning
from studyspec.store import ingest as ingestion


def ingest(results: AnyPath = RESULTS, rebuild: bool = False) -> int:
    """Bring the database up to date with the records; how many were new.

    Parameters
    ----------
    results
        The results folder.
    rebuild
        Make the whole database anew; then all records are new.

    Raises
    ------
    StoreError
        If the database cannot be used, or the records are of an earlier version.
    """
    place = results_in(results)
    return ingestion.rebuild(place) if rebuild else ingestion.ingest(place)


def clean(results: AnyPath = RESULTS, networks: bool = False) -> int:
    """Delete what can be made again: rendered images, patches, checkpoints; records stay.

    Parameters
    ----------
    results
        The results folder.
    networks
        Whether to delete the networks' weights too.

    Returns
    -------
    int
        What that freed [bytes].

    Raises
    ------
    RunError
        If a run goes on there, or a worker is at a job.
    """
    place = results_in(results)
    with alone(place):
        return cleaning.clean(place, networks)

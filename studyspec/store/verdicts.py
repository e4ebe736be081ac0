"""Verdicts on records: what cannot be true of one, and which were refused, as a file for workers.

Knows no database: ingesting asks it and writes the file, the index of records obeys the file.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from studyspec.errors import StoreError
from studyspec.files import write
from studyspec.spec.identity import digest
from studyspec.store.folder import Results
from studyspec.store.record_file import Head, head_of

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
"""There was no studyspec before."""
SLACK = timedelta(days=1)
"""Clocks and time zones of machines and file systems differ by less."""
PART = '"ingredients":'

Refused = Mapping[str, tuple[str, str]]
"""Of each refused record, by name, size and time of its file, and the reason."""


def fault(path: Path, text: str) -> str:
    """Why a record cannot be what it says, by its own words and its file; empty if it can.

    What is no record at all is left to others.
    """
    try:
        head = head_of(path, text)
        ingredients = _ingredients(text)
        key = "" if ingredients is None else digest(ingredients)
    except StoreError:
        return ""
    except (ValueError, TypeError, AttributeError, RecursionError):
        return "not JSON, or not as a record is"
    if path.name != f"{head.key}.{head.uuid}.json":
        return "its name is not its key and uuid"
    if ingredients is not None and key != head.key:
        return "its key is not the digest of its ingredients"
    return "" if head.plan is not None else _time_fault(head, path)


def read_refused(results: Results) -> Refused:
    """The records that were refused."""
    try:
        found = json.loads(results.machine.read(results.refused))
        return {str(name): (str(stamp), str(why)) for name, (stamp, why) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def write_refused(results: Results, refused: Refused) -> None:
    """Write down which records were refused, if others were before."""
    if dict(refused) != dict(read_refused(results)):
        write(results.refused, json.dumps(refused, indent=1, sort_keys=True))


def _ingredients(text: str) -> object:
    """The ingredients; they stand in a line of their own in records of ours."""
    line = text.split("\n", 2)[1] if "\n" in text else ""
    if line.startswith(PART) and line.endswith(","):
        return json.loads(line[len(PART) : -1])
    return json.loads(text).get("ingredients")


def _time_fault(head: Head, path: Path) -> str:
    try:
        written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except OSError:
        return ""
    if head.finished_at < FIRST:
        return f"it is dated {head.finished_at.year}, before there was studyspec"
    if head.started_at > head.finished_at + SLACK:
        return "it ended before it began"
    return "it is dated after its file was written" if head.finished_at > written + SLACK else ""

"""The previous plan of a study, from its record. Knows no database."""

from __future__ import annotations

from typing import Any

from studyspec.store.layout import Results
from studyspec.store.record_file import read_record
from studyspec.store.records import RecordIndex


def previous_plan(
    results: Results, study: str, profile: str | None, index: RecordIndex | None = None
) -> dict[str, Any] | None:
    """The newest plan of a study and profile with its `key` and `created_at`; None if none.

    An `index` of the same results that is at hand spares reading all heads again.
    """
    path = (index or RecordIndex(results)).newest_plan(study, profile)
    if path is None:
        return None
    record = read_record(path)
    return {**record["result"], "key": record["key"]}

"""Plans as records: the newest of a study and profile, and writing down another. No database."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from studyspec.errors import StoreError
from studyspec.spec.identity import digest
from studyspec.store.folder import Results
from studyspec.store.record_file import (
    Json,
    PlanName,
    new_plan_record,
    read_head,
    read_record,
    write_record,
)
from studyspec.store.records import RecordIndex

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RecordedPlan:
    """A plan as it was written, the digest of all it says, and when that was [UTC]."""

    key: str
    created_at: datetime
    plan: Json


def previous_plan(
    results: Results, study: str, profile: str | None, index: RecordIndex | None = None
) -> RecordedPlan | None:
    """The newest plan of a study and profile; None if there is none that can be read.

    An `index` of the same results that is at hand spares reading all heads again.
    """
    path = (index or RecordIndex(results)).newest_plan(study, profile)
    if path is None:
        return None
    try:
        record = read_record(path)
    except StoreError as error:
        log.warning("%s", error.text)
        return None
    return RecordedPlan(record.head.key, record.head.finished_at, record.result or {})


def write_plan(results: Results, plan: Json, index: RecordIndex | None = None) -> Path:
    """Record a plan, unless the newest one of its study and profile is the same.

    Raises
    ------
    StoreError
        If it names no study.
    """
    try:
        name = PlanName.model_validate({k: plan[k] for k in ("study", "profile") if k in plan})
    except ValidationError:
        raise StoreError("a plan must name its study", where=str(results.folder)) from None
    key = digest(plan)
    newest = (index or RecordIndex(results)).newest_plan(name.study, name.profile)
    before = None if newest is None else read_head(newest)
    if newest is not None and before is not None and before.key == key:
        return newest
    return write_record(results, new_plan_record(key, name, plan, before))

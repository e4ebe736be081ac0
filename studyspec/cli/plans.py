"""A plan as text and as JSON."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studyspec import api
from studyspec.cli.progress import duration
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api import PlannedStudy

SHOWN_REASONS = 12


def plan_text(planned: PlannedStudy) -> str:
    """Jobs by stage and state, then each reason with its number of jobs."""
    checked = planned.checked
    name = checked.name + (f" ({checked.profile})" if checked.profile else "")
    rows = [[stage, *counts.values()] for stage, counts in planned.stages.items()]
    lines = [name, table(["stage", *api.STATES], rows)]
    reasons = Counter(
        (p.state, p.job.stage, p.reason) for p in planned.jobs if p.reason and p.state != "known"
    )
    for (state, stage, reason), n in reasons.most_common(SHOWN_REASONS):
        lines.append(f"{n} {stage} {state}: {reason}")
    if len(reasons) > SHOWN_REASONS:
        lines.append(f"... and {len(reasons) - SHOWN_REASONS} more reasons (--json shows all)")
    seconds = api.estimate(planned)
    if seconds is not None:
        lines.append(f"about {duration(seconds)} of work on one worker, as past jobs took")
    if checked.unfetched:
        n = len(checked.unfetched)
        lines.append(f"{n} files are not here yet; `studyspec run` fetches them")
    return "\n".join(lines)


def shared_text(plans: Sequence[PlannedStudy]) -> str:
    """How many trainings studies save by sharing them; empty for one study."""
    trainings = [[p.job.key for p in one.jobs if p.job.stage == "train"] for one in plans]
    asked = sum(len(keys) for keys in trainings)
    needed = len({key for keys in trainings for key in keys})
    if len(plans) < 2 or not asked:
        return ""
    return f"{asked} trainings asked for, {needed} needed: {asked - needed} are shared by studies"


def plan_json(planned: PlannedStudy) -> dict[str, object]:
    """Every job with its key, stage, state and reason."""
    return {
        "study": planned.checked.name,
        "profile": planned.checked.profile,
        "unfetched": planned.checked.unfetched,
        "jobs": [
            {
                "key": p.job.key,
                "stage": p.job.stage,
                "title": p.job.title,
                "state": p.state,
                "reason": p.reason,
            }
            for p in planned.jobs
        ],
    }

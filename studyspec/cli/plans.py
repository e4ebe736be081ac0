"""A plan as text and as JSON."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from studyspec import api
from studyspec.cli.progress import duration
from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api import Expected, PlannedStudy, Power

SHOWN_REASONS = 12
LONGEST = 44


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


def power_text(power: Power) -> str:
    """A row for each prediction: its half-width, and what would decide it."""
    basis = "variances of its scores so far" if power.known else "typical variances"
    head = ["claim", "half-width", "distance", "micrographs", "folds", "decided by"]
    rows = [
        [
            _claim(one),
            "–" if math.isnan(one.half_width) else f"{one.half_width:.3f}",
            f"{one.distance:.3f}{'' if one.measured else '*'}",
            one.micrographs,
            one.folds,
            _deciding(one),
        ]
        for one in power.claims
    ]
    if not rows:
        return f"{power.study}: no claims"
    notes = [f"{power.study}, expected by {basis}", table(head, rows)]
    notes.append("distance: from the nearest bound, as found so far; * as assumed before any score")
    notes.append(
        "decided by: what decides it alone (before Holm) in 80 % of runs, if the distance holds"
    )
    return "\n".join(notes)


def power_json(power: Power) -> dict[str, object]:
    """Every prediction with its numbers; null where there is none."""
    claims = [
        {
            **asdict(one),
            "half_width": None if math.isnan(one.half_width) else one.half_width,
            "decided": one.decided,
        }
        for one in power.claims
    ]
    return {"study": power.study, "known_variances": power.known, "claims": claims}


def _claim(one: Expected) -> str:
    said = one.says if len(one.says) <= LONGEST else f"{one.says[: LONGEST - 3]}..."
    return f"{said} ({one.part})"


def _deciding(one: Expected) -> str:
    if one.reason:
        return one.reason
    if one.decided:
        return "as planned"
    ways = [
        f"{needed} {what}"
        for needed, what in ((one.needed_micrographs, "micrographs"), (one.needed_folds, "folds"))
        if needed is not None
    ]
    if one.needed_both is not None:
        ways = ["{} micrographs and {} folds".format(*one.needed_both)]
    return " or ".join(ways) or "not by eight times as many of both"

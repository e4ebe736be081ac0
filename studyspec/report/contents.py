"""The contents of one study's part of the page, as plain values for the template. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studyspec.report.completeness import CellState, cell_states, sentence
from studyspec.report.frames import Row, StudyFrames
from studyspec.report.methods import methods, on_the_twin, settings_of

MATRIX_COLUMNS = (
    "dice_mean",
    "dice_sd",
    "dice_micro_mean",
    "dice_micro_sd",
    "normalized",
    "oversegmentation_mean",
    "oversegmentation_sd",
)
MEASURED = "Nothing is trained: the images are measured."
Cells = Sequence[Mapping[str, Any]]


def merged_cells(frames: StudyFrames) -> Cells:
    """Every planned cell with its state, and its scores where it has some."""
    scored = {row["evaluation"] for row in frames.folds.rows if row["split"] == "test"}
    scores = {(row["variant"], row["train"], row["test"]): row for row in frames.matrix.rows}
    return [
        _cell(state, scores.get((state.variant, state.train, state.test), {}))
        for state in cell_states(frames.plan, scored, frames.failures)
    ]


def contents(frames: StudyFrames, cells: Cells) -> dict[str, Any]:
    """All that the template says of a study in words and tables."""
    plan = frames.plan
    return {
        "label": label(plan),
        "title": plan["question"] or plan["study"],
        "outcome": outcome(cells) if cells else MEASURED,
        "complete": f"{completeness(cells)}." if cells else "",
        "twin": on_the_twin(plan),
        "variants": list(plan["variants"]),
        "matrix_note": _matrix_note(plan),
        "tables": [_table(name, cells) for name in plan["variants"]],
        "datasets": datasets(frames),
        "changes": _changes(plan),
        "methods": methods(settings_of(plan["spec"])),
        "provenance": provenance(frames),
        "command": command(plan),
        "source": plan["source"],
        "hashes": [
            {"name": name, "image": row["image_sha256"], "label": row["label_sha256"]}
            for name, row in plan["images"].items()
        ],
    }


def label(plan: Mapping[str, Any]) -> str:
    """The name of the study, with its profile."""
    profile = plan["profile"]
    return f"{plan['study']} (profile {profile})" if profile else str(plan["study"])


def completeness(cells: Cells) -> str:
    """How many cells there are, and why others are missing."""
    names = ("variant", "train", "test", "done", "planned", "why")
    return sentence([CellState(**{name: cell[name] for name in names}) for cell in cells])


def outcome(cells: Cells) -> str:
    """The scores in one sentence: the own sets, and the best and worst transfer."""
    first = cells[0]["variant"] if cells else ""
    scored = [c for c in cells if c["variant"] == first and c["dice_mean"] is not None]
    own = [c for c in scored if c["own"]]
    others = [c for c in scored if not c["own"]]
    said = []
    if own:
        said.append(f"Tested on their own set, networks reach a dice of {_span(own)}.")
    if len(others) > 1:
        best, worst = max(others, key=_dice), min(others, key=_dice)
        said.append(
            f"Tested on another, the best is {_transfer(best)} and the worst is {_transfer(worst)}."
        )
    elif others:
        said.append(f"Tested on another: {_transfer(others[0])}.")
    return " ".join(said) or "Nothing has been scored yet."


def datasets(frames: StudyFrames) -> list[dict[str, Any]]:
    """A row for each dataset: its filter in words, images, patches."""
    rows = []
    for name, dataset in frames.plan["datasets"].items():
        images = [frames.plan["images"][image] for image in dataset["images"]]
        rows.append(
            {
                "name": name,
                "filter": _filter(dataset),
                "collection": ", ".join(dict.fromkeys(image["collection"] for image in images)),
                "label": dataset["label"],
                "images": len(images),
                "patches": frames.patches.get(name, "–"),
            }
        )
    return rows


def provenance(frames: StudyFrames) -> list[tuple[str, str]]:
    """What the numbers come from: terms and texts."""
    plan = frames.plan
    runs = frames.runs.rows
    said = [
        ("Study", label(plan)),
        ("Plan", plan.get("key", "")),
        (
            "Newest result",
            max((f"{run['finished_at']:%Y-%m-%d %H:%M} UTC" for run in runs), default=""),
        ),
        ("Software", "; ".join(dict.fromkeys(_versions(run) for run in runs))),
        ("Hardware", "; ".join(_hardware(run) for run in runs)),
        ("Citation", "; ".join(_distinct(plan, "citation"))),
        ("Licence", "; ".join(_distinct(plan, "licence"))),
    ]
    return [(term, text) for term, text in said if text]


def command(plan: Mapping[str, Any]) -> str:
    """The command that does the study again."""
    profile = f" --profile {plan['profile']}" if plan["profile"] else ""
    return f"studyspec run studies/{plan['study']}.toml{profile}"


def _cell(state: CellState, scores: Row) -> dict[str, Any]:
    return {
        "variant": state.variant,
        "train": state.train,
        "test": state.test,
        "own": state.train == state.test,
        "state": state.state,
        "why": state.why,
        "done": state.done,
        "planned": state.planned,
        **{name: scores.get(name) for name in MATRIX_COLUMNS},
    }


def _dice(cell: Mapping[str, Any]) -> float:
    return float(cell["dice_mean"])


def _span(cells: Cells) -> str:
    low, high = min(cells, key=_dice), max(cells, key=_dice)
    if low is high:
        return f"{_dice(low):.2f} ({low['test']})"
    return f"{_dice(low):.2f} ({low['test']}) to {_dice(high):.2f} ({high['test']})"


def _transfer(cell: Mapping[str, Any]) -> str:
    normalized = cell["normalized"]
    of_own = f", {normalized:.0%} of own-set dice" if normalized is not None else ""
    return f"{cell['train']} on {cell['test']} ({_dice(cell):.2f}{of_own})"


def _matrix_note(plan: Mapping[str, Any]) -> str:
    folds = settings_of(plan["spec"]).cross_validation.folds
    return (
        f"Mean ± standard deviation over {folds} folds (ddof 1). On the diagonal every network "
        "sees only what it was not trained on. Hatched: missing. Click a cell to see its folds, "
        "images and curves."
    )


def _table(variant: str, cells: Cells) -> dict[str, Any]:
    mine = {(c["train"], c["test"]): c for c in cells if c["variant"] == variant}
    trains = list(dict.fromkeys(train for train, _ in mine))
    tests = list(dict.fromkeys(test for _, test in mine))
    return {
        "caption": f"Dice, mean ± sd over folds (ddof 1), variant {variant}",
        "tests": tests,
        "rows": [
            {"train": train, "cells": [_table_cell(mine.get((train, test))) for test in tests]}
            for train in trains
        ],
    }


def _table_cell(cell: Mapping[str, Any] | None) -> dict[str, str]:
    if cell is None:
        return {"kind": "unasked", "text": "–"}
    if cell["dice_mean"] is None:
        return {"kind": "missing", "text": cell["why"]}
    spread = "" if cell["dice_sd"] is None else f" ± {cell['dice_sd']:.3f}"
    part = "" if cell["state"] == "done" else f" ({cell['done']} of {cell['planned']} folds)"
    kind = "own" if cell["own"] else "other"
    return {"kind": kind, "text": f"{cell['dice_mean']:.3f}{spread}{part}"}


def _filter(dataset: Mapping[str, Any]) -> list[str]:
    if dataset["filter"] is None:
        return ["union of " + " and ".join(dataset["members"])]
    return [
        _condition(column, wanted)
        for column, wanted in dataset["filter"].items()
        if column not in ("collection", "label")
    ]


def _condition(column: str, wanted: Any) -> str:
    if column == "sql":
        return str(wanted)
    if isinstance(wanted, list | tuple):
        return f"{column} in {', '.join(map(str, wanted))}"
    if not isinstance(wanted, Mapping):
        return f"{column} = {wanted}"
    if "near" in wanted:
        return f"{column} = {wanted['near']:g} ± {wanted['within']:g}"
    if "not" in wanted:
        return f"{column} is not {wanted['not']}"
    if "like" in wanted:
        return f"{column} like {wanted['like']}"
    low, high = wanted.get("min"), wanted.get("max")
    return " and ".join(
        [f"{column} ≥ {low}"] * (low is not None) + [f"{column} ≤ {high}"] * (high is not None)
    )


def _changes(plan: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"name": name, "settings": [f"{setting} = {value}" for setting, value in changes.items()]}
        for name, changes in plan["variants"].items()
        if changes
    ]


def _versions(run: Row) -> str:
    return ", ".join(f"{name} {version}" for name, version in run["versions"].items())


def _hardware(run: Row) -> str:
    return f"{run['device_name']}: {run['jobs']} jobs, {run['seconds']:.0f} s"


def _distinct(plan: Mapping[str, Any], column: str) -> list[str]:
    return list(dict.fromkeys(row[column] for row in plan["images"].values() if row.get(column)))

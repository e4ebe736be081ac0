"""Charts that a study has only if it asks for them: sweeps, training scores, image statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from studyspec.report import charts
from studyspec.report.frames import Row, StudyFrames
from studyspec.spec.names import stem

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Extra:
    """A chart of its own section: title, what it shows, specification, rows, and its query."""

    name: str
    title: str
    caption: str
    spec: charts.Spec
    rows: Rows
    sql: str


def extras(frames: StudyFrames) -> list[Extra]:
    """Every such chart that has something to show."""
    return [*_sweeps(frames), *_bars(frames), *_measured(frames)]


def _sweeps(frames: StudyFrames) -> list[Extra]:
    """A chart for each swept setting: dice over its values, with dotted lines for the own sets."""
    plan = frames.plan
    points: dict[tuple[str, str], list[tuple[str, float]]] = {}
    for variant, changes in plan["variants"].items():
        name, _, inside = variant.partition("[")
        for setting in _settings(inside):
            value = changes.get(setting)
            if isinstance(value, int | float) and not isinstance(value, bool):
                points.setdefault((name, setting), []).append((variant, float(value)))
    found = []
    for number, ((name, setting), its) in enumerate(points.items()):
        rows = _sweep_rows(frames.matrix.rows, dict(its), name)
        if len({row["value"] for row in rows}) > 1:
            found.append(
                Extra(
                    f"sweep{number}",
                    f"{setting}",
                    "Mean dice over the folds, ± one standard deviation (ddof 1); dotted: networks "
                    "that were trained on the test set itself.",
                    charts.sweep(setting),
                    rows,
                    frames.matrix.sql,
                )
            )
    return found


def _settings(inside: str) -> list[str]:
    """The settings in a variant's brackets: "a.b=1,c.d=2]" has a.b and c.d."""
    return [part.partition("=")[0] for part in inside.rstrip("]").split(",") if "=" in part]


def _sweep_rows(matrix: Sequence[Row], values: Mapping[str, float], name: str) -> Rows:
    own: dict[str, float] = {}
    for row in matrix:
        mine = row["train"] == row["test"] and row["variant"] not in values
        if mine and stem(row["variant"]) in ("base", name) and row["dice_mean"] is not None:
            own.setdefault(row["test"], row["dice_mean"])
    rows = []
    for row in matrix:
        if row["variant"] in values and row["dice_mean"] is not None:
            spread = row["dice_sd"] or 0.0
            value = values[row["variant"]]
            rows.append(
                {
                    "value": value,
                    "train": row["train"],
                    "test": row["test"],
                    "dice": row["dice_mean"],
                    "low": row["dice_mean"] - spread,
                    "high": row["dice_mean"] + spread,
                    "own": own.get(row["test"]),
                    "aria": f"{row['train']} on {row['test']} at {value:g}: "
                    f"dice {row['dice_mean']:.3f}",
                }
            )
    return rows


def _bars(frames: StudyFrames) -> list[Extra]:
    """Scores on the training part beside those on the held-out one, by variant."""
    groups: dict[tuple[str, str, str], list[float]] = {}
    for row in frames.folds.rows:
        if row["train"] == row["test"] and row["split"] in ("train", "test"):
            groups.setdefault((row["variant"], row["train"], row["split"]), []).append(row["dice"])
    if not any(split == "train" for _, _, split in groups):
        return []
    rows = []
    for (variant, name, split), values in groups.items():
        mean, sd = float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
        part = "trained on" if split == "train" else "held out"
        rows.append(
            {
                "variant": variant,
                "dataset": name,
                "part": part,
                "dice": mean,
                "low": mean - sd,
                "high": mean + sd,
                "aria": f"{name}, {variant}, {part}: dice {mean:.3f} ± {sd:.3f}",
            }
        )
    several = len({row["dataset"] for row in rows}) > 1
    return [
        Extra(
            "parts",
            "On what was trained on, and on what was held out",
            "Mean dice over the folds, ± one standard deviation (ddof 1).",
            charts.bars("dataset" if several else None),
            rows,
            frames.folds.sql,
        )
    ]


def _measured(frames: StudyFrames) -> list[Extra]:
    found = []
    statistics, histograms = frames.statistics, frames.histograms
    if statistics is not None and len({row["rho"] for row in statistics.rows}) > 1:
        for name, what in (
            ("contrast", "Median of the background less that of the particles, mean of images."),
            ("roughness", "Σ|F|²k²/Σ|F|², k in cycles per pixel, mean of patches and images."),
        ):
            rows = [
                {**row, "y": row[name], "aria": f"{row['dataset']} at {row['rho']:g}: {row[name]}"}
                for row in statistics.rows
                if row[name] is not None
            ]
            spec = charts.over_noise(name)
            found.append(Extra(name, name.capitalize(), what, spec, rows, statistics.sql))
    if histograms is not None and histograms.rows:
        found.append(
            Extra(
                "histograms",
                "Intensities",
                "Pixels by prepared intensity, as a share of all pixels of particle or background.",
                charts.histograms(),
                _densities(histograms.rows),
                histograms.sql,
            )
        )
    return found


def _densities(rows: Sequence[Row]) -> Rows:
    """Shares of particle and of background by intensity; ends without pixels are left out."""
    totals: dict[tuple[str, str, str], int] = {}
    for row in rows:
        for part in ("particle", "background"):
            key = (row["variant"], row["dataset"], part)
            totals[key] = totals.get(key, 0) + row[part]
    return [
        {
            "panel": f"{row['dataset']}, {row['variant']}",
            "intensity": (row["intensity_low"] + row["intensity_high"]) / 2,
            "part": part,
            "share": row[part] / total,
        }
        for row in rows
        for part in ("particle", "background")
        if (total := totals[row["variant"], row["dataset"], part])
        and row["particle"] + row["background"] > 0
    ]

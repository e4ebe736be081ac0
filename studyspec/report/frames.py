"""What the page says of a study, as plain rows; knows no chart and no HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from studyspec.run.kept import KeptPatch

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Frame:
    """Rows of the store and the query that gave them."""

    rows: Sequence[Row]
    sql: str


@dataclass(frozen=True)
class StudyFrames:
    """All that the page needs of one study.

    Attributes
    ----------
    plan
        The result of the newest plan record of the study and profile.
    matrix
        A row per cell: variant, train, test, folds, dice_mean, dice_sd, dice_micro_mean,
        dice_micro_sd, oversegmentation_mean, oversegmentation_sd, normalized.
    folds
        A row per evaluation and split: variant, train, test, fold, split, every metric, n_patches,
        network, evaluation.
    images
        A row per evaluation, split and image: variant, train, test, fold, split, image_id, every
        metric, n_patches.
    curves
        A row per network and epoch: network, epoch, train_loss, validation_loss.
    runs
        What the study's jobs ran on: device_name, versions, jobs, seconds, finished_at [UTC].
    statistics
        A row per variant, dataset and rho: variant, dataset, rho, images, contrast, film_sd,
        particle_sd, roughness; None if nothing was measured.
    histograms
        A row per variant, dataset and bin: intensity_low, intensity_high, particle, background.
    kept
        Patches that were kept of evaluations, by their key.
    patches
        Patches of each dataset, by name; a dataset that is not prepared yet is missing.
    failures
        Why a job failed for now, by its key.
    """

    plan: Mapping[str, Any]
    matrix: Frame
    folds: Frame
    images: Frame
    curves: Frame
    runs: Frame
    statistics: Frame | None = None
    histograms: Frame | None = None
    kept: Mapping[str, Sequence[KeptPatch]] = field(default_factory=dict)
    patches: Mapping[str, int] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)

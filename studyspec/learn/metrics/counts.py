"""Scores of what is always counted: pixels right and wrong, probabilities, cross-entropy."""

from __future__ import annotations

from types import MappingProxyType

from studyspec.plugins.contracts import CountMetric

DICE = CountMetric(
    name="dice",
    label="Dice",
    meaning="For every patch (2 TP + 1) / (2 TP + FP + FN + 1) in pixels, where particle is what "
    "the network gives a probability above 0.5; then the mean over the patches.",
    better="higher",
    formula="dice_sum / n",
    patch_sums=MappingProxyType({"dice_sum": "(2 * tp + 1) / (2 * tp + fp + fn + 1)"}),
    bounds=(0.0, 1.0),
)
DICE_MICRO = CountMetric(
    name="dice_micro",
    label="Pixel dice",
    meaning="2 TP / (2 TP + FP + FN) over all pixels of the test set at once.",
    better="higher",
    formula="2 * tp / nullif(2 * tp + fp + fn, 0)",
    bounds=(0.0, 1.0),
)
SOFT_DICE = CountMetric(
    name="soft_dice",
    label="Soft dice",
    meaning="2 Σ p y / (Σ p + Σ y) over all pixels, p being the probability and y the label.",
    better="higher",
    formula="2 * soft_intersection / nullif(soft_sum, 0)",
    bounds=(0.0, 1.0),
)
LOSS = CountMetric(
    name="loss",
    label="Cross-entropy",
    meaning="The mean over all pixels, in nat.",
    better="lower",
    formula="loss_sum / nullif(tp + fp + fn + tn, 0)",
)
PRECISION = CountMetric(
    name="precision",
    label="Precision",
    meaning="TP / (TP + FP), pixels pooled.",
    better="higher",
    formula="tp / nullif(tp + fp, 0)",
    bounds=(0.0, 1.0),
)
RECALL = CountMetric(
    name="recall",
    label="Recall",
    meaning="TP / (TP + FN), pixels pooled.",
    better="higher",
    formula="tp / nullif(tp + fn, 0)",
    bounds=(0.0, 1.0),
)
OVERSEGMENTATION = CountMetric(
    name="oversegmentation",
    label="Over-segmentation",
    meaning="FP / (FP + FN), pixels pooled: 1 is only false particle, 0 only missed particle.",
    better="lower",
    formula="fp / nullif(fp + fn, 0)",
    bounds=(0.0, 1.0),
)

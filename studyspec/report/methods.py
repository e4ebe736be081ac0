"""How the numbers were computed, in words, from the settings of a study. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from studyspec.spec.settings import AugmentSettings, StageSettings

TWIN = "twin"
INTERVALS = (
    "Differences come with 95 % intervals. Two variants on the diagonal: corrected resampled t "
    "over the folds (Nadeau and Bengio, 2003). All else: variance-sum t over micrographs and "
    "networks (Satterthwaite's degrees of freedom); what two cells share, micrographs or networks, "
    "is paired. A claim is held if the whole interval lies where it was claimed, and did not hold "
    "if none of it does; the claims of a study are one family (Holm); on fewer than six "
    "micrographs there is no verdict."
)


def settings_of(spec: Mapping[str, Any]) -> StageSettings:
    """The settings of the plain study, of a resolved study as JSON."""
    names = StageSettings.model_fields
    return StageSettings.model_validate({k: v for k, v in spec.items() if k in names})


def on_the_twin(plan: Mapping[str, Any]) -> bool:
    """Whether any image of the study is simulated."""
    return any(image["collection"] == TWIN for image in plan["images"].values())


def methods(settings: StageSettings) -> Sequence[tuple[str, str]]:
    """Terms and their explanations; all numbers are the study's own."""
    folds = settings.cross_validation.folds
    return (
        (
            "Dice",
            "For every patch (2 TP + 1) / (2 TP + FP + FN + 1) in pixels, where particle is what "
            "the network gives a probability above 0.5; then the mean over the patches.",
        ),
        (
            "Pixel dice",
            "2 TP / (2 TP + FP + FN) over all pixels of the test set at once (dice_micro).",
        ),
        ("Of own set", "Dice divided by that of networks trained on the test set itself."),
        (
            "Over-segmentation",
            "FP / (FP + FN), pixels pooled: 1 is only false particle, 0 only missed particle.",
        ),
        (
            "±",
            f"Standard deviation over the {folds} folds (sample, ddof 1). It is the spread of the "
            "networks, not of the images.",
        ),
        ("Intervals", INTERVALS),
        ("Folds", _folds(settings)),
        ("Patches", _patches(settings)),
        ("Augmentation", _augmentation(settings.augment)),
        ("Training", _training(settings)),
        ("Test", _test(settings)),
    )


def _folds(settings: StageSettings) -> str:
    folds = settings.cross_validation
    start = f"{folds.folds} folds, cut by {folds.unit}. "
    if folds.unit == "patch":
        start += (
            "Patches of one image fall into training and test parts, as published: own-set scores "
            "profit from it. Take cross_validation.unit = 'image' to rule it out. "
        )
    else:
        start += (
            "Patches of one image stay together, in validation too: no image is on both sides. "
        )
    return start + (
        "Where a test set shares images with the training set, each network sees only those that "
        "it was not trained on; elsewhere it sees the whole test set."
    )


def _patches(settings: StageSettings) -> str:
    steps = settings.preprocess
    flat = "divided by a fitted flat field" if steps.flat_field.enabled else "no flat field"
    xray = "x-rays removed" if steps.xray.enabled else "x-rays kept"
    return (
        f"{xray}, {flat}, rescaled by {steps.rescale.method}; {steps.patch.size} × "
        f"{steps.patch.size} px, those with {steps.patch.min_particle_px} particle pixels or fewer "
        "dropped."
    )


def _augmentation(augment: AugmentSettings) -> str:
    dihedral = {
        "all": "every patch in its 8 dihedral forms",
        "random": "one random dihedral form of each patch an epoch",
        "none": "no dihedral forms",
    }[augment.dihedral]
    rotation = augment.rotation
    rule = "> 0.5" if rotation.label_rule == "half" else "= 1"
    parts = [dihedral]
    if rotation.probability:
        parts.append(
            f"{rotation.probability:.0%} rotated by a random angle (a label pixel is particle if "
            f"its interpolated value is {rule})"
        )
    noise = augment.noise
    if noise.rho_max is not None:
        parts.append(f"Gaussian noise, rho drawn from 0 to {noise.rho_max:g}")
    elif noise.rho:
        parts.append(f"Gaussian noise, rho {noise.rho:g}")
    return "; ".join(parts) + "."


def _training(settings: StageSettings) -> str:
    training, folds = settings.training, settings.cross_validation
    return (
        f"Residual U-Net, first level {settings.model.first_filters} filters; cross-entropy, Adam, "
        f"learning rate {training.learning_rate:g}, batch {training.batch_size}, "
        f"{training.epochs} epochs, precision {training.precision}; the weights of the lowest "
        f"validation loss are kept ({folds.validation_percent:g} % of the rest of a fold validate)."
    )


def _test(settings: StageSettings) -> str:
    if settings.evaluation.dihedral:
        return "Every patch is scored in its 8 dihedral forms; no noise, no rotation."
    return "Every patch is scored once, as it is; no noise, no rotation."

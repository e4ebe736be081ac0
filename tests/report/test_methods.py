from __future__ import annotations

from typing import Any

import pytest

from studyspec.report.described import described
from studyspec.report.done import Done
from studyspec.report.methods import methods, on_the_twin
from studyspec.report.shown import shown
from tests.report.examples import frames


def said(spec: dict[str, Any]) -> dict[str, str]:
    made = frames()
    return dict(methods(described(spec), shown(made.matrix.rows), Done(made.plan)))


def test_the_leak_of_patch_folds_is_told() -> None:
    text = said({"cross_validation": {"unit": "patch"}})["Folds"]
    assert "Patches of one image fall into training and test parts" in text


def test_image_folds_do_not_leak() -> None:
    text = said({"cross_validation": {"unit": "image"}})["Folds"]
    assert "no image is on both sides" in text
    assert "fall into training and test parts" not in text


def test_the_standard_deviation_says_of_what_n_and_ddof() -> None:
    assert "over the 3 folds (sample, ddof 1)" in said({"cross_validation": {"folds": 3}})["±"]


@pytest.mark.parametrize(
    ("noise", "text"),
    [
        ({}, "Gaussian"),
        ({"rho": 0.5}, "Gaussian noise, rho 0.5"),
        ({"rho_max": 1.5}, "rho drawn from 0 to 1.5"),
    ],
)
def test_noise_is_told_where_there_is_some(noise: dict[str, float], text: str) -> None:
    assert (text in said({"augment": {"noise": noise}})["Augmentation"]) == bool(noise)


def test_every_metric_with_scores_is_explained_with_its_name() -> None:
    told = said({})
    assert told["Dice"].endswith("the mean over the patches.")
    assert told["Pixel dice"].endswith("(dice_micro).")
    assert {"Of own set", "Cross-entropy", "Recall"} <= told.keys()


def test_steps_speak_for_themselves_in_their_order() -> None:
    spec = {"preprocess": {"resample": {"pixel_scale_nm": 0.03}, "flat_field": {"enabled": False}}}
    text = said(spec)["Patches"]
    assert text.index("X-rays removed") < text.index("resampled to 0.03 nm a pixel")
    assert "no flat field" in text


def test_thinning_is_told_and_that_it_touches_validation() -> None:
    text = said({"augment": {"thinning": {"dose_e_per_A2": 20.0}}})["Augmentation"]
    assert "thinned to 20 e/Å², with the noise of each image's camera (in validation too)" in text


def test_the_training_is_that_of_the_study() -> None:
    training = {"optimizer": "adamw", "average": 0.99, "epochs": 7}
    text = said({"training": training, "model": {"first_filters": 8}})["Training"]
    assert text.startswith("Residual U-Net, first level 8 filters; cross-entropy, optimizer adamw")
    assert "learning rate 0.0001 (constant), batch 32, 7 epochs" in text

    assert "moving average of the weights (0.99" in text


def test_a_training_by_steps_is_told_with_its_validations() -> None:
    text = said({"training": {"steps": 300}})["Training"]
    assert "batch 32, 300 steps, validated every 30, precision" in text
    text = said({"training": {"epochs": 40, "patience": 9}})["Training"]
    assert "at most 40 epochs, less after 9 validations without a better one" in text


@pytest.mark.parametrize(
    ("start", "text"),
    [
        ({"train": "twin", "variant": "long"}, "the same fold's network of twin (long)"),
        ({"weights": "a.safetensors"}, "each starts from the weights of a.safetensors"),
    ],
)
def test_what_a_training_starts_from_is_told(start: dict[str, str], text: str) -> None:
    training = {"start_from": start, "freeze": ["downs", "bottleneck"]}
    told = said({"training": training})["Training"]
    assert text in told
    assert "bottleneck, downs stay as they are at the start" in told
    assert "start" not in said({})["Training"]


@pytest.mark.parametrize(("collection", "twin"), [("twin", True), ("sytwu-2023", False)])
def test_the_twin_is_recognized(collection: str, twin: bool) -> None:
    made = frames(("Au",))
    for row in made.plan.images.values():
        row["collection"] = collection
    assert on_the_twin(made.plan) == twin

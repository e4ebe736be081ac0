from __future__ import annotations

from typing import Any

import pytest

from studyspec.report.methods import methods, on_the_twin, settings_of


def said(spec: dict[str, Any]) -> dict[str, str]:
    return dict(methods(settings_of(spec)))


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


def test_settings_of_a_study_ignore_its_other_tables() -> None:
    spec = {"study": {"name": "a"}, "training": {"epochs": 3}}
    assert settings_of(spec).training.epochs == 3


@pytest.mark.parametrize(("collection", "twin"), [("twin", True), ("sytwu-2023", False)])
def test_the_twin_is_recognized(collection: str, twin: bool) -> None:
    assert on_the_twin({"images": {"a": {"collection": collection}}}) == twin

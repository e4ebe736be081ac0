from __future__ import annotations

from typing import Any

import pytest

from studyspec.report.described import described


def test_settings_of_a_study_ignore_its_other_tables() -> None:
    spec: dict[str, Any] = {"study": {"name": "a"}, "training": {"epochs": 3}}
    assert described(spec).settings.training.epochs == 3


@pytest.mark.parametrize(
    ("spec", "where", "named"),
    [
        ({"preprocess": {"blur": {"sd": 2}}}, "steps", "step 'blur'"),
        ({"augment": {"blur": {"sd": 2}}}, "augmentations", "augmentation 'blur'"),
        ({"evaluation": {"rim": {"px": 2}}}, "metrics", "metric 'rim'"),
    ],
)
def test_what_is_not_installed_is_named_in_its_place(
    spec: dict[str, Any], where: str, named: str
) -> None:
    said = described(spec)
    assert getattr(said, where)[-1] == f"{named}, whose package is not installed here"


def test_a_network_that_is_not_installed_is_not_called_another() -> None:
    spec: dict[str, Any] = {"model": {"name": "big:Net", "depth": 3}}
    assert described(spec).architecture.startswith("architecture 'big:Net', whose package")


def test_a_plug_in_that_nobody_asked_for_is_not_missed() -> None:
    assert described({"preprocess": {"blur": None}}) == described({})


def test_settings_of_another_version_are_named() -> None:
    said = described({"preprocess": {"flat_field": {"degree": 3}}})
    assert "step 'flat_field' with settings that studyspec" in said.steps[-1]
    assert said.steps[1].startswith("divided by a flat field")


def test_a_variant_has_its_own_sentences() -> None:
    plain = described({})
    noisy = described({}, {"augment.noise.rho": 0.5})
    assert set(noisy.sentences) - set(plain.sentences) == {
        "Gaussian noise, rho 0.5 (in validation too)"
    }

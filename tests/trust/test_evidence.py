from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.errors import ScaleUnknown
from studyspec.trust import evidence as evidence_module
from studyspec.trust.conditions import Conditions
from studyspec.trust.evidence import Asked, evidence
from studyspec.trust.predictors import NAMES, values_of
from studyspec.trust.subjects import subjects
from tests.trust.networks import image, network

SCALED = Conditions(pixel_scale_nm=0.04, material="Ag")


def test_a_lone_network_of_others_is_judged_by_its_answer_alone(tmp_path: Path) -> None:
    (found,) = evidence(subjects([network(tmp_path)], None), Asked(image(tmp_path), SCALED))
    values = dict(zip(NAMES, values_of(found.evidence), strict=True))
    assert values["scale"] == 0  # resampled from 0.04 to 0.02 nm
    assert found.prepared.pixel_scale_nm == pytest.approx(0.02)
    assert values["material"] == 0  # silver is not gold
    unknown = {name for name, value in values.items() if np.isnan(value)}
    assert unknown >= {"dose", "folds", "others", "strange_contrast"}
    answers = {"confidence", "entropy", "turned", "shift_mean", "shift_spread", "particle"}
    assert not unknown & answers
    assert found.preview.pixels.shape == found.preview.mask.shape == (96, 96)


def test_networks_are_compared_with_each_other(tmp_path: Path) -> None:
    both = subjects([network(tmp_path), network(tmp_path, 1)], None)
    found = list(evidence(both, Asked(image(tmp_path), SCALED)))
    assert [one.evidence.folds for one in found] == [None, None]
    assert all(one.evidence.others is not None for one in found)
    folds = [replace(one, family="same") for one in both]
    again = list(evidence(folds, Asked(image(tmp_path), SCALED)))
    assert [one.evidence.others for one in again] == [None, None]
    assert again[0].evidence.folds == found[0].evidence.others


def test_a_fold_that_nobody_named_is_heard_but_not_judged(tmp_path: Path) -> None:
    first, second = subjects([network(tmp_path), network(tmp_path, 1)], None)
    folds = [replace(first, family="same"), replace(second, family="same", asked=False)]
    (found,) = evidence(folds, Asked(image(tmp_path), SCALED))
    assert found.subject.name == "net0"
    assert found.evidence.folds is not None


def test_without_a_scale_there_is_one_clear_question(tmp_path: Path) -> None:
    with pytest.raises(ScaleUnknown, match=r"how large is a pixel\?.*--pixel-scale-nm"):
        list(evidence(subjects([network(tmp_path)], None), Asked(image(tmp_path))))


def test_a_network_of_unknown_scale_says_that_nothing_is_resampled(tmp_path: Path) -> None:
    one = network(tmp_path, scale_nm=None)
    (found,) = evidence(subjects([one], None), Asked(image(tmp_path)))
    assert found.notes == ("its training scale is not known: the image is not resampled",)


def test_a_large_image_is_judged_by_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence_module, "WHOLE_PX", 64**2)
    monkeypatch.setattr(evidence_module, "PART_PX", 32)
    one = network(tmp_path, scale_nm=None)
    (found,) = evidence(subjects([one], None), Asked(image(tmp_path)))
    assert found.parts == 16
    assert found.preview.pixels.shape == (32, 32)


def test_noise_is_told_from_what_the_norms_of_a_network_remember(tmp_path: Path) -> None:
    one = network(tmp_path, scale_nm=None)  # remembers mean 0 and variance 1 in every norm
    (found,) = evidence(subjects([one], None), Asked(image(tmp_path)))
    assert found.evidence.shift is not None
    assert found.evidence.shift.spread > 0

from __future__ import annotations

import pytest

from studyspec.catalog.row import ImageRow
from studyspec.learn.conditions import Conditions, released_conditions
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline


@pytest.mark.parametrize(
    ("stem", "words"),
    [
        ("UNet_2p2nmAu330kX423eUTC_fold0_seed962", "Au, 2.2 nm, 0.02 nm/px, 423 e/Å²"),
        ("UNet_5nmCdSe160kX421eUTC_fold0_seed962_model", "CdSe, 5 nm, 0.042 nm/px, 421 e/Å²"),
        ("UNet_5nmAu999kX421e", ""),
        ("mine", ""),
    ],
)
def test_the_name_of_a_released_network_says_its_conditions(stem: str, words: str) -> None:
    assert released_conditions(stem).words == words


def test_conditions_are_those_of_the_images_as_the_network_saw_them() -> None:
    rows = [
        ImageRow("a", "c", "a", material="Au", pixel_scale_nm=0.02, dose_e_per_A2=80.0),
        ImageRow("b", "c", "b", material="Ag", pixel_scale_nm=0.04),
    ]
    plain, resampled = (
        Pipeline.of(PreprocessSettings.model_validate({"resample": {"pixel_scale_nm": scale}}))
        for scale in (None, 0.03)
    )
    found = Conditions.of(rows, plain)
    assert found.words == "Ag+Au, 0.02 to 0.04 nm/px, 80 e/Å²"
    assert (found.scale_near(0.021), found.scale_near(0.09)) == (0.02, 0.04)
    assert Conditions.of(rows, resampled).pixel_scale_nm == (0.03,)


def test_many_values_are_few() -> None:
    rows = [ImageRow(str(i), "c", "a", dose_e_per_A2=1.0 + i) for i in range(1000)]
    doses = Conditions.of(rows, Pipeline.of(PreprocessSettings())).dose_e_per_A2
    assert (len(doses), doses[0], doses[-1]) == (16, 1.0, 1000.0)

"""Keys: a hundred of them, written down; and what may change without changing any.

`python -m tests.plan.test_keys` writes the file anew, after a recipe number was raised.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from studyspec.jobs.folds import Folding
from studyspec.learn.augmentations.noise import NOISE, Noise, NoiseSettings
from studyspec.spec.sections import StageSettings, TrainingNumbers
from studyspec.spec.uses import Learning, Pipeline, Use
from tests.plan.studies import dataset, expansion, variant

GOLDEN = Path(__file__).with_name("golden_keys.json")
PAIRS = (("A", "A"), ("A", "B"))
SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "plain": {},
    "no flat field": {"preprocess": {"flat_field": {"enabled": False}}},
    "flat field of order 6": {"preprocess": {"flat_field": {"order": [6, 6]}}},
    "x-rays of 800": {"preprocess": {"xray": {"threshold": 800.0}}},
    "resampled": {"preprocess": {"resample": {"pixel_scale_nm": 0.033}}},
    "normalized": {"preprocess": {"rescale": {"method": "normalize"}}},
    "small patches": {"preprocess": {"patch": {"size": 128}}},
    "noise": {"augment": {"noise": {"rho": 0.5}}},
    "noise in a range": {"augment": {"noise": {"rho_max": 1.5}}},
    "thinned": {"augment": {"thinning": {"dose_e_per_A2": 80.0}}},
    "no rotation": {"augment": {"rotation": {"probability": 0.0}}},
    "one form": {"augment": {"dihedral": "random"}},
    "eight filters": {"model": {"first_filters": 8}},
    "wide kernels": {"model": {"kernel_sizes": [5] * 10}},
    "few epochs": {"training": {"epochs": 12, "learning_rate": 5e-3}},
    "micro-batches": {"training": {"micro_batch": 8}},
    "averaged": {"training": {"average": 0.99, "optimizer": "adamw"}},
    "by image": {"cross_validation": {"unit": "image"}},
    "three folds": {"cross_validation": {"folds": 3}},
    "plain test": {"evaluation": {"dihedral": False}},
}


def hundred() -> dict[str, str]:
    """Keys of jobs of many kinds, by what they are."""
    found = {}
    data = {"A": dataset("A"), "B": dataset("B")}
    for name, changes in SETTINGS.items():
        settings = StageSettings.model_validate(changes, strict=False)
        jobs = {j.title: j.key for j in expansion(data, variant(PAIRS, settings=settings)).jobs}
        for title in ("prepare A/0", "train A, fold 0", "train A, fold 2", "test A on A, fold 1",
                      "test A on B, fold 0"):  # fmt: skip
            found[f"{name}: {title}"] = jobs[title]
    return found


def test_a_hundred_keys_are_what_they_were() -> None:
    golden = json.loads(GOLDEN.read_text())
    assert len(golden) == 100
    assert hundred() == golden, "keys changed: every result of every user would be done again"


class ColouredSettings(NoiseSettings):
    colour: float = Field(1.0)


class MoreNumbers(TrainingNumbers):
    patience: int = Field(7)


class MoreLearning(Learning):
    training: TrainingNumbers = MoreNumbers()


class MoreFolding(Folding):
    repeats: int = 1


def test_a_new_setting_at_its_default_changes_no_key() -> None:
    plain = Use.of(NOISE, NoiseSettings(rho=0.5))
    assert Use.of(NOISE, ColouredSettings(rho=0.5)) == plain
    assert Use.of(NOISE, ColouredSettings(rho=0.5, colour=2.0)) != plain


def test_new_numbers_of_training_and_folds_change_no_key() -> None:
    learning = Learning.of(StageSettings())
    parts = {name: getattr(learning, name) for name in ("augment", "model", "loss", "schedule")}
    assert MoreLearning(**parts).written() == learning.written()
    assert MoreFolding().written() == Folding().written()


def test_what_does_nothing_is_in_no_key() -> None:
    quiet = StageSettings.model_validate(
        {
            "augment": {"noise": {"rho": 0.0}, "rotation": {"probability": 0.0}},
            "preprocess": {"xray": {"enabled": False, "threshold": 9.0}},
        }
    )
    assert Learning.of(quiet).augment == ()
    assert [use.name for use in Pipeline.of(quiet.preprocess).steps] == ["flat_field", "rescale"]


def test_a_recipe_number_is_in_the_key() -> None:
    class NewNoise(Noise):
        recipe = 2

    settings = NoiseSettings(rho=0.5)
    assert Use.of(NewNoise(), settings).written() != Use.of(NOISE, settings).written()


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(hundred(), indent=1) + "\n")

"""Tables made of plug-ins: keys of a kind, and what is chosen by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.spec.sections import StageSettings
from tests.spec.studies import PLAIN, loaded, problems

BASE = "[model]\nfirst_filters = 8\nkernel_sizes = [5, 5, 5, 5, 5, 5, 5, 5, 5, 5]\n"


def model(folder: Path, text: str) -> dict[str, object]:
    """The model of the last variant of a study."""
    study = loaded(folder, BASE + text)
    return study.variants[-1].settings.model.model_dump(mode="json")


def test_another_architecture_keeps_what_both_have(tmp_path: Path) -> None:
    found = model(tmp_path, '[variants.plain]\nmodel.name = "plain_unet"')
    assert found["name"] == "plain_unet"
    assert found["first_filters"] == 8
    assert "kernel_sizes" not in found


def test_a_sweep_over_names_is_a_variant_each(tmp_path: Path) -> None:
    text = '[variants.all.sweep]\n"model.name" = ["residual_unet", "plain_unet"]'
    variants = loaded(tmp_path, BASE + text).variants
    assert [v.name for v in variants[1:]] == [
        "all[model.name=residual_unet]",
        "all[model.name=plain_unet]",
    ]
    assert variants[1].settings == variants[0].settings


def test_one_of_a_family_has_arguments(tmp_path: Path) -> None:
    text = '[variants.m.model]\nname = "monai:DynUNet"\narguments = { norm_name = "batch" }'
    assert model(tmp_path, text) == {
        "name": "monai:DynUNet",
        "arguments": {"norm_name": "batch"},
    }


def test_loss_and_schedule_are_chosen_by_name(tmp_path: Path) -> None:
    text = '[training.loss]\nname = "focal"\n[training.schedule]\nname = "one_cycle"'
    training = loaded(tmp_path, text).study.training
    assert (training.loss.name, training.schedule.name) == ("focal", "one_cycle")


def test_a_plug_in_that_is_not_named_is_absent() -> None:
    assert StageSettings().evaluation.model_dump()["boundary_dice"] is None


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ('[model]\nname = "plain_unett"', 8, "no architecture 'plain_unett' is installed"),
        ('[model]\nname = "monai"', 8, "'monai' is a family: name one of it, as 'monai:NAME'"),
        ("[model]\nlevels = 3", 8, "unknown key 'levels'"),
        ('[training.loss]\nname = "focall"', 8, "did you mean 'focal'?"),
        ('[training.schedule]\nname = "one_cycle"\nwarm = 1', 9, "did you mean 'warm_up'?"),
        ("[preprocess.medean]\nsize = 3", 7, "or is a package of plug-ins missing?"),
        ("[evaluation.boundary_dise]", 7, "did you mean 'boundary_dice'?"),
    ],
)
def test_a_mistake_in_a_chosen_table_is_pointed_at(
    tmp_path: Path, text: str, line: int, message: str
) -> None:
    (problem,) = problems(tmp_path, PLAIN + text)
    assert problem.line == line
    assert message in f"{problem.what}; {problem.hint}"


@pytest.mark.parametrize(
    ("requirement", "message"),
    [
        ("studyspec-nowhere>=2", "package 'studyspec-nowhere' is not installed"),
        ("studyspec>=900", "the study needs studyspec>=900"),
        ("no package!", "is no package with a version"),
    ],
)
def test_a_package_that_is_missing_is_named(tmp_path: Path, requirement: str, message: str) -> None:
    text = PLAIN.replace("[study]", f'[study]\nplugins = ["studyspec", "{requirement}"]')
    (problem,) = problems(tmp_path, text)
    assert message in problem.what
    assert (problem.line, problem.column) == (2, 25)

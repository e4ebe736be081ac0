from __future__ import annotations

from math import prod
from pathlib import Path
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from studyspec.spec.names import union_members
from studyspec.spec.study import Study
from studyspec.spec.variants import expand
from tests.spec.studies import loaded

SETTINGS = {
    "augment.noise.rho": st.floats(0, 4),
    "training.epochs": st.integers(1, 999),
    "training.precision": st.sampled_from(["auto", "float32", "bfloat16"]),
    "augment.rotation.probability": st.floats(0, 1),
    "evaluation.dihedral": st.booleans(),
    "model.dilations": st.lists(st.integers(1, 3), min_size=5, max_size=5),
}


@st.composite
def sweeps(draw: st.DrawFn) -> dict[str, list[Any]]:
    names = draw(st.lists(st.sampled_from(list(SETTINGS)), unique=True, max_size=3))
    return {
        name: draw(st.lists(SETTINGS[name], min_size=1, max_size=3, unique_by=repr))
        for name in names
    }


def study(**tables: Any) -> Study:
    header = {"study": {"name": "a"}, "datasets": {"Au": {}, "Ag": {}}}
    return Study.model_validate(header | tables)


@given(sweeps(), sweeps())
def test_a_sweep_is_a_product_with_unique_names(
    top: dict[str, list[Any]], inner: dict[str, list[Any]]
) -> None:
    variants = expand(study(sweep=top, variants={"a": {"sweep": inner}}))
    sizes = [prod(len(values) for values in sweep.values()) for sweep in (top, inner)]
    assert len(variants) == sum(sizes)
    assert len({variant.name for variant in variants}) == len(variants)


@given(sweeps())
def test_each_point_has_its_settings(sweep: dict[str, list[Any]]) -> None:
    for variant in expand(study(variants={"a": {"sweep": sweep}}))[1:]:
        table: Any = variant.settings.model_dump(mode="json")
        for setting, values in sweep.items():
            value = table
            for key in setting.split("."):
                value = value[key]
            assert value in values
            assert variant.changes[setting] == value


def test_the_last_swept_setting_runs_fastest() -> None:
    sweep = {"augment.noise.rho": [0.0, 0.5], "evaluation.dihedral": [True, False]}
    assert [variant.name for variant in expand(study(sweep=sweep))] == [
        "base[augment.noise.rho=0.0,evaluation.dihedral=true]",
        "base[augment.noise.rho=0.0,evaluation.dihedral=false]",
        "base[augment.noise.rho=0.5,evaluation.dihedral=true]",
        "base[augment.noise.rho=0.5,evaluation.dihedral=false]",
    ]


def test_base_can_be_dropped() -> None:
    found = expand(
        study(
            study={"name": "a", "base": False},
            variants={"short": {"training": {"epochs": 3}}},
        )
    )
    assert [variant.name for variant in found] == ["short"]


def test_changes_are_what_differs_and_what_is_swept(tmp_path: Path) -> None:
    text = """[variants.a]
training.epochs = 3
training.batch_size = 32
[variants.a.sweep]
"augment.noise.rho" = [0, 1]
"""
    base, first, second = expand(loaded(tmp_path, text).study)
    assert base.changes == {}
    assert first.changes == {"training.epochs": 3, "augment.noise.rho": 0.0}
    assert second.changes == {"training.epochs": 3, "augment.noise.rho": 1.0}
    assert second.name == "a[augment.noise.rho=1]"


def test_a_point_equal_to_base_has_its_settings() -> None:
    base, same = expand(study(variants={"a": {"sweep": {"augment.noise.rho": [0.0]}}}))
    assert base.settings == same.settings


def test_the_matrix_is_every_dataset_against_every_dataset() -> None:
    [base] = expand(study())
    assert base.pairs == (("Au", "Au"), ("Au", "Ag"), ("Ag", "Au"), ("Ag", "Ag"))


def test_pairs_of_a_variant_replace_the_lists_of_the_study() -> None:
    base, one = expand(
        study(
            matrix={"train": ["Au"]},
            variants={"a": {"matrix": {"pairs": [["Ag", "Au"]]}}},
        )
    )
    assert base.pairs == (("Au", "Au"), ("Au", "Ag"))
    assert one.pairs == (("Ag", "Au"),)


def test_a_variant_may_change_one_list_of_the_matrix() -> None:
    _, one = expand(
        study(
            matrix={"train": ["Au"], "test": ["Au"]},
            variants={"a": {"matrix": {"test": ["Ag"]}}},
        )
    )
    assert one.pairs == (("Au", "Ag"),)


def test_lists_of_a_variant_replace_the_pairs_of_the_study() -> None:
    _, one = expand(
        study(
            matrix={"pairs": [["Au", "Au"]]},
            variants={"a": {"matrix": {"train": ["Ag"]}}},
        )
    )
    assert one.pairs == (("Ag", "Au"), ("Ag", "Ag"))


def test_members_of_a_union() -> None:
    assert union_members("Au + 2.2 nm") == ("Au", "2.2 nm")
    assert union_members("Au") == ("Au",)

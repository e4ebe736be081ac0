from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from studyspec.api.workplace import study_files
from studyspec.errors import SpecError, StudySpecError
from studyspec.spec.filters import Near
from studyspec.spec.loading import load
from studyspec.spec.variants import expand
from tests.spec.studies import HEAD, PLAIN, loaded, marked, problems, write

REPOSITORY = Path(__file__).parents[2]
DESIGN = Path(__file__).parent / "material.toml"


def test_the_study_file_of_the_design_loads() -> None:
    found = load(DESIGN)
    assert list(found.study.datasets) == ["Au", "Ag", "CdSe"]
    assert found.study.datasets["Ag"].columns["dose_e_per_A2"] == Near(near=423, within=5)
    assert [v.name for v in expand(found.study)] == [
        "base",
        "no-flat-field",
        "noisy[augment.noise.rho=0.0]",
        "noisy[augment.noise.rho=0.25]",
        "noisy[augment.noise.rho=0.5]",
    ]


def test_the_profile_of_the_design_is_merged() -> None:
    study = load(DESIGN, "paper").study
    assert (study.catalog.collection, study.training.epochs) == ("sytwu-2023", 250)
    assert study.catalog.path == "data_catalog.parquet"


@pytest.mark.parametrize("path", study_files(REPOSITORY / "studies"), ids=str)
def test_shipped_studies_load(path: Path) -> None:
    for profile in (None, *tomllib.loads(path.read_text()).get("profiles", {})):
        assert load(path, profile).root == REPOSITORY


def test_common_gives_way_to_a_dataset_key_by_key(tmp_path: Path) -> None:
    text = "[datasets.common]\ndose = { near = 5, within = 1 }\nkind = 1\n[datasets.Cd]\ndose = 3\n"
    datasets = loaded(tmp_path, text).study.datasets
    assert datasets["Cd"].columns == {"dose": 3, "kind": 1}
    assert datasets["Au"].columns["dose"] == Near(near=5, within=1)
    assert "common" not in datasets


def test_a_profile_replaces_lists_and_merges_tables(tmp_path: Path) -> None:
    text = """[matrix]
train = ["Au", "Ag"]
[cross_validation]
seeds = [1, 2, 3]
folds = 3
[profiles.short]
matrix.train = ["Ag"]
cross_validation.folds = 2
"""
    study = loaded(tmp_path, text, "short").study
    assert study.matrix.train == ("Ag",)
    assert (study.cross_validation.folds, study.cross_validation.seeds) == (2, (1, 2, 3))


def test_pairs_of_a_profile_replace_the_lists_of_the_file(tmp_path: Path) -> None:
    text = '[matrix]\ntrain = ["Au"]\n[profiles.one]\nmatrix.pairs = [["Au", "Ag"]]\n'
    assert loaded(tmp_path, text, "one").study.matrix.cells(()) == (("Au", "Ag"),)


def test_a_union_may_be_written_with_spaces(tmp_path: Path) -> None:
    study = loaded(tmp_path, '[matrix]\ntrain = ["Au + Ag"]\n').study
    assert study.matrix.train == ("Au+Ag",)


def test_an_unknown_profile_names_the_profiles(tmp_path: Path) -> None:
    text = PLAIN + "[»profiles.paper]\ntraining.epochs = 3\n[profiles.quick]\n"
    text, line, column = marked(text)
    [problem] = problems(tmp_path, text, "papr")
    assert (problem.line, problem.column) == (line, column)
    assert problem.what == "unknown profile 'papr'"
    assert problem.hint == "did you mean 'paper'? the file has paper, quick"


def test_a_profile_of_a_file_without_profiles(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, PLAIN, "paper")
    assert (problem.line, problem.hint) == (1, "the file has no profiles")


def test_all_problems_come_at_once_in_file_order(tmp_path: Path) -> None:
    text = (
        HEAD
        + """quesion = ""
[datasets.Au]
dose = { near = 1 }
[matrix]
train = ["Ax"]
[training]
epochs = "ten"
[variants.a]
training.epoch = 3
matrix.test = ["Ay"]
[variants.b.sweep]
"augment.noise.roh" = [1]
[[claims]]
left = { train = "Az", test = "Au", variant = "c" }
[profiles.paper]
training.batch_size = 0
"""
    )
    found = problems(tmp_path, text, "nosuch")
    assert [p.line for p in found] == [3, 5, 7, 9, 11, 12, 14, 15, 16, 16, 17, 18]
    assert len(set(found)) == len(found)


def test_one_mistake_in_common_is_told_once(tmp_path: Path) -> None:
    text = PLAIN + "[datasets.common]\nlabel = 3\n"
    assert len(problems(tmp_path, text)) == 1


def test_a_mistake_in_the_file_is_not_told_again_for_each_profile(tmp_path: Path) -> None:
    text = PLAIN + "[training]\nepochs = 0\n[profiles.a]\nmodel.first_filters = 8\n[profiles.b]\n"
    assert [p.line for p in problems(tmp_path, text)] == [8]


def test_a_profile_is_merged_only_if_asked_for(tmp_path: Path) -> None:
    text = '[profiles.""]\ntraining.epochs = 3\n'
    assert loaded(tmp_path, text).study.training.epochs == 250
    assert loaded(tmp_path, text, "").study.training.epochs == 3


def test_a_profile_may_mend_the_file(tmp_path: Path) -> None:
    text = "[training]\nepochs = 0\n[profiles.a]\ntraining.epochs = 1\n[profiles.b]\n"
    assert loaded(tmp_path, text, "a").study.training.epochs == 1


def test_the_message_shows_the_line_and_a_caret(tmp_path: Path) -> None:
    path = write(tmp_path, PLAIN + '[training]\n\tepochs = "ten"  # ü\n')
    with pytest.raises(SpecError) as caught:
        load(path)
    assert str(caught.value).split("\n") == [
        f"{path}:8:11: expected a whole number, got 'ten'",
        '    \tepochs = "ten"  # ü',
        "    \t         ^^^^^",
    ]


def test_later_problems_point_into_the_file(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[profiles.p]\ndatasets.Ag.material = 'Ax'\n", "p")
    assert found.problem(("datasets", "Au", "material"), "no").column == 12
    assert found.problem(("datasets", "Au", "material"), "no", at_key=True).column == 1
    assert found.problem(("datasets", "Ag", "material"), "no").line == 8
    assert found.problem(("training", "epochs"), "no").line == 1


def test_a_key_of_common_is_found_there(tmp_path: Path) -> None:
    found = loaded(tmp_path, "[datasets.common]\nkind = 1\n")
    assert found.problem(("datasets", "Ag", "kind"), "no").line == 8


def test_the_root_is_the_nearest_folder_with_the_catalog(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "data_catalog.parquet").touch()
    assert loaded(inner).root == tmp_path
    (inner / "data_catalog.parquet").touch()
    assert loaded(inner).root == inner


def test_without_a_catalog_the_root_is_the_folder_of_the_file(tmp_path: Path) -> None:
    assert loaded(tmp_path, '[catalog]\npath = "none.parquet"\n').root == tmp_path


def test_a_missing_file_proposes_a_near_name(tmp_path: Path) -> None:
    write(tmp_path, PLAIN)
    with pytest.raises(StudySpecError, match=r"no such study file; did you mean 'study\.toml'"):
        load(tmp_path / "studi.toml")


def test_a_file_in_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes("[study]\nname = 'ü'".encode("latin-1"))
    with pytest.raises(StudySpecError, match="not UTF-8 text, from byte 16 on; save it as UTF-8"):
        load(path)


def test_a_folder_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(StudySpecError, match="cannot be read: Is a directory"):
        load(tmp_path)


def test_windows_line_ends_and_byte_order_mark(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    path.write_bytes(
        b"\xef\xbb\xbf" + (PLAIN + "[training]\nepochs = 0\n").replace("\n", "\r\n").encode()
    )
    with pytest.raises(SpecError, match=r":8:10: expected at least 1, got 0"):
        load(path)

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.api.workplace import study_files
from studyspec.errors import Problem, SpecError
from studyspec.spec.loading import LoadedStudy, load
from tests.spec.studies import FILE, HEAD, PLAIN, marked

BASE = "common.toml"
TOP = f'extends = "{BASE}"\n{HEAD}'
DATASETS = PLAIN.removeprefix(HEAD)


def extending(
    folder: Path, common: str, study: str = "", profile: str | None = None
) -> LoadedStudy:
    """A study over a file, both of these texts."""
    (folder / BASE).write_text(common, encoding="utf-8")
    (folder / FILE).write_text(TOP + study, encoding="utf-8")
    return load(folder / FILE, profile)


def problems(folder: Path, common: str, study: str = "") -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        extending(folder, common, study)
    return caught.value.problems


def place(problem: Problem) -> tuple[str, int, int]:
    return Path(problem.file).name, problem.line, problem.column


def test_its_tables_lie_under_those_of_the_study(tmp_path: Path) -> None:
    common = "[training]\nepochs = 3\nbatch_size = 4\n[matrix]\ntrain = ['Au', 'Ag']\n"
    own = "[training]\nepochs = 5\n[matrix]\ntrain = ['Ag']\n"
    study = extending(tmp_path, DATASETS + common, own).study
    assert (study.training.epochs, study.training.batch_size) == (5, 4)
    assert study.matrix.train == ("Ag",)
    assert list(study.datasets) == ["Au", "Ag"]


def test_it_lends_neither_claims_nor_what_is_asked(tmp_path: Path) -> None:
    claim = "[[claims]]\nsays = 'x'\nleft = 3\n"
    common = f"[study]\nname = 'b'\nquestion = 'b?'\n{DATASETS}{claim}"
    study = extending(tmp_path, common).study
    assert (study.study.name, study.study.question, study.claims) == ("plain", "", ())


def test_its_profiles_are_merged(tmp_path: Path) -> None:
    common = "[profiles.paper.training]\nepochs = 250\nbatch_size = 8\n"
    own = "[training]\nepochs = 1\n[profiles.paper]\ntraining.batch_size = 16\n"
    study = extending(tmp_path, DATASETS + common, own, "paper").study
    assert (study.training.epochs, study.training.batch_size) == (250, 16)


def test_common_of_the_study_goes_over_that_of_the_file(tmp_path: Path) -> None:
    common = "[datasets.common]\nkind = 1\ndose = 2\n"
    study = extending(tmp_path, DATASETS + common, "[datasets.common]\ndose = 3\n").study
    assert study.datasets["Au"].columns == {"material": "Au", "kind": 1, "dose": 3}


def test_files_may_extend_each_other_in_a_chain(tmp_path: Path) -> None:
    (tmp_path / "below").mkdir()
    (tmp_path / "below" / "root.toml").write_text(DATASETS + "[training]\nepochs = 3\n")
    (tmp_path / "below" / "middle.toml").write_text('extends = "root.toml"\n')
    found = extending(tmp_path, 'extends = "below/middle.toml"\n[training]\nbatch_size = 2\n')
    assert (found.study.training.epochs, found.study.training.batch_size) == (3, 2)


def test_settings_are_the_same_wherever_they_stand(tmp_path: Path) -> None:
    numbers = "[training]\nepochs = 3\n[variants.v.sweep]\n'augment.noise.rho' = [1.0]\n"
    (tmp_path / FILE).write_text(PLAIN + numbers)
    one = load(tmp_path / FILE)
    two = extending(tmp_path, DATASETS + numbers)
    assert (one.study, one.variants) == (two.study, two.variants)


def test_the_source_keeps_the_text_of_both(tmp_path: Path) -> None:
    source = extending(tmp_path, DATASETS + "# why\n").source
    assert source.startswith(TOP)
    assert source.endswith("# why\n")
    assert f"- {BASE}\n" in source


@pytest.mark.parametrize(
    "wrong",
    [
        "[training]\n»epoch = 3\n",
        "[training]\nepochs = »'many'\n",
        "[variants.v]\ntraining.epochs = »0\n",
        "[sweep]\n»'augment.noise.roh' = [1.0]\n",
        "[sweep]\n'training.epochs' = [1, »0]\n",
        "[profiles.p]\ntraining.epochs = »0\n",
        "[matrix]\ntrain = ['Au', »'Cu']\n",
    ],
)
def test_a_mistake_is_told_where_it_stands(tmp_path: Path, wrong: str) -> None:
    below, line, column = marked(DATASETS + wrong)
    [problem] = problems(tmp_path, below)
    assert place(problem) == (BASE, line, column)
    above, line, column = marked(TOP + wrong)
    [problem] = problems(tmp_path, DATASETS, above.removeprefix(TOP))
    assert place(problem) == (FILE, line, column)
    assert problem.source == above.split("\n")[line - 1]
    assert "^" in problem.text


def test_mistakes_at_one_place_of_two_files_are_two(tmp_path: Path) -> None:
    wrong = "[variants.{}]\ntraining.epochs = 0\n"
    lines = "\n" * (len(TOP.split("\n")) - 1)
    found = problems(tmp_path, lines + wrong.format("a") + DATASETS, wrong.format("b"))
    assert [place(problem)[0] for problem in found] == [BASE, FILE]
    assert found[0].line == found[1].line


def test_a_value_that_two_files_make_wrong_is_told_in_the_upper_one(tmp_path: Path) -> None:
    [problem] = problems(
        tmp_path,
        DATASETS + "[cross_validation]\nseeds = [1, 2]\nfolds = 2\n",
        "[cross_validation]\nfolds = 3\n",
    )
    assert place(problem) == (FILE, len(TOP.split("\n")) + 1, 9)


def test_what_is_missing_is_told_in_the_study(tmp_path: Path) -> None:
    (tmp_path / BASE).write_text(PLAIN)
    (tmp_path / FILE).write_text(f'extends = "{BASE}"\n')
    with pytest.raises(SpecError, match=r"study.toml:1:1: 'study' is missing"):
        load(tmp_path / FILE)


def test_no_toml_is_told_with_its_file(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "[training\n")
    assert place(problem)[:2] == (BASE, 1)


@pytest.mark.parametrize(
    ("value", "match"),
    [
        ('"comon.toml"', r"study.toml:1:11: no such file '.*comon.toml'; did you mean 'common"),
        ("3", r"study.toml:1:11: expected the name of a file, got 3"),
        ('""', r"study.toml:1:11: expected the name of a file"),
        ('"study.toml"', r"study.toml:1:11: files extend each other in a circle"),
    ],
)
def test_what_cannot_be_extended_is_refused(tmp_path: Path, value: str, match: str) -> None:
    (tmp_path / BASE).write_text("")
    (tmp_path / FILE).write_text(f"extends = {value}\n{PLAIN}")
    with pytest.raises(SpecError, match=match):
        load(tmp_path / FILE)


def test_a_circle_is_told_where_it_closes(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, f'extends = "{FILE}"\n')
    assert place(problem) == (BASE, 1, 11)


def test_extends_below_a_table_is_told(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text(f'{HEAD}extends = "{BASE}"\n{DATASETS}')
    with pytest.raises(SpecError, match="top of the file, above every table"):
        load(tmp_path / FILE)


def test_a_file_that_is_only_extended_is_no_study_of_its_folder(tmp_path: Path) -> None:
    extending(tmp_path, DATASETS)
    (tmp_path / "broken.toml").write_text("[")
    (tmp_path / "more.toml").write_text(f'extends = "{FILE}"\n[study]\nname = "more"\n')
    found = [path.name for path in study_files(tmp_path)]
    assert found == ["broken.toml", "more.toml", FILE]

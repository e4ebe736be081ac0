"""Training by steps in place of epochs: one of the two, layer over layer."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.spec.uses import Learning
from tests.spec.studies import HEAD, PLAIN, loaded, marked, problems
from tests.spec.test_extends import BASE, DATASETS, extending

STEPS = "[training]\nsteps = 300\nvalidate_every = 60\n"
BOTH = "give training.epochs or training.steps, not both"


def test_steps_take_the_place_of_epochs(tmp_path: Path) -> None:
    training = loaded(tmp_path, STEPS).study.training
    assert (training.steps, training.every, training.validations) == (300, 60, 5)
    assert training.model_dump(include={"epochs", "steps"}) == {"steps": 300}


def test_a_variant_of_epochs_drops_the_steps_below(tmp_path: Path) -> None:
    base, short = loaded(tmp_path, f"{STEPS}[variants.a]\ntraining.epochs = 3\n").variants
    assert (base.settings.training.steps, base.changes) == (300, {})
    assert (short.settings.training.steps, short.settings.training.epochs) == (None, 3)
    assert short.changes == {"training.epochs": 3}


def test_a_variant_of_steps_drops_the_epochs_below(tmp_path: Path) -> None:
    text = "[training]\nepochs = 7\nbatch_size = 4\n[variants.a]\ntraining.steps = 30\n"
    _, short = loaded(tmp_path, text).variants
    assert short.changes == {"training.steps": 30}
    assert short.settings.training.batch_size == 4
    assert Learning.of(short.settings).written()["training"] == {"batch_size": 4, "steps": 30}


def test_other_settings_leave_both_as_they_are(tmp_path: Path) -> None:
    _, wide = loaded(tmp_path, f"{STEPS}[variants.a]\ntraining.batch_size = 4\n").variants
    assert (wide.settings.training.steps, wide.settings.training.validate_every) == (300, 60)


def test_a_profile_and_a_sweep_take_the_place_too(tmp_path: Path) -> None:
    text = f"{STEPS}[profiles.p]\ntraining.epochs = 9\n[sweep]\n'training.epochs' = [1, 2]\n"
    found = loaded(tmp_path, text)
    assert [v.settings.training.steps for v in found.variants] == [None, None]
    assert loaded(tmp_path, text, "p").study.training.epochs == 9


def test_a_file_lends_steps_to_a_study_without_epochs(tmp_path: Path) -> None:
    study = extending(tmp_path, DATASETS + STEPS, "[training]\nepochs = 3\n").study
    assert (study.training.epochs, study.training.steps) == (3, None)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("[training]\nepochs = »3\nsteps = 4\n", "[training]\nepochs = 3\nsteps = »4\n"),
        (
            "[variants.a]\ntraining = { epochs = »3, steps = 4 }\n",
            "[variants.a]\ntraining = { epochs = 3, steps = »4 }\n",
        ),
        (
            "[sweep]\n'training.epochs' = »[3]\n'training.steps' = [4]\n",
            "[sweep]\n'training.epochs' = [3]\n'training.steps' = »[4]\n",
        ),
        (
            "[profiles.p.training]\nepochs = »3\nsteps = 4\n",
            "[profiles.p.training]\nepochs = 3\nsteps = »4\n",
        ),
    ],
)
def test_both_in_one_table_are_told_at_both_places(tmp_path: Path, first: str, second: str) -> None:
    found = problems(tmp_path, marked(PLAIN + first)[0])
    assert [problem.what for problem in found] == [BOTH, BOTH]
    expected = [marked(PLAIN + text)[1:] for text in (first, second)]
    assert [(problem.line, problem.column) for problem in found] == expected


def test_both_in_an_extended_file_are_told_there(tmp_path: Path) -> None:
    (tmp_path / BASE).write_text(DATASETS + "[training]\nepochs = 3\nsteps = 4\n")
    text = f'extends = "{BASE}"\n{HEAD}[training]\nepochs = 9\n'
    assert [Path(p.file).name for p in problems(tmp_path, text)] == [BASE, BASE]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[training]\nvalidate_every = »3\n", "validate_every needs training.steps"),
        ("[training]\nsteps = 2\nvalidate_every = »3\n", "expected at most training.steps, 2"),
        (
            "[training]\nsteps = »2\nschedule.name = 'one_cycle'\n",
            "schedule 'one_cycle' needs at least 3 steps, got 2",
        ),
        (
            "[variants.a]\ntraining.schedule.name = 'cosine'\ntraining.steps = »1\n",
            "schedule 'cosine' needs at least 2 steps, got 1",
        ),
        ("[training]\nsteps = »0\n", "expected at least 1, got 0"),
    ],
)
def test_what_counts_no_steps_is_refused(tmp_path: Path, text: str, what: str) -> None:
    text, line, column = marked(PLAIN + text)
    [problem] = problems(tmp_path, text)
    assert (problem.line, problem.column) == (line, column)
    assert what in problem.what

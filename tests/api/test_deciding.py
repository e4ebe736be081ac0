"""Studies that are run until their claims are decided."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studyspec import api
from studyspec.api.running import finish
from studyspec.errors import BudgetOver, RunError
from studyspec.plan.record import PlannedLooks, PlanRecord
from studyspec.store.folder import Results
from studyspec.store.planned import previous_plan
from tests.cli.projects import make_project

CLAIM = """
[[claims]]
says = "networks of A find B within {within}"
left = {{ train = "A", test = "B" }}
right = {{ train = "B", test = "B" }}
within = {within}
"""
TWO = api.Options(workers=2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose study has no claims."""
    folder = tmp_path_factory.mktemp("deciding")
    make_project(folder, "AB", images=7)
    return folder


def claiming(folder: Path, name: str, *claims: str) -> Path:
    """A study of the project with claims, under its own name."""
    plain = (folder / "study.toml").read_text().replace('"discs"', f'"{name}"')
    path = folder / f"{name}.toml"
    path.write_text("".join([plain, *claims]))
    return path


def newest(folder: Path, name: str) -> PlanRecord:
    found = previous_plan(Results(folder / "results"), name, None)
    assert found is not None
    return PlanRecord.model_validate(found.plan)


@pytest.mark.parametrize(
    ("budget", "seconds"), [("1h", 3600), ("90min", 5400), ("1h30min", 5400), ("0.5 h", 1800)]
)
def test_a_budget_is_a_time(budget: str, seconds: float) -> None:
    assert api.seconds_of(budget) == seconds


@pytest.mark.parametrize("budget", ["", "1", "-1h", "1d", "min", "h1"])
def test_what_is_no_time_is_no_budget(budget: str) -> None:
    with pytest.raises(RunError, match="is no time; give it as 1h, 90min or 1h30min"):
        api.seconds_of(budget)


def test_a_budget_of_nothing_is_over_before_it_begins(folder: Path) -> None:
    with pytest.raises(RunError, match="'0h' is over before it begins"):
        api.seconds_of("0h")
    with pytest.raises(RunError, match="over before it begins"):
        api.run_until_decided(folder / "study.toml", until=api.Until(-1.0))


@pytest.mark.slow
def test_a_study_without_claims_has_nothing_to_decide(folder: Path) -> None:
    with pytest.raises(RunError, match="no claims to decide; state"):
        api.run_until_decided(folder / "study.toml")


@pytest.mark.slow
def test_a_budget_that_is_over_before_the_first_look_keeps_what_is_done(folder: Path) -> None:
    study = claiming(folder, "short", CLAIM.format(within=0.9))
    with pytest.raises(BudgetOver, match="before the first look ended; what is done is kept"):
        api.run_until_decided(study, options=TWO, until=api.Until(0.5))
    assert api.plan(study).to_do


@pytest.mark.slow
def test_after_the_budget_the_plan_is_that_of_the_last_whole_look(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = claiming(folder, "late", CLAIM.format(within=0.002))
    runs = 0

    def late(*told: Any, **more: Any) -> Any:
        nonlocal runs
        runs += 1
        finished = finish(*told, **more)
        if runs > 1:
            assert newest(folder, "late").looks == PlannedLooks(
                planned=5, taken=2, repeats={"base": 1}, folds={"base": 2}
            )
            raise BudgetOver("the budget is over")
        return finished

    monkeypatch.setattr("studyspec.api.deciding.finish", late)
    ended = api.run_until_decided(study, options=TWO)
    assert ended.reasons == {"late": "the budget is over"}
    looks = newest(folder, "late").looks
    assert looks is not None
    assert (runs, looks.taken, looks.planned) == (2, 1, 5)


@pytest.mark.slow
def test_looks_are_taken_until_none_is_left(folder: Path) -> None:
    wide, narrow = CLAIM.format(within=0.9), CLAIM.format(within=0.002)
    study = claiming(folder, "looked", wide, narrow)
    told: list[api.StudyLook] = []
    ended = api.run_until_decided(study, options=TWO, until=api.Until(looks=3), on_look=told.append)
    assert [look.number for look in told] == [1, 2, 3]
    assert ended.looks == (told[-1],)
    assert ended.reasons == {"looked": "all 3 planned looks were taken"}
    assert (ended.summary.failed, ended.summary.blocked) == (0, 0)
    record = newest(folder, "looked")
    assert record.looks is not None
    assert (record.looks.taken, record.looks.networks(3)) == (3, {"base": 6})
    assert {cell.fold for cell in record.cells} == set(range(6))
    page = api.report(study).read_text()
    assert "<summary>3 looks</summary>" in page
    assert "Judged at 3 of 3 planned looks" in page
    assert "3 times in another order" in page
    again = api.run_until_decided(study, options=TWO)
    assert (again.summary.done, again.looks) == (0, ended.looks)
    with pytest.raises(RunError, match="3 looks were planned when the study was begun, not 4"):
        api.run_until_decided(study, until=api.Until(looks=4))


@pytest.mark.slow
def test_what_networks_cannot_decide_is_given_up(folder: Path) -> None:
    study = claiming(folder, "few", CLAIM.format(within=0.002))
    study.write_text(study.read_text().replace('kind = "B"', 'kind = "B"\ntake = 5'))
    ended = api.run_until_decided(study, options=TWO)
    assert [look.number for look in ended.looks] == [1]
    assert ended.reasons["few"].startswith("more networks would not narrow what is undecided")


@pytest.mark.slow
def test_variants_that_no_undecided_claim_needs_get_no_more_networks(folder: Path) -> None:
    other = "[variants.slow.training]\nlearning_rate = 1e-3\n"
    study = claiming(folder, "spared", CLAIM.format(within=0.002), other)
    api.run_until_decided(study, options=TWO, until=api.Until(looks=2))
    folds = {name: set[int | None]() for name in ("base", "slow")}
    for cell in newest(folder, "spared").cells:
        folds[cell.variant].add(cell.fold)
    assert folds == {"base": {0, 1, 2, 3}, "slow": {0, 1}}


@pytest.mark.slow
@pytest.mark.parametrize("looks", [0, 1, 11])
def test_too_few_and_too_many_looks_are_refused(folder: Path, looks: int) -> None:
    study = claiming(folder, "many", CLAIM.format(within=0.9))
    with pytest.raises(RunError, match="expected 2 to 10 looks"):
        api.run_until_decided(study, until=api.Until(looks=looks))

"""`studyspec run --until-decided`: what is printed, and how it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.projects import make_project, studyspec

CLAIM = """
[[claims]]
says = "networks of A find B as those of B do"
left = { train = "A", test = "B" }
right = { train = "B", test = "B" }
within = 0.002
"""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("until")
    study = make_project(folder, "AB", images=7)
    (folder / "claims.toml").write_text(study.read_text().replace("discs", "claims") + CLAIM)
    return folder


@pytest.mark.parametrize(
    ("words", "status", "message"),
    [
        (["study.toml", "--until-decided"], 2, "study.toml: the study has no claims to decide"),
        (["claims.toml", "--budget", "1h"], 2, "--budget and --looks need --until-decided"),
        (["claims.toml", "--until-decided", "--budget", "0h"], 2, "is over before it begins"),
        (["claims.toml", "--until-decided", "--budget=-1h"], 2, "the budget '-1h' is no time"),
        (["claims.toml", "--until-decided", "--looks", "1"], 2, "expected 2 to 10 looks, got 1"),
        (
            ["claims.toml", "--until-decided", "--looks", "2", "--budget", "0.2s"],
            4,
            "claims.toml: the budget is over before the first look ended; what is done is kept",
        ),
    ],
)
def test_what_cannot_be_decided_is_one_message(
    project: Path, words: list[str], status: int, message: str
) -> None:
    done = studyspec(project, "run", *words, expect=status)
    assert message in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_each_look_is_told_and_why_none_comes_after(project: Path) -> None:
    words = ["run", "claims.toml", "--until-decided", "--looks", "2", "--workers", "2"]
    done = studyspec(project, *words)
    assert "claims: look 1 of 2: 0 of 1 claims held, 1 undecided." in done.stderr
    last = done.stdout.splitlines()[-1]
    assert last.endswith("After look 2 of 2: all 2 planned looks were taken.")
    studyspec(project, "report", "claims.toml", "--markdown", "found.md")
    assert "(look 2 of 2)" in (project / "found.md").read_text()

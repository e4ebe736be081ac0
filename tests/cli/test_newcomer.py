"""What a newcomer meets: names, files as people have them, and what is said once."""

from __future__ import annotations

import csv
import fcntl
import gzip
import io
import json
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests.cli.projects import make_project, studyspec

pytestmark = pytest.mark.slow
SCRIPT = Path(sys.executable).with_name("studyspec")
SILENCE_S = 2.0
PATIENCE_S = 240.0


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of one dataset, run once, by steps."""
    folder = tmp_path_factory.mktemp("newcomer")
    study = make_project(folder, "A")
    text = study.read_text().replace('[datasets.B]\nkind = "B"\n', "")
    text = text.replace('["A", "B"]', '["A"]').replace("epochs = 2", "steps = 4")
    study.write_text(text)
    done = studyspec(folder, "run", "study.toml", "--workers", "1")
    assert re.search(r"train A, fold 0: validation loss [0-9.]+ at step [1-4]", done.stderr)
    return folder


def test_an_edited_file_is_told_with_what_was_edited(project: Path) -> None:
    text = (project / "study.toml").read_text()
    try:
        (project / "study.toml").write_text(text + "# a remark\n")
        assert studyspec(project, "report", "study.toml").stderr == ""
        (project / "study.toml").write_text(text.replace("steps = 4", "steps = 5"))
        done = studyspec(project, "report", "study.toml", "-o", "edited.html")
    finally:
        (project / "study.toml").write_text(text)
    assert "was edited since it ran (training.steps)" in done.stderr
    assert "was edited since it ran (training.steps)" in (project / "edited.html").read_text()


@pytest.mark.parametrize("command", ["report", "run"])
def test_another_file_of_the_same_name_is_refused(project: Path, command: str) -> None:
    other = project / "other.toml"
    other.write_text((project / "study.toml").read_text().replace("steps = 4", "steps = 3"))
    done = studyspec(project, command, "other.toml", expect=2)
    assert "the results of study 'discs' are those of study.toml" in done.stderr
    both = studyspec(project, command, "study.toml", "other.toml", expect=2)
    assert "the study is named 'discs', as that of study.toml is" in both.stderr
    other.unlink()


def test_the_page_of_a_training_by_steps_has_no_epochs(project: Path) -> None:
    studyspec(project, "report", "study.toml", "-o", "steps.html", "--export", "steps")
    page = (project / "steps.html").read_text()
    article = page[page.index("<article") : page.index("</article>")]
    words = re.sub(r"<pre>.*?</pre>", "", article, flags=re.DOTALL)  # the store counts validations
    assert "epoch" not in words
    assert "studyspec run study.toml" in article
    text = (project / "steps" / "curves.csv").read_text()
    rows = list(csv.DictReader(text.splitlines()))
    assert {row["unit"] for row in rows} == {"step"}
    assert rows[-1]["at"] == "4"
    assert ">step<" in (project / "steps" / "curves-base.svg").read_text()


def test_a_document_says_what_it_is(project: Path) -> None:
    studyspec(project, "report", "study.toml", "--markdown", "found.md")
    text = (project / "found.md").read_text()
    assert text.startswith("# Study discs\n")
    assert "--markdown found.md" in text
    assert "images of mine" in text
    assert "Sytwu" not in text


@pytest.mark.parametrize("words", [("--csv", "-"), ("--csv",)])
def test_csv_goes_to_standard_output(project: Path, words: tuple[str, ...]) -> None:
    done = studyspec(project, "sql", "select train, test from matrix", *words)
    assert list(csv.reader(io.StringIO(done.stdout))) == [["train", "test"], ["A", "A"]]
    assert not (project / "-").exists()
    turned = studyspec(project, "sql", *words, "@studies")
    assert turned.stdout.startswith("study,")
    assert json.loads(studyspec(project, "sql", "select 1 as a", "--json").stdout) == [{"a": 1}]


def test_the_worst_have_a_study(project: Path) -> None:
    assert studyspec(project, "sql", "@worst").stdout.split()[0] == "study"


def test_help_and_exit_work_in_the_prompt(project: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "studyspec", "sql"],
        cwd=project,
        input="help\n@\nexit\nselect 77\n",
        capture_output=True,
        text=True,
        check=True,
    )
    assert "describe matrix;" in done.stdout
    assert "@worst" in done.stdout
    assert "77" not in done.stdout
    assert done.stderr == ""


def test_check_takes_folders(project: Path) -> None:
    (project / "studies").mkdir()
    for name in ("one", "two"):
        text = (project / "study.toml").read_text().replace('"discs"', f'"{name}"')
        (project / "studies" / f"{name}.toml").write_text(text)
    lines = studyspec(project, "check", "studies").stdout.splitlines()
    assert lines[0] == "studies/one.toml: one"
    assert "studies/two.toml: two" in lines
    assert len(json.loads(studyspec(project, "check", "studies", "--json").stdout)) == 2
    shutil.rmtree(project / "studies")


def test_status_of_all_tells_titles(project: Path) -> None:
    lease = project / "results" / "run" / "leases"
    keys = studyspec(project, "sql", "select network from networks", "--csv").stdout.split()[1:]
    lease.mkdir(parents=True, exist_ok=True)
    (lease / keys[0]).touch()
    text = studyspec(project, "status").stdout
    (lease / keys[0]).unlink()
    assert "running: discs: train A, fold " in text
    assert keys[0][:12] not in text


def completed(words: str, place: int, folder: Path) -> list[str]:
    """What bash would be told."""
    told = {"_STUDYSPEC_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(place)}
    done = subprocess.run(
        [SCRIPT], cwd=folder, env={**os.environ, **told}, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_names_of_queries_and_profiles_are_completed(project: Path) -> None:
    assert completed("studyspec sql @wo", 2, project) == ["@worst"]
    assert completed("studyspec sql @ wo", 3, project) == ["@worst"]  # as bash cuts words
    text = (project / "study.toml").read_text()
    (project / "more.toml").write_text(f"{text}\n[profiles.paper]\ntraining.batch_size = 9\n")
    assert completed("studyspec run more.toml --profile ", 4, project) == ["paper"]
    (project / "more.toml").unlink()


def test_a_mistake_in_what_datasets_share_is_told_once(project: Path) -> None:
    text = (project / "study.toml").read_text()
    text = text.replace("[datasets.A]", '[datasets.common]\nmateral = "Au"\n\n[datasets.A]')
    text = text.replace("[matrix]", '[datasets.B]\nkind = "A"\n\n[matrix]')
    (project / "twice.toml").write_text(text)
    assert studyspec(project, "check", "twice.toml", expect=2).stderr.count("materal'") == 1


def test_a_lost_catalog_comes_back_only_by_what_can_restore_it(project: Path) -> None:
    text = (project / "study.toml").read_text().replace("catalog.parquet", "lost.parquet")
    (project / "lost.toml").write_text(text)
    said = studyspec(project, "check", "lost.toml", expect=2).stderr
    assert "studyspec catalog add FOLDER --metadata CSV --collection mine" in said
    assert "catalog build" not in said
    (project / "lost.toml").write_text(text.replace('collection = "mine"', 'collection = "twin"'))
    assert "catalog build" in studyspec(project, "check", "lost.toml", expect=2).stderr


def test_spreadsheets_of_other_countries_and_packed_images_are_read(tmp_path: Path) -> None:
    make_project(tmp_path, "A", images=2)
    data = tmp_path / "data"
    with gzip.open(data / "A1.npy.gz", "wb") as file:
        file.write((data / "A1.npy").read_bytes())
    lines = ["image;label;operator;dose_e_per_A2", "A0.npy;A0_label.png;Zoë;80,5", ""]
    lines.insert(2, "A1.npy.gz;A1_label.png;Ada;423")
    (data / "other.csv").write_bytes("\r\n".join(lines).encode("latin-1"))
    studyspec(
        tmp_path, "catalog", "add", "data", "--metadata", "data/other.csv",
        "--collection", "theirs", "--catalog", "theirs.parquet",
    )  # fmt: skip
    ls = studyspec(tmp_path, "catalog", "ls", "--catalog", "theirs.parquet").stdout
    assert "80.5" in ls
    text = (tmp_path / "study.toml").read_text().replace('kind = "A"', 'operator = "Zoë"')
    text = text.replace('kind = "B"', 'operator = "Ada"').replace('"mine"', '"theirs"')
    text = text.replace("catalog.parquet", "theirs.parquet")
    (tmp_path / "theirs.toml").write_text(text)
    assert studyspec(tmp_path, "check", "theirs.toml").stdout.splitlines()[2].split()[1] == "1"


def test_a_terminal_of_80_columns_sees_a_bar_and_no_silence(project: Path) -> None:
    text = (project / "study.toml").read_text().replace('"discs"', '"again"')
    (project / "again.toml").write_text(text.replace("steps = 4", "steps = 6"))
    terminal, inside = pty.openpty()
    fcntl.ioctl(inside, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES")}
    process = subprocess.Popen(
        [sys.executable, "-m", "studyspec", "run", "again.toml", "--workers", "1"],
        cwd=project,
        env={**environment, "TERM": "xterm"},
        stdout=subprocess.DEVNULL,
        stderr=inside,
    )
    os.close(inside)
    shown, silences, last = b"", [], time.monotonic()
    end = last + PATIENCE_S
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.2)[0]:
            try:
                shown += os.read(terminal, 1 << 16)
            except OSError:  # the other end is closed
                break
            silences.append(time.monotonic() - last)
            last = time.monotonic()
        elif process.poll() is not None:
            break
    assert process.wait(PATIENCE_S) == 0
    os.close(terminal)
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown.decode()).replace("\r", "\n")
    lines = [line for line in plain.split("\n") if line.strip()]
    assert max(map(len, lines)) < 80
    bars = [line for line in lines if "%" in line]
    assert any("left" in line for line in bars)
    assert len(bars) > 8
    # of a machine that others keep busy a single silence says nothing
    assert sorted(silences)[int(0.95 * len(silences))] < SILENCE_S

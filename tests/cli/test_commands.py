"""One project, taken through every command as a user would."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import duckdb
import numpy as np
import pytest

from tests.camera_files import write_dm
from tests.cli.projects import disc_image, make_project, studyspec

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has been run once."""
    folder = tmp_path_factory.mktemp("project")
    make_project(folder)
    done = studyspec(folder, "run", "study.toml", "--workers", "2")
    assert "discs: 6 to prepare, 4 to train, 8 to evaluate; 0 known" in done.stderr
    assert "18 done in" in done.stderr
    assert done.stdout.splitlines()[2].split()[:3] == ["base", "A", "A"]
    return folder


def jobs(folder: Path, *words: str) -> dict[tuple[str, str], list[str]]:
    """(stage, state) -> reasons of the jobs of a plan."""
    plan = json.loads(studyspec(folder, "plan", *words, "--json").stdout)[0]
    found: dict[tuple[str, str], list[str]] = {}
    for job in plan["jobs"]:
        found.setdefault((job["stage"], job["state"]), []).append(job["reason"])
    return found


def test_running_again_does_nothing(project: Path) -> None:
    records = set((project / "results" / "records").iterdir())
    done = studyspec(project, "run", "study.toml")
    assert "discs: nothing to do; 18 known" in done.stderr
    assert set((project / "results" / "records").iterdir()) == records


def test_check_counts_images_and_cells(project: Path) -> None:
    lines = studyspec(project, "check", "study.toml").stdout.splitlines()
    assert lines[2].split() == ["A", "3", "0"]
    found = json.loads(studyspec(project, "check", "study.toml", "--json").stdout)
    assert found["datasets"]["B"] == [f"data/B{i}.npy" for i in range(3)]


def test_a_new_test_set_trains_nothing(project: Path) -> None:
    text = (project / "study.toml").read_text()
    text = text.replace("[matrix]", '[datasets.C]\nkind = "C"\n\n[matrix]')
    text = text.replace('test = ["A", "B"]', 'test = ["A", "B", "C"]').replace("discs", "more")
    (project / "more.toml").write_text(text)
    found = {key: len(reasons) for key, reasons in jobs(project, "more.toml").items()}
    assert found == {
        ("prepare", "known"): 6, ("prepare", "new"): 3, ("train", "known"): 4,
        ("evaluate", "known"): 8, ("evaluate", "new"): 4,
    }  # fmt: skip
    done = studyspec(project, "run", "study.toml", "more.toml")
    assert "7 done in" in done.stderr
    query = "select test, count(*) as n from scores where study = 'more' group by 1"
    scores = json_rows(project, query)
    assert {row["test"]: row["n"] for row in scores} == {"A": 4, "B": 4, "C": 4}


def json_rows(folder: Path, query: str) -> list[dict[str, object]]:
    studyspec(folder, "sql", query, "--json", "rows.json")
    rows: list[dict[str, object]] = json.loads((folder / "rows.json").read_text())
    return rows


def test_sql_prints_writes_and_refuses_to_change(project: Path) -> None:
    query = "select train, test, folds from matrix where study = 'discs' order by all"
    assert studyspec(project, "sql", query).stdout.splitlines()[2].split() == ["A", "A", "2"]
    studyspec(project, "sql", query, "--csv", "m.csv", "--parquet", "m.parquet")
    assert (project / "m.csv").read_text().splitlines()[:2] == ["train,test,folds", "A,A,2"]
    found = duckdb.execute("select count(*) from read_parquet(?)", [str(project / "m.parquet")])
    assert found.fetchone() == (4,)
    wrong = studyspec(project, "sql", "drop table image", expect=2)
    assert wrong.stderr.startswith("error: ")
    assert "Traceback" not in wrong.stderr


def test_image_scores_carry_the_users_own_columns(project: Path) -> None:
    rows = json_rows(project, "select distinct kind from image_scores order by kind")
    assert [row["kind"] for row in rows][:2] == ["A", "B"]


def test_the_report_is_one_page(project: Path) -> None:
    done = studyspec(project, "report", "study.toml", "--output", "page.html")
    page = (project / done.stdout.strip()).read_text()
    assert "Does a network trained on one kind of disc find the other?" in page
    assert "http" not in page.partition("<script")[0].replace("http-equiv", "")


def test_predict_writes_a_mask(project: Path) -> None:
    network = next((project / "results" / "artifacts" / "networks").glob("*.safetensors"))
    done = studyspec(project, "predict", str(network), "data/C0.npy", "--output", "masks")
    assert done.stdout.startswith("masks/C0_mask.ome.tif  ")
    assert (project / "masks" / "C0_mask.ome.tif").stat().st_size > 0


def test_status_says_what_is_done(project: Path) -> None:
    lines = studyspec(project, "status", "study.toml").stdout.splitlines()
    assert lines[3].split() == ["train", "4", "0", "0", "0"]


def test_status_without_a_study_tells_of_all_jobs(project: Path) -> None:
    found = json.loads(studyspec(project, "status", "--json").stdout)
    assert found["stages"][1] == ["train", 4, None, None, 0]


def test_plan_estimates_from_past_jobs(project: Path) -> None:
    (project / "longer.toml").write_text(
        (project / "study.toml").read_text().replace("epochs = 2", "epochs = 3")
    )
    lines = studyspec(project, "plan", "longer.toml").stdout.splitlines()
    assert any(line.startswith("4 train stale: training.epochs changed") for line in lines)
    assert lines[-1].endswith("of work on one worker, as past jobs took")


CLAIM = """
[[claims]]
says = "B does for A"
left = { train = "B", test = "A" }
right = { train = "A", test = "A" }
at_least = -0.05
"""


def test_power_tells_what_would_decide_each_claim(project: Path) -> None:
    (project / "claiming.toml").write_text((project / "study.toml").read_text() + CLAIM)
    words = ("plan", "claiming.toml", "--power")
    told = studyspec(project, *words).stdout
    assert told.startswith("discs, expected by variances of its scores so far")
    assert re.search(r"B does for A \(1\) +\d\.\d{3} +\d\.\d{3} +3 +2 ", told)
    (power,) = json.loads(studyspec(project, *words, "--json").stdout)
    assert power["known_variances"]
    (claim,) = power["claims"]
    assert claim["micrographs"] == 3
    assert claim["half_width"] > 0
    new = studyspec(project, *words, "--results", "none", "--json").stdout
    assert not json.loads(new)[0]["known_variances"]
    assert not json.loads(new)[0]["claims"][0]["measured"]


def test_the_database_is_rebuilt_from_records(project: Path) -> None:
    query = "select * from scores order by all"
    before = studyspec(project, "sql", query).stdout
    (project / "results" / "studyspec.duckdb").unlink()
    studyspec(project, "ingest")
    assert studyspec(project, "sql", query).stdout == before


def test_deleted_weights_are_made_again_for_a_new_test(tmp_path: Path) -> None:
    study = make_project(tmp_path, "AB")
    studyspec(tmp_path, "run", "study.toml")
    studyspec(tmp_path, "clean", "--networks")
    assert ("train", "rebuild") not in jobs(tmp_path, "study.toml")
    study.write_text(study.read_text().replace("dihedral = false", "dihedral = true"))
    found = jobs(tmp_path, "study.toml")
    assert found["train", "rebuild"] == ["weights missing"] * 4
    studyspec(tmp_path, "run", "study.toml")
    assert len(jobs(tmp_path, "study.toml")["evaluate", "known"]) == 8


def test_a_header_that_contradicts_the_catalog_is_reported(tmp_path: Path) -> None:
    make_project(tmp_path, "AB")
    write_dm(tmp_path / "data" / "A0.dm3", np.load(tmp_path / "data" / "A0.npy"), 0.03)
    table = tmp_path / "data" / "metadata.csv"
    lines = table.read_text().replace("A0.npy", "A0.dm3").splitlines()
    scaled = [
        f"{line},pixel_scale_nm" if i == 0 else f"{line},0.02" for i, line in enumerate(lines)
    ]
    table.write_text("\n".join(scaled) + "\n")
    (tmp_path / "catalog.parquet").unlink()
    words = ("data", "--metadata", "data/metadata.csv", "--catalog", "catalog.parquet")
    note = "note: data/A0.dm3: the header says 0.03 nm per pixel, the "
    assert note + "CSV 0.02" in studyspec(tmp_path, "catalog", "add", *words).stderr
    assert note + "catalog 0.02" in studyspec(tmp_path, "run", "study.toml").stderr


def test_a_changed_image_makes_its_descendants_stale_with_the_reason(tmp_path: Path) -> None:
    make_project(tmp_path, "AB")
    studyspec(tmp_path, "run", "study.toml")
    time.sleep(0.01)
    disc_image(tmp_path / "data", "B1", seed=999, bright=40)
    found = jobs(tmp_path, "study.toml")
    assert found["prepare", "stale"] == ["image data/B1.npy changed"]
    assert found["train", "stale"] == ["image data/B1.npy changed"] * 2
    assert len(found["train", "known"]) == 2
    assert len(found["evaluate", "known"]) == 2
    studyspec(tmp_path, "run", "study.toml")
    assert {state for _, state in jobs(tmp_path, "study.toml")} == {"known"}

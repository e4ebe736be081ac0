"""A study from Python, with paths as text: run once, and then asked in every way."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

import studyspec
from studyspec import api
from studyspec.api.standing import StageStanding
from studyspec.errors import LearnError, NothingThere, RunError
from studyspec.store.records import RecordIndex
from tests.cli.projects import make_project

pytestmark = pytest.mark.slow


class Heard:
    """A listener that counts."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()
        self.headlines: dict[str, str] = {}

    def fetching(self, name: str, done: int, total: int | None) -> None:
        self.kinds["fetching"] += 1

    def planned(self, planned: api.PlannedStudy) -> None:
        self.kinds["planned"] += 1

    def happened(self, event: api.Event) -> None:
        self.kinds[event.kind] += 1
        if event.result is not None:
            self.headlines[event.job.title] = event.result.headline


@pytest.fixture(scope="module")
def heard() -> Heard:
    return Heard()


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory, heard: Heard) -> str:
    folder = tmp_path_factory.mktemp("api")
    path = str(make_project(folder, "AB"))
    summary = api.run(path, options=api.Options(workers=2), listener=heard)
    assert (summary.done, summary.failed, summary.blocked) == (18, 0, 0)
    return path


def results_of(study: str) -> str:
    return str(Path(study).parent / "results")


def test_a_listener_hears_what_came_of_each_job(study: str, heard: Heard) -> None:
    assert heard.kinds["planned"] == 1
    assert heard.kinds["done"] == 18
    assert heard.headlines["prepare data/A0.npy"] == "4 patches"
    assert "at epoch" in heard.headlines["train A, fold 0"]
    evaluation = next(e for e in api.plan(study).jobs if e.job.title == "test A on B, fold 0")
    scored = api.sql(
        f"select dice from scores where evaluation = '{evaluation.job.key}'", results_of(study)
    )
    (dice,) = scored.rows[0]
    assert heard.headlines["test A on B, fold 0"] == f"dice {dice:.3f}"


def test_a_run_of_several_studies_reads_the_records_once(
    study: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    more = Path(study).with_name("more.toml")
    more.write_text(Path(study).read_text().replace('"discs"', '"more"'))
    made: list[RecordIndex] = []
    plain = RecordIndex.__init__

    def counted(self: RecordIndex, *values: object, **named: object) -> None:
        made.append(self)
        plain(self, *values, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(RecordIndex, "__init__", counted)
    assert api.run([study, more]).done == 0
    assert len(made) == 1
    made.clear()
    api.status(study)
    assert len(made) == 1


def test_trained_networks_are_found_by_what_they_were_trained_on(study: str) -> None:
    place = api.Workplace(results_of(study))
    both = api.find_networks("discs/A", place)
    assert [one.name for one in both] == ["discs/A/0", "discs/A/1"]
    (found,) = api.find_networks(both[1].sha256[:8], place)
    assert found == both[1]
    assert api.find_networks(str(both[1].file), api.Workplace("nowhere"))[0].name == "discs/A/1"
    with pytest.raises(LearnError, match="no network 'discs/C'"):
        api.find_networks("discs/C", place)
    listed = api.networks.listed(results_of(study), ())
    assert [one.name for one in listed] == [f"discs/{s}/{f}" for s in "AB" for f in (0, 1)]
    data = Path(study).parent / "data"
    scored = api.test("discs/A/1", data, place, options=api.Options(engine="inline"))
    assert [one.network for one in scored.networks] == ["discs/A/1"]
    assert len(scored.networks[0].images) == 6
    assert scored.notes[0] == "discs/A/1 was trained on 3 of these 6 images: dice flatters it"
    assert scored.notes[1].startswith("discs/A/1 does not say at which scale it was trained")


def test_status_of_a_study_and_of_all(study: str) -> None:
    found = api.status(study)
    assert found.stages[1] == StageStanding("train", 4, 0, 0, 0)
    assert (found.running, found.failed) == ((), ())
    every = api.overview(results_of(study))
    assert [stage.stage for stage in every.stages] == ["prepare", "train", "evaluate"]
    assert every.stages[2].to_do is None
    with pytest.raises(NothingThere):
        api.overview("nowhere")


def test_the_matrix_is_in_the_order_of_the_study(study: str) -> None:
    turned = Path(study).with_name("turned.toml")
    turned.write_text(Path(study).read_text().replace('train = ["A", "B"]', 'train = ["B", "A"]'))
    matrix = api.matrix(turned)
    assert [row["train"] for row in matrix.dicts()] == ["B", "B", "A", "A"]
    brief = matrix.brief
    assert brief.columns == ("variant", "train", "test", "folds", "dice", "sd", "of own set")
    assert brief.rows[0][:4] == ("base", "B", "A", 2)


def test_rows_are_written_to_files(study: str, tmp_path: Path) -> None:
    rows = api.sql("@matrix", results_of(study))
    rows.write_csv(str(tmp_path / "m.csv"))
    rows.write_json(tmp_path / "m.json")
    rows.write_parquet(tmp_path / "m.parquet")
    assert (tmp_path / "m.csv").read_text().startswith("study,profile,variant,train,test")
    assert (tmp_path / "m.json").stat().st_size > 0
    assert (tmp_path / "m.parquet").read_bytes().startswith(b"PAR1")


def test_words_are_those_of_the_store_and_the_names_of_queries(study: str) -> None:
    assert {"matrix", "dice_mean", "@worst"} <= set(api.words(results_of(study)))
    assert "@worst" in api.words("nowhere")


def test_an_open_folder_compares(study: str) -> None:
    opened = studyspec.open(results_of(study))
    scope = api.Scope(study="discs")
    found = opened.compare("A", "B", "A", scope)
    shown = {(r["train"], r["test"]): r["dice_mean"] for r in opened.matrix("discs").dicts()}
    assert found.means == (shown["A", "A"], shown["B", "A"])
    assert found.text == api.compare("A", "B", "A", scope, results_of(study)).text


def test_images_are_told_as_they_are_predicted(study: str, tmp_path: Path) -> None:
    root = Path(study).parent
    networks = sorted((root / "results/artifacts/networks").glob("*.safetensors"))[:2]
    told: list[object] = []
    images: list[str | Path] = [str(root / "data/A0.npy"), root / "data/B0.npy"]
    done = api.predict(networks, images, str(tmp_path), on_image=told.append)
    assert [one.path.name for one in done.images] == ["A0_mask.ome.tif", "B0_mask.ome.tif"]
    assert told == list(done.images)
    assert not done.failed
    assert done.sizes is None


def test_cleaning_is_refused_while_a_run_goes_on(study: str) -> None:
    from studyspec.run.runners import present
    from studyspec.store.folder import Results

    with (
        present(Results(Path(results_of(study)))),
        pytest.raises(RunError, match="a run goes on here"),
    ):
        api.clean(results_of(study))


def test_an_engine_that_is_not_there_is_told_before_anything_is_fetched(study: str) -> None:
    with pytest.raises(RunError, match="no engine 'cloud' is installed"):
        api.run(os.devnull, options=api.Options(engine="cloud"))

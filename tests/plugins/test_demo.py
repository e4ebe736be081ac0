"""A package of plug-ins, one of each kind, really installed: a study uses all of them."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import write_catalog
from tests.plugins.environments import HERE, Environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return Environment.make(tmp_path_factory.mktemp("environment"), "studyspec-demo")


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, environment: Environment) -> Path:
    """A study that was run: discs on stripes by address, and three files of the new format."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "demo.toml").write_text((HERE / "demo.toml").read_text())
    rows = [
        ImageRow(
            f"stripes/{seed}",
            "stripes",
            f"stripes:{seed}",
            f"stripes-label:{seed}",
            pixel_scale_nm=0.02,
        )
        for seed in range(6)
    ]
    write_catalog(rows, folder / "catalog.parquet")
    images = folder / "images"
    images.mkdir()
    for number in range(3):
        _write_image(images, number)
    with (images / "metadata.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["image", "label", "operator"])
        writer.writerows([f"{n}.f32", f"{n}_label.png", "Ada"] for n in range(3))
    added = environment.studyspec(
        "catalog", "add", "images", "--metadata", "images/metadata.csv", "--collection", "mine",
        "--catalog", "catalog.parquet", cwd=folder,
    )  # fmt: skip
    assert added.returncode == 0, added.stderr
    ran = environment.studyspec("run", "demo.toml", "--on", "nice", cwd=folder)
    assert ran.returncode == 0, ran.stderr
    return folder


def _write_image(folder: Path, number: int) -> None:
    rng = np.random.default_rng(number)
    label = np.zeros((64, 64), bool)
    label[16:48, 8 + 4 * number : 40 + 4 * number] = True
    pixels = (1000 + rng.normal(0, 5, (64, 64)) - 60 * label).astype(np.float32)
    (folder / f"{number}.f32").write_bytes(b"64 64 0.02\n" + pixels.tobytes())
    Image.fromarray(label.astype(np.uint8) * 255).save(folder / f"{number}_label.png")


def rows(environment: Environment, project: Path, query: str) -> list[dict[str, object]]:
    found = environment.studyspec("sql", query, "--json", "out.json", cwd=project)
    assert found.returncode == 0, found.stderr
    told: list[dict[str, object]] = json.loads((project / "out.json").read_text())
    return told


def test_check_points_at_a_mistake_in_the_table_of_a_plug_in(
    environment: Environment, project: Path
) -> None:
    text = (project / "demo.toml").read_text()
    (project / "wrong.toml").write_text(text.replace("size = 2", "size = 1\nshape = 3"))
    found = environment.studyspec("check", "wrong.toml", cwd=project)
    assert found.returncode == 2
    line = text.splitlines().index("[preprocess.median]") + 2
    assert f"wrong.toml:{line}:8: expected at least 2, got 1" in found.stderr
    assert f"wrong.toml:{line + 1}:1: unknown key 'shape'" in found.stderr
    assert "    size = 1\n           ^\n" in found.stderr


def test_check_and_plan_know_every_plug_in_and_import_no_torch(
    environment: Environment, project: Path
) -> None:
    for command in ("check", "plan"):
        script = (
            "import sys; from studyspec import api; from pathlib import Path; "
            f"api.{command}(Path('demo.toml')); sys.exit('torch' in sys.modules)"
        )
        found = environment.run(script, cwd=project)
        assert found.returncode == 0, found.stderr


def test_the_run_left_nothing_to_do(environment: Environment, project: Path) -> None:
    planned = environment.studyspec("plan", "demo.toml", "--json", cwd=project)
    jobs = json.loads(planned.stdout)[0]["jobs"]
    assert {job["state"] for job in jobs} == {"known"}


def test_metrics_are_columns(environment: Environment, project: Path) -> None:
    found = rows(environment, project, "select specificity, edge_error from scores")
    assert len(found) == 4
    for row in found:
        assert all(isinstance(v, float) and 0 <= v <= 1 for v in row.values()), row
    matrix = rows(environment, project, "select specificity_mean, edge_error_sd from matrix")
    assert len(matrix) == 2
    assert all(value is not None for row in matrix for value in row.values())


def test_keys_hold_recipes_and_records_the_distribution(project: Path) -> None:
    records = [json.loads(p.read_text()) for p in (project / "results/records").glob("*.json")]
    train = next(record for record in records if record["stage"] == "train")
    learning = train["ingredients"]["learning"]
    assert learning["model"] == {"name": "tiny", "recipe": 1, "settings": {"filters": 6}}
    assert train["plugins"]["architecture.tiny"] == "studyspec-demo 1.4.0"
    assert train["plugins"]["augmentation.inversion"] == "studyspec-demo 1.4.0"
    prepare = next(record for record in records if record["stage"] == "prepare")
    assert {"name": "median", "recipe": 1, "settings": {"size": 2}} in (
        prepare["ingredients"]["pipeline"]["steps"]
    )


def test_the_report_has_sentences_metrics_and_the_chart(
    environment: Environment, project: Path
) -> None:
    made = environment.studyspec("report", "demo.toml", "-o", "page.html", cwd=project)
    assert made.returncode == 0, made.stderr
    page = (project / "page.html").read_text()
    for told in (
        "median filter of 2 x 2 pixels",
        "contrast of 25% inverted",
        "three convolutions of 6 filters",
        "Tversky loss (0.5, 0.7)",
        "multiplied by 0.1 2 times",
        "wrong pixels within 2 px of edges",
        "Specificity",
        "Edge error",
        "Spread of the folds",
        "studyspec-demo 1.4.0",
    ):
        assert told[1:] in page, told  # a sentence may begin with it
    exported = environment.studyspec("report", "demo.toml", "--export", "out", cwd=project)
    assert exported.returncode == 0, exported.stderr
    names = {path.name for path in (project / "out").iterdir()}
    assert "fold_spread.svg" in names
    assert any("specificity" in name for name in names)


def test_predict_uses_the_network_of_a_plug_in(environment: Environment, project: Path) -> None:
    (weights, *_) = (project / "results/artifacts/networks").glob("*.safetensors")
    found = environment.studyspec("predict", str(weights), "images/0.f32", cwd=project)
    assert found.returncode == 0, found.stderr
    assert (project / "masks/0_mask.ome.tif").exists()


def test_the_list_of_plug_ins_names_them(environment: Environment, project: Path) -> None:
    found = environment.studyspec("plugins", cwd=project)
    for name in ("median", "inversion", "tiny", "tversky", "steps", "specificity", "edge_error",
                 "f32", "stripes", "nice", "fold_spread"):  # fmt: skip
        line = next(line for line in found.stdout.splitlines() if f" {name} " in line)
        assert "studyspec-demo 1.4.0" in line


def test_without_the_package_the_study_says_which_is_missing(project: Path, tmp_path: Path) -> None:
    bare = Environment.make(tmp_path / "bare")
    found = bare.studyspec("check", "demo.toml", cwd=project)
    assert found.returncode == 2
    assert "package 'studyspec-demo' is not installed" in found.stderr
    assert "pip install 'studyspec-demo>=1'" in found.stderr
    assert "Traceback" not in found.stderr

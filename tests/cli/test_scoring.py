"""`studyspec test` and what names networks, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.api.test_scoring import labelled, network
from tests.cli.projects import make_project, studyspec

pytestmark = pytest.mark.slow


def test_networks_are_scored_on_a_folder(tmp_path: Path) -> None:
    network(tmp_path / "networks")
    labelled(tmp_path / "images")
    words = ("test", "theirs", "--on", "images", "--workers", "1")
    done = studyspec(tmp_path, *words)
    lines = done.stdout.splitlines()
    assert lines[0].split()[:4] == ["network", "trained", "on", "dice"]
    assert lines[2].startswith("theirs   Au, 0.02 nm/px")
    assert "worst images of theirs" in done.stdout
    assert "note: images/bare.npy: no label" in done.stderr
    assert (tmp_path / "results" / "reports" / "test-images.html").exists()
    told = json.loads(studyspec(tmp_path, *words, "--json").stdout)
    assert told["networks"][0]["empty_patches"] == 1
    assert [one["image"] for one in told["networks"][0]["worst_first"]][-1] == "images/empty.npy"
    listed = studyspec(tmp_path, "networks", "ls").stdout
    assert "theirs   Au, 0.02 nm/px" in listed


def test_without_a_scale_there_is_one_question(tmp_path: Path) -> None:
    network(tmp_path / "networks")
    labelled(tmp_path / "images", None)
    done = studyspec(tmp_path, "predict", "theirs", "images/a0.npy", "images/a1.npy", expect=2)
    assert done.stderr.count("how large is a pixel?") == 1
    assert done.stderr.strip().endswith("say so: --pixel-scale-nm 0.02")
    assert done.stdout == ""


def test_check_warns_of_two_scales(tmp_path: Path) -> None:
    study = make_project(tmp_path, "A")
    network(tmp_path)
    text, _, rest = study.read_text().partition("[datasets.B]")
    rest = rest[rest.index("[preprocess]") :]
    study.write_text(f'{text}[networks.theirs]\nweights = "theirs.safetensors"\n\n{rest}')
    assert "warning" not in studyspec(tmp_path, "check", "study.toml").stderr
    metadata = (tmp_path / "data" / "metadata.csv").read_text().splitlines()
    scaled = [f"{metadata[0]},pixel_scale_nm", *(f"{line},0.078" for line in metadata[1:])]
    (tmp_path / "data" / "metadata.csv").write_text("\n".join(scaled) + "\n")
    add = ("catalog", "add", "data", "--metadata", "data/metadata.csv")
    studyspec(tmp_path, *add, "--catalog", "catalog.parquet")
    warned = studyspec(tmp_path, "check", "study.toml").stderr
    assert "warning: 'theirs' was trained at 0.02 nm a pixel, and 'A' has images at 0.078" in warned
    told = json.loads(studyspec(tmp_path, "check", "study.toml", "--json").stdout)
    assert len(told["warnings"]) == 1

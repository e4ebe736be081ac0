from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from studyspec.errors import LearnError
from studyspec.learn.building import build
from studyspec.learn.conditions import Conditions
from studyspec.learn.networks import Description, NetworkFile, identify
from studyspec.learn.weights import save
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from tests.learn.patches import model

STUDY = Pipeline.of(PreprocessSettings())


def foreign(folder: Path, **table: object) -> NetworkFile:
    return identify("theirs", ForeignNetwork.model_validate(table), folder)


def prepared(**tables: object) -> Pipeline:
    return Pipeline.of(PreprocessSettings.model_validate(tables))


def test_it_says_how_its_images_are_prepared(tmp_path: Path) -> None:
    told = prepared(rescale={"method": "normalize"}, patch={"size": 64})
    said = Description(model=model(), pipeline=told)
    save(build(model(), 0).state_dict(), tmp_path / "n.safetensors", said)
    found = foreign(tmp_path, weights="n.safetensors")
    assert (found.model, found.pipeline) == (model(), told)
    assert found.prepared_as(STUDY) == prepared(rescale={"method": "normalize"})
    declared = {"rescale": {"method": "histogram"}}
    changed = foreign(tmp_path, weights="n.safetensors", preprocess=declared)
    assert changed.prepared_as(STUDY) == prepared(**declared)


def test_one_that_says_nothing_is_prepared_as_the_study(tmp_path: Path) -> None:
    (tmp_path / "n.pt").write_bytes(b"some network")
    study = prepared(flat_field={"enabled": False})
    assert foreign(tmp_path, weights="n.pt", trust=True).prepared_as(study) == study


def test_a_factory_and_its_weights_are_both_in_its_hash(tmp_path: Path) -> None:
    (tmp_path / "n.bin").write_bytes(b"weights")
    hashes = set()
    for source in ("def build(path): ...", "def build(path): return None"):
        (tmp_path / "theirs_too.py").write_text(source)
        for table in ({}, {"weights": "n.bin"}):
            hashes.add(foreign(tmp_path, factory="theirs_too:build", trust=True, **table).sha256)
    assert len(hashes) == 4


def test_a_network_is_written_and_read_back() -> None:
    file = NetworkFile(name="n", sha256="0" * 64, model=model(norm="group"), pipeline=STUDY)
    assert NetworkFile.model_validate(file.written()) == file


def test_its_identity_needs_no_torch() -> None:
    code = "import sys, studyspec.learn.networks; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"weights": "gone.safetensors"}, "cannot be read: No such file"),
        ({"weights": "n.h5"}, "'n.h5' is no known kind of network; expected .safetensors"),
        ({"factory": "no_such_module:build", "trust": True}, "there is no module 'no_such_module'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, table: dict[str, object], message: str) -> None:
    with pytest.raises(LearnError, match=message.replace(".", r"\.")):
        foreign(tmp_path, **table)


def test_a_file_that_is_no_network_is_told_before_anything_runs(tmp_path: Path) -> None:
    (tmp_path / "n.safetensors").write_bytes(b"nothing of the kind")
    with pytest.raises(LearnError, match="not a safetensors file"):
        foreign(tmp_path, weights="n.safetensors")


def test_a_small_image_is_part_of_a_larger_one_whose_flat_field_is_not_known() -> None:
    network = NetworkFile(name="n", sha256="0", conditions=Conditions(pixel_scale_nm=(0.02,)))

    def steps(shape: tuple[int, int], scale: float) -> list[str]:
        return [use.name for use in network.prepared_at(shape, scale).steps]

    assert "flat_field" not in steps((130, 130), 0.08)
    assert "flat_field" in steps((130, 140), 0.08)
    assert "flat_field" in steps((2048, 2048), 0.02)

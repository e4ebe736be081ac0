"""Whatever a file holds: it is read, or one clear error says what is wrong with it."""

from __future__ import annotations

import io
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import tifffile
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from safetensors.numpy import save as safetensors

from studyspec.catalog.add import add
from studyspec.catalog.readers import read_image, read_label
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.errors import StudySpecError
from studyspec.learn.conversion import convert
from studyspec.learn.networks import describe
from studyspec.learn.weights import load_network, read
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.loading import load
from tests.camera_files import write_dm
from tests.fuzz.mutations import DEEP, damaged, fuzz

TEXT = (Path(__file__).parents[1] / "spec" / "material.toml").read_text()
PIXELS = np.arange(48, dtype=np.uint16).reshape(6, 8)
CSV = b'image,label,material,dose_e_per_A2,grid\n0.npy,0.png,Au,80,3\n"1.npy",,\xc2\xb5,,x\n'


def tried(work: object, *words: object) -> None:
    """Call something; a StudySpecError is an answer too."""
    assert callable(work)
    with suppress(StudySpecError):
        work(*words)


def images(folder: Path) -> dict[str, bytes]:
    """A small image in each format."""
    made: dict[str, bytes] = {}
    for suffix in (".npy", ".png", ".tif", ".dm3", ".mrc"):
        path = folder / f"whole{suffix}"
        if suffix == ".npy":
            np.save(path, PIXELS)
        elif suffix == ".png":
            Image.fromarray(PIXELS).save(path)
        elif suffix == ".tif":
            tifffile.imwrite(path, PIXELS)
        elif suffix == ".dm3":
            write_dm(path, PIXELS, 0.02)
        else:
            import mrcfile

            with mrcfile.new(path) as file:
                file.set_data(PIXELS.astype(np.int16))
        made[suffix] = path.read_bytes()
    return made


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


@pytest.fixture(scope="module")
def whole(folder: Path) -> dict[str, bytes]:
    return images(folder)


@fuzz(60)
@given(st.data(), st.sampled_from([".npy", ".png", ".tif", ".dm3", ".mrc"]))
def test_images(folder: Path, whole: dict[str, bytes], data: st.DataObject, suffix: str) -> None:
    path = folder / f"image{suffix}"
    path.write_bytes(data.draw(damaged(whole[suffix])))
    tried(read_image, path)


@fuzz(60)
@given(st.data(), st.sampled_from([".npy", ".png", ".tif"]))
def test_labels(folder: Path, whole: dict[str, bytes], data: st.DataObject, suffix: str) -> None:
    path = folder / f"label{suffix}"
    path.write_bytes(data.draw(damaged(whole[suffix])))
    tried(read_label, path)


@fuzz(60)
@given(damaged(TEXT.encode()), st.sampled_from([None, "paper"]))
@example(b"x = " + b"[" * DEEP + b"]" * DEEP, None)
@example(b"x = " + b"{a=" * DEEP + b"1" + b"}" * DEEP, None)
@example(b"x" + b".x" * DEEP + b" = 1", None)
@example(b"x = " + b"9" * 5000, None)
@example(TEXT.replace("diameter_nm = 5", "diameter_nm = 1" + "0" * 400).encode(), None)
def test_studies(folder: Path, text: bytes, profile: str | None) -> None:
    path = folder / "study.toml"
    path.write_bytes(text)
    tried(load, path, profile)


@fuzz(40)
@given(damaged(CSV))
def test_metadata(folder: Path, text: bytes) -> None:
    for i in range(2):
        np.save(folder / f"{i}.npy", PIXELS)
    Image.fromarray(PIXELS.astype(np.uint8)).save(folder / "0.png")
    (folder / "metadata.csv").write_bytes(text)
    (folder / "catalog.parquet").unlink(missing_ok=True)
    tried(add, folder, folder / "metadata.csv", folder / "catalog.parquet", "mine")


@pytest.fixture(scope="module")
def table(folder: Path) -> bytes:
    rows = [ImageRow(f"i{i}", "mine", f"{i}.npy", dose_e_per_A2=80.0 + i) for i in range(3)]
    write_catalog(rows, folder / "whole.parquet")
    return (folder / "whole.parquet").read_bytes()


@fuzz(40)
@given(st.data())
def test_catalogs(folder: Path, table: bytes, data: st.DataObject) -> None:
    path = folder / "damaged.parquet"
    path.write_bytes(data.draw(damaged(table)))
    tried(Catalog.open, path)


@fuzz(40)
@given(st.text(max_size=40) | st.sampled_from(["1=1) or (1=1", "a;b", "((((", "'", "--"]))
@example("(" * DEEP + "true" + ")" * DEEP)
def test_filters(folder: Path, table: bytes, sql: str) -> None:
    catalog = Catalog.open(folder / "whole.parquet")
    if sql:
        tried(catalog.select, DatasetFilter.model_validate({"sql": sql}), "mine")


@fuzz(40)
@given(st.data())
def test_weights(folder: Path, data: st.DataObject) -> None:
    made = safetensors({"a": np.ones((2, 3), np.float32), "b": np.ones(4)}, {"studyspec": "{}"})
    path = folder / "n.safetensors"
    path.write_bytes(data.draw(damaged(made)))
    for work in (describe, read, load_network):
        tried(work, path)


@fuzz(20)
@given(
    st.dictionaries(st.text(max_size=5), st.text(max_size=9), max_size=3)
    | st.sampled_from(["", "[]", "3", "null", '{"model":3}', "[" * DEEP]).map(
        lambda text: {"studyspec": text}
    )
)
@example({"studyspec": '{"a":' * DEEP})
@example({"studyspec": '{"model": {"name": "no_such", "recipe": 1}}'})
@example({"studyspec": '{"model": {"name": "residual_unet", "recipe": 1, "settings": {"x": 1}}}'})
def test_metadata_of_weights(folder: Path, said: dict[str, str]) -> None:
    path = folder / "told.safetensors"
    path.write_bytes(safetensors({"a": np.ones((2, 3), np.float32)}, said))
    tried(describe, path)
    tried(load_network, path)


@fuzz(20)
@given(st.data())
def test_pickled_weights(folder: Path, data: st.DataObject) -> None:
    import torch

    file = io.BytesIO()
    torch.save({"a": torch.ones(2)}, file)
    path = folder / "n.h5"
    path.write_bytes(data.draw(damaged(file.getvalue())))
    tried(convert, path, folder / "converted.safetensors")

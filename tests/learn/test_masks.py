from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studyspec.catalog.readers import read_label
from studyspec.errors import FileError, LearnError, ScaleUnknown
from studyspec.learn.applied import Applied
from studyspec.learn.building import build
from studyspec.learn.conditions import Conditions
from studyspec.learn.masks import predict_files
from studyspec.learn.networks import Description, identify
from studyspec.learn.prediction import probability
from studyspec.learn.weights import save
from studyspec.plugins.values import RawImage
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from tests.learn.patches import model
from tests.tolerances import PROBABILITY


def network(folder: Path, file: str = "n", **table: Any) -> Path:
    """Fresh weights whose images are only standardized."""
    off = {step: {"enabled": False} for step in ("xray", "flat_field")}
    pipeline = Pipeline.of(PreprocessSettings.model_validate(off | {"patch": {"size": 64}}))
    said = Description(model=model(**table), pipeline=pipeline)
    save(build(model(**table), 1).state_dict(), folder / f"{file}.safetensors", said)
    return folder / f"{file}.safetensors"


def image(folder: Path, name: str = "a.npy") -> Path:
    """An image of 100 x 70 pixels."""
    np.save(folder / name, np.random.default_rng(1).poisson(50, (100, 70)).astype(np.float32))
    return folder / name


@pytest.mark.parametrize("table", [{}, {"name": "plain_unet", "levels": 5, "first_filters": 2}])
def test_a_mask_is_where_the_network_sees_particle(tmp_path: Path, table: dict[str, Any]) -> None:
    (mask,) = predict_files([network(tmp_path, **table)], [image(tmp_path)], tmp_path / "masks")
    pixels = np.load(tmp_path / "a.npy")
    scaled = ((pixels - pixels.mean()) / pixels.std()).astype(np.float32)
    p = probability(build(model(**table), 1), scaled, tile_px=64, multiple_px=32 if table else 16)
    found, clear = read_label(mask.path), np.abs(p - 0.5) > 10 * PROBABILITY
    assert mask.path == tmp_path / "masks" / "a_mask.png"
    assert mask.particle == pytest.approx(found.mean())
    assert mask.agreement is None
    np.testing.assert_array_equal(found[clear], p[clear] > 0.5)


def test_networks_of_two_architectures_vote_and_say_how_far_they_agree(tmp_path: Path) -> None:
    both = [network(tmp_path), network(tmp_path, "m", name="plain_unet", levels=2)]
    (mask,) = predict_files(both, [image(tmp_path)], tmp_path)
    assert mask.agreement is not None
    assert 0 < mask.agreement < 1


def test_an_image_whose_scale_is_not_known_is_named(tmp_path: Path) -> None:
    resampled = PreprocessSettings.model_validate({"resample": {"pixel_scale_nm": 0.03}})
    said = Description(model=model(), pipeline=Pipeline.of(resampled))
    save(build(model(), 1).state_dict(), tmp_path / "n.safetensors", said)
    with pytest.raises(ScaleUnknown, match=r"a\.npy: how large is a pixel\?"):
        list(predict_files([tmp_path / "n.safetensors"], [image(tmp_path)], tmp_path))


def test_an_image_is_resampled_to_the_scale_that_the_network_was_trained_at(tmp_path: Path) -> None:
    file = identify("n", ForeignNetwork(weights=str(network(tmp_path))), Path("/"))
    at = {"conditions": Conditions(pixel_scale_nm=(0.02, 0.05))}
    applied = Applied.of(file.model_copy(update=at))
    raw = RawImage(np.load(image(tmp_path)), pixel_scale_nm=0.04)
    assert applied.prepared(raw).pixels.shape == (80, 56)
    assert applied.prepared(raw, pixel_scale_nm=0.02).pixels.shape == (100, 70)
    assert applied.probability(raw).shape == (100, 70)
    with pytest.raises(ScaleUnknown, match=r"'n' was trained at 0\.02 nm"):
        applied.prepared(RawImage(raw.pixels))
    without = Applied.of(file)
    assert without.prepared(RawImage(raw.pixels)).pixels.shape == (100, 70)


def test_two_images_of_one_name_are_refused(tmp_path: Path) -> None:
    images = [image(tmp_path), tmp_path / "a.tif"]
    with pytest.raises(LearnError, match=r"two images would share the mask a_mask\.png"):
        list(predict_files([network(tmp_path)], images, tmp_path))


def test_a_file_that_fails_is_told_of_and_passed_over(tmp_path: Path) -> None:
    """A small image fails too; without a listener the first failure ends it all."""
    (tmp_path / "bad.tif").write_bytes(b"nothing of an image")
    np.save(tmp_path / "small.npy", np.ones((3, 3), np.float32))
    images = [tmp_path / "bad.tif", tmp_path / "small.npy", image(tmp_path)]
    failed: dict[str, str] = {}
    done = predict_files(
        [network(tmp_path)],
        images,
        tmp_path,
        on_failure=lambda path, error: failed.update({path.name: error.text}),
    )
    assert [mask.path.name for mask in done] == ["a_mask.png"]
    assert list(failed) == ["bad.tif", "small.npy"]
    assert all(text.startswith(str(tmp_path / name)) for name, text in failed.items())
    with pytest.raises(FileError, match=r"bad\.tif: cannot be read"):
        list(predict_files([network(tmp_path)], images, tmp_path))

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studyspec.errors import FileError, PluginError
from studyspec.images.door import Labelled
from studyspec.images.noise import NOISE_FACTS
from studyspec.images.pipeline import load, prepare, prepared_scale_nm, preprocess, save
from studyspec.images.steps.flat_field import FlatFieldSettings, divide_by_surface
from studyspec.images.steps.resample import resample
from studyspec.images.steps.rescale import RescaleSettings, rescale
from studyspec.images.steps.xrays import XraySettings, remove_xrays
from studyspec.plugins.registry import STEPS
from studyspec.plugins.values import WorkingImage
from studyspec.spec.sections import PatchSettings, PreprocessSettings
from studyspec.spec.uses import Pipeline
from tests.distributions import fresh, install

Image = npt.NDArray[np.float32]
RNG = np.random.default_rng(0)


def noise(*shape: int) -> Image:
    return RNG.poisson(900, shape).astype(np.float32)


SMALL = Pipeline.of(PreprocessSettings(patch=PatchSettings(size=16, min_particle_px=0)))


def pipeline(**tables: object) -> Pipeline:
    return Pipeline.of(PreprocessSettings.model_validate(tables))


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(24, 60),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 0.015, 0.04]),
    st.sampled_from(["standardize", "normalize", "histogram"]),
)
def test_a_pipeline_is_its_steps_one_after_the_other(
    seed: int, size: int, xray: bool, flat: bool, scale: float | None, method: str
) -> None:
    image = np.random.default_rng(seed).poisson(900, (size, size + 9)).astype(np.float32)
    image[3, 4] = 9000
    expected = image.copy()
    if xray:
        remove_xrays(expected, XraySettings())
    if flat:
        divide_by_surface(expected, FlatFieldSettings())
    if scale is not None:
        expected = resample(expected, 0.02 / scale)
    rescale(expected, RescaleSettings.model_validate({"method": method}))
    steps = pipeline(
        xray={"enabled": xray},
        flat_field={"enabled": flat},
        resample={"pixel_scale_nm": scale},
        rescale={"method": method},
    )
    assert np.array_equal(preprocess(WorkingImage(image, None, 0.02), steps).pixels, expected)


def test_prepared_patches_come_back_from_disk_mapped(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(64, 64), np.ones((64, 64), bool), 0.02), SMALL, {})
    saved = save(patches, tmp_path / "key")
    again = load(tmp_path / "key")
    assert isinstance(again.images, np.memmap)
    assert np.array_equal(again.images, patches.images)
    assert (again.shape, list(again.rows)) == ((64, 64), list(patches.rows))
    assert again.facts == patches.facts
    assert set(again.facts) == {"image_counts", "frame_counts", "relative_sd", *NOISE_FACTS}
    assert saved.bytes == sum(f.stat().st_size for f in (tmp_path / "key").iterdir())


def test_an_image_without_particles_has_no_patches_and_can_be_saved(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(32, 32), np.zeros((32, 32), bool), None), SMALL, {})
    save(patches, tmp_path / "key")
    assert load(tmp_path / "key").images.shape == (0, 16, 16)


def test_saving_twice_leaves_the_first_and_no_litter(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(32, 32), np.ones((32, 32), bool), None), SMALL, {})
    save(patches, tmp_path / "key")
    save(patches, tmp_path / "key")
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_an_image_without_label_cannot_be_prepared() -> None:
    with pytest.raises(FileError, match="the image has no label"):
        prepare(Labelled(noise(32, 32), None, None), SMALL, {})


def test_missing_patches_are_told(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no prepared patches"):
        load(tmp_path / "none")


STEP = """
import numpy as np
from dataclasses import replace
from studyspec.plugins.contracts import Step
from studyspec.plugins.settings import Settings

class BentSettings(Settings):
    how: str = ""

class Bent(Step[BentSettings]):
    name, settings, position, reads = "bent", BentSettings, 150, ("tilt",)

    def describe(self, settings):
        return "bent"

    def apply(self, image, settings):
        return {
            "tilt": lambda: replace(image, facts={"tilt": image.columns["tilt"]}),
            "nothing": lambda: None,
            "double": lambda: replace(image, pixels=image.pixels.astype(np.float64)),
            "nan": lambda: replace(image, pixels=image.pixels * np.float32("nan")),
            "cropped": lambda: replace(image, pixels=image.pixels[1:]),
            "unlabelled": lambda: replace(image, label=None),
            "counts": lambda: replace(image, label=image.label.astype(int)),
            "fact": lambda: replace(image, facts={"f": float("inf")}),
            "raises": lambda: 1 / 0,
        }[settings.how]()

BENT = Bent()
"""


def bent(how: str) -> Pipeline:
    """What `[preprocess.bent]` of a package of others would say."""
    use = {"name": "bent", "recipe": 1, "settings": {"how": how}}
    return Pipeline.model_validate({**SMALL.model_dump(), "steps": [use, *SMALL.steps[2:]]})


@pytest.fixture
def bent_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(install(tmp_path, "bender", "1.5", {"step": "bender_steps"}))
    (tmp_path / "bender_steps.py").write_text(STEP)
    fresh(monkeypatch, STEPS)


@pytest.mark.usefixtures("bent_step")
def test_a_step_finds_the_columns_that_it_reads() -> None:
    labelled = Labelled(noise(32, 32), np.ones((32, 32), bool), None)
    assert prepare(labelled, bent("tilt"), {"tilt": 30.0}).facts["tilt"] == 30


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ("nothing", "it gave a NoneType"),
        ("double", "its pixels are float64 of shape .*, not a float32 array"),
        ("nan", "its pixels are not all finite"),
        ("cropped", r"its label is \(32, 32\) but the image \(31, 32\)"),
        ("unlabelled", "its label is gone"),
        ("counts", "its label is int64 of shape .*, not a bool array"),
        ("fact", "its fact 'f' is inf"),
        ("raises", "ZeroDivisionError"),
    ],
)
@pytest.mark.usefixtures("bent_step")
def test_a_step_that_breaks_its_promise_is_named(how: str, message: str) -> None:
    labelled = Labelled(noise(32, 32), np.ones((32, 32), bool), None)
    with pytest.raises(PluginError, match=f"step 'bent' of bender 1.5 failed: {message}"):
        prepare(labelled, bent(how), {})


@pytest.mark.parametrize("name", ["images.npy", "labels.npy", "index.json"])
def test_patches_that_were_damaged_are_no_patches(tmp_path: Path, name: str) -> None:
    patches = prepare(Labelled(noise(64, 64), np.ones((64, 64), bool), 0.02), SMALL, {})
    save(patches, tmp_path / "key")
    path = tmp_path / "key" / name
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(FileError, match=f"no prepared patches: {name} differs from its digest"):
        load(tmp_path / "key")
    save(patches, tmp_path / "key")
    assert np.array_equal(load(tmp_path / "key").images, patches.images)


def test_patches_of_before_there_were_digests_are_no_patches(tmp_path: Path) -> None:
    patches = prepare(Labelled(noise(64, 64), np.ones((64, 64), bool), 0.02), SMALL, {})
    save(patches, tmp_path / "key")
    (tmp_path / "key" / "sha256").unlink()
    with pytest.raises(FileError, match="no prepared patches"):
        load(tmp_path / "key")


def test_the_scale_after_a_pipeline_is_that_of_its_resampling() -> None:
    assert prepared_scale_nm(pipeline(), 0.02) == 0.02
    coarse = pipeline(resample={"pixel_scale_nm": 0.033})
    assert prepared_scale_nm(coarse, 0.02) == pytest.approx(0.033, rel=1e-6)
    image = WorkingImage(noise(40, 50), pixel_scale_nm=0.02)
    assert preprocess(image, coarse).pixel_scale_nm == pytest.approx(0.033)

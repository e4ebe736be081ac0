"""Networks on one's own images, without a study file; nothing of it needs a study before."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec import api
from studyspec.errors import CatalogError, LearnError, ScaleUnknown
from studyspec.learn.building import build, default_model
from studyspec.learn.conditions import Conditions
from studyspec.learn.networks import Description
from studyspec.learn.weights import save
from tests.cli.projects import disc_image

INLINE = api.Options(engine="inline")


def network(folder: Path, name: str = "theirs", scale_nm: float | None = 0.02) -> Path:
    """Fresh weights that say at which scale they were trained."""
    folder.mkdir(parents=True, exist_ok=True)
    known = Conditions(pixel_scale_nm=() if scale_nm is None else (scale_nm,), material=("Au",))
    path = folder / f"{name}.safetensors"
    save(build(default_model(), 0).state_dict(), path, Description(conditions=known))
    return path


def labelled(folder: Path, scale_nm: float | None = 0.04) -> Path:
    """Two images with particles, one without, and one without a label."""
    folder.mkdir(parents=True)
    for i in range(2):
        disc_image(folder, f"a{i}", seed=i, bright=40)
    disc_image(folder, "empty", seed=5, bright=0)
    Image.fromarray(np.zeros((64, 64), np.uint8)).save(folder / "empty_label.png")
    disc_image(folder, "bare", seed=6, bright=40)
    (folder / "bare_label.png").unlink()
    if scale_nm is not None:
        with (folder / "metadata.csv").open("w", newline="") as file:
            rows = [(f"{n}.npy", f"{n}_label.png", scale_nm) for n in ("a0", "a1", "empty")]
            header = ("image", "label", "pixel_scale_nm")
            csv.writer(file).writerows([header, *rows, ("bare.npy", "", scale_nm)])
    return folder


@pytest.fixture(scope="module")
def scored(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, api.Scored]:
    folder = tmp_path_factory.mktemp("scored")
    network(folder / "released")
    images, place = labelled(folder / "images"), api.Workplace(folder / "results")
    found = api.test("theirs", str(images), place, None, folder / "released", INLINE)
    return folder, found


def test_every_image_has_a_score(scored: tuple[Path, api.Scored]) -> None:
    _, found = scored
    (one,) = found.networks
    assert (one.network, one.conditions, one.n) == ("theirs", "Au, 0.02 nm/px", 2)
    assert {image.image_id: image.dice is None for image in one.images} == {
        "images/a0.npy": False,
        "images/a1.npy": False,
        "images/empty.npy": True,
    }
    assert one.interval is not None
    assert one.whole.area_um2 == pytest.approx(3 * (128 * 0.02) ** 2 / 1e6)
    assert one.empty.patches == 1
    assert found.left_out == ("images/bare.npy: no label",)


def test_the_rows_are_in_the_store(scored: tuple[Path, api.Scored]) -> None:
    folder, found = scored
    rows = api.sql("select study, train, test from scores", folder / "results").rows
    assert rows == (("test-images", "theirs", "images"),)
    checked = api.check(found.study, workplace=api.Workplace(folder / "results"))
    assert checked.warnings == ()
    assert api.plan(found.study).count("evaluate", "known") == 1


def test_nothing_is_done_twice(scored: tuple[Path, api.Scored]) -> None:
    folder, found = scored
    place, page = api.Workplace(folder / "results"), folder / "page.html"
    file = folder / "released" / "theirs.safetensors"
    again = api.test(file, folder / "images", place, options=INLINE, page=page)
    assert again.summary.done == 0
    assert again.networks == found.networks
    assert page.read_text() == found.page.read_text()


def test_the_page_shows_the_worst_images_with_overlays(scored: tuple[Path, api.Scored]) -> None:
    _, found = scored
    page = found.page.read_text()
    order = [page.index(f">{one.image_id}<") for one in found.networks[0].images]
    assert order == sorted(order)
    assert page.count("data:image/jpeg;base64,") == 3
    assert "images/bare.npy: no label" in page


def test_a_collection_of_a_catalog_is_a_test_set(scored: tuple[Path, api.Scored]) -> None:
    folder, found = scored
    catalog = folder / "results" / "tests" / "images" / "catalog.parquet"
    place = api.Workplace(folder / "results")
    file = folder / "released" / "theirs.safetensors"
    with pytest.raises(CatalogError, match="no collection 'mine'"):
        api.test(file, f"{catalog}:mine", place)
    with pytest.raises(CatalogError, match="no dataset 'gold'"):
        api.test(file, f"{found.study}:gold", place)
    again = api.test(file, f"{found.study}:images", place, options=INLINE)
    assert again.networks[0].dice == found.networks[0].dice
    assert again.summary.done == 0


def test_an_image_of_unknown_scale_is_asked_for(tmp_path: Path) -> None:
    images, place = labelled(tmp_path / "images", None), api.Workplace(tmp_path / "results")
    file = network(tmp_path)
    with pytest.raises(ScaleUnknown, match=r"how large is a pixel\? 'theirs' was trained at 0\.02"):
        api.test(file, images, place)
    found = api.test(file, images, place, pixel_scale_nm=0.02, options=INLINE)
    assert found.left_out == ("bare.npy: no label",)
    with pytest.raises(ScaleUnknown, match=r"a0\.npy: how large is a pixel"):
        api.predict(file, images / "a0.npy", tmp_path)
    wanted = api.PredictOptions(pixel_scale_nm=0.02, workplace=place, tested_on=("images",))
    done = api.predict(file, str(images / "a0.npy"), str(tmp_path), wanted)
    assert done.images[0].path.exists()
    assert done.sizes is not None
    assert "particles_mean" in api.sql("from matrix", tmp_path / "results").columns


def test_a_network_that_is_not_there_is_told(tmp_path: Path) -> None:
    network(tmp_path / "released", "UNet_5nmAu330kX423eUTC_fold0")
    place = api.Workplace(tmp_path / "results")
    with pytest.raises(LearnError, match=r"did you mean 'UNet_5nmAu330kX423eUTC_fold0'\?"):
        api.find_networks("UNet_5nmAu330kX423eUTC_fold1", place, tmp_path / "released")
    (found,) = api.find_networks("5nmAu330kX", place, tmp_path / "released")
    assert found.name == "UNet_5nmAu330kX423eUTC_fold0"
    with pytest.raises(LearnError, match="no such network"):
        api.find_networks(tmp_path / "gone.safetensors", place)

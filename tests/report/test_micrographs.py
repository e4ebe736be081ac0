from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from studyspec.catalog.row import ImageRow
from studyspec.images.door import Door
from studyspec.images.patches import Patches
from studyspec.images.pipeline import save
from studyspec.plugins.contracts import Whereabouts
from studyspec.report.micrographs import BLANK, OUTLINE, draw, mosaic, worst_images
from studyspec.store.folder import Results
from studyspec.store.prepared import AtHand
from tests.report.examples import frames


def opened(jpeg: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(jpeg)).convert("RGB"), int)


def patches() -> Patches:
    """Two of four patches, the second all particle."""
    labels = np.zeros((2, 64, 64), np.uint8)
    labels[1, 16:48, 16:48] = 1
    places = np.array([0, 1], np.int32), np.array([0, 1], np.int32)
    return Patches(np.zeros((2, 64, 64), np.float32), labels, *places, (128, 128))


def test_patches_stand_in_their_places_and_what_was_left_out_is_blank() -> None:
    picture = opened(mosaic(patches()))
    assert picture.shape[:2] == (128, 128)
    assert np.abs(picture[32, 96] - BLANK).max() < 8
    assert picture[32, 32].max() < 8


def test_an_image_is_shown_smaller_with_its_label_outlined() -> None:
    label = np.zeros((1000, 960), bool)
    label[300:700, 300:700] = True
    picture = opened(draw(np.zeros(label.shape, np.float32), label))
    assert max(picture.shape) <= 480 + 20
    edges = np.abs(picture[138:152, 240] - OUTLINE).max(axis=1)
    assert edges.min() < 90
    assert picture[240, 240].max() < 40


def test_the_worst_come_first() -> None:
    made = frames(("A", "B"))
    found = worst_images(made, "A")
    assert len(found) == 12
    means = [
        np.mean([r.metrics["dice"] for r in made.images.rows if (r.test, r.image_id) == ("A", i)])
        for i in found
    ]
    assert means == sorted(means)


def test_what_is_not_at_hand_is_none(tmp_path: Path) -> None:
    results = Results(tmp_path)
    assert AtHand().patches("k") is None
    assert AtHand(results).patches("k") is None
    save(patches(), results.patches("k"))
    found = AtHand(results).patches("k")
    assert found is not None
    assert found.rows.tolist() == [0, 1]


def test_an_image_that_is_another_by_now_is_not_shown(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.arange(64, dtype=np.uint16).reshape(8, 8))
    at = Whereabouts(tmp_path / "catalog.parquet", tmp_path / "cache")
    row = ImageRow.from_json({"image_id": "a", "collection": "mine", "image_uri": "a.npy"})
    sha256 = Door(at).identity(row, "drawn").image_sha256
    hand = AtHand(Results(tmp_path / "results"), at)
    found = hand.image({**row.to_json(), "image_sha256": sha256}, "drawn")
    assert found is not None
    assert found.pixels.shape == (8, 8)
    assert hand.image({**row.to_json(), "image_sha256": "0" * 64}, "drawn") is None
    (tmp_path / "a.npy").unlink()
    assert hand.image({**row.to_json(), "image_sha256": sha256}, "drawn") is None

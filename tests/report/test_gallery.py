from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from studyspec.jobs.kept import KeptPatch
from studyspec.report.gallery import FALSE, HIT, MISSED, SHOWN_PX, draw, gallery
from studyspec.report.page import render, write
from tests.report.examples import frames, kept


class Opened(Mapping[str, Sequence[KeptPatch]]):
    """Kept patches that note what is asked of them."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys_, self.asked = list(keys), list[str]()

    def __getitem__(self, key: str) -> Sequence[KeptPatch]:
        self.asked.append(key)
        return [kept(), kept("worst")]

    def __contains__(self, key: object) -> bool:
        return key in self.keys_

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys_)

    def __len__(self) -> int:
        return len(self.keys_)


def test_a_picture_shows_hits_misses_and_false_positives() -> None:
    data, bar = draw(kept(), 0.02)
    picture = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    right = picture[:, -SHOWN_PX:]
    n = SHOWN_PX
    for (row, col), ink in {
        (n // 4, n // 4): HIT,
        (n // 4, 3 * n // 4): MISSED,
        (3 * n // 4 - 8, n // 4): FALSE,
    }.items():
        expected = 0.5 * 128 + 0.5 * np.array(ink)
        assert np.abs(right[row, col] - expected).max() < 12
    assert bar == 0.5 or bar == 1
    assert draw(kept(), None)[1] is None


def test_the_gallery_opens_one_fold_of_every_cell() -> None:
    made = frames(("A", "B"))
    patches = Opened([row.evaluation for row in made.folds.rows])
    pictures = gallery(replace(made, kept=patches))
    assert len(pictures) == 4 * 2
    assert {picture.fold for picture in pictures} == {0}
    assert len(patches.asked) == 4


def test_pictures_are_in_the_page() -> None:
    made = frames(("A", "B"))
    made = replace(made, kept={row.evaluation: [kept()] for row in made.folds.rows})
    assert "What networks see" in render([made])
    assert "data:image/jpeg;base64," in render([made])
    assert "What networks see" not in render([frames(("A",))])


def test_too_many_pictures_go_to_a_folder_beside_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studyspec.report.page.PICTURES_BYTES", 1000)
    made = frames(("A",))
    made = replace(made, kept={row.evaluation: [kept()] for row in made.folds.rows})
    write([made], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text()
    assert len(list((tmp_path / "page_pictures").glob("*.jpg"))) == 1
    assert "in a folder beside this page" in text
    assert "base64" not in text.partition('id="data"')[2].partition("</script>")[0]

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from studyspec.report import page
from tests.report.examples import HOSTILE, Size, frames

SECTIONS = ("Matrix", "Datasets", "Methods", "Provenance")


class Text(HTMLParser):
    """What a reader of the page gets as text, the elements of the page, and its data."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.data, self._script = "", "", False
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._script = tag == "script"

    def handle_data(self, data: str) -> None:
        if not self._script:
            self.text += data
        elif self.elements[-1][1].get("id") == "data":
            self.data += data


@pytest.fixture(scope="module")
def html() -> str:
    return page.render([frames()])


def test_the_page_has_every_section(html: str) -> None:
    labels = [attributes.get("aria-label") for tag, attributes in Text(html).elements]
    assert [label for label in labels if label in SECTIONS] == list(SECTIONS)


def test_the_page_loads_nothing_from_elsewhere(html: str) -> None:
    for tag, attributes in Text(html).elements:
        assert not {"src", "srcset"} & attributes.keys(), tag
        assert tag != "link"


def test_the_policy_is_strict(html: str) -> None:
    (said,) = [a["content"] for tag, a in Text(html).elements if "http-equiv" in a]
    assert said is not None
    assert said.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in said
    assert "http" not in said


def test_the_page_says_how_complete_it_is() -> None:
    made = frames(
        missing=[("Au", "Ag", fold) for fold in range(5)],
        failures={f"eval-Au-Ag-{fold}": "out of memory" for fold in range(5)},
    )
    assert "8 of 9 cells; 1 missing: out of memory." in Text(page.render([made])).text


def test_the_queries_behind_the_charts_are_shown(html: str) -> None:
    text = Text(html).text
    for view in ("matrix", "scores", "image_scores", "history"):
        assert f"select * from {view}" in text


def test_on_the_twin_it_says_so(html: str) -> None:
    assert "Judged on the twin" in Text(html).text


def test_the_same_frames_give_the_same_page(html: str) -> None:
    assert page.render([frames()]) == html


def test_a_hostile_name_stays_text() -> None:
    plain, hostile = page.render([frames(("Au", "Ag"))]), page.render([frames(("Au", HOSTILE))])
    assert hostile.lower().count("<script") == plain.lower().count("<script") == 3
    parsed = Text(hostile)
    assert HOSTILE in parsed.text
    assert HOSTILE in json.loads(parsed.data)["studies"][0]["tests"]


def test_rows_stand_in_the_data_once_and_by_column(html: str) -> None:
    (study,) = json.loads(Text(html).data)["studies"]
    folds = study["frames"]["folds"]
    assert folds["train"]["of"] == ["Au", "Ag", "CdSe"]
    assert len(folds["dice"]) == 9 * 5


def test_several_studies_share_one_bundle_and_have_an_index(html: str) -> None:
    both = page.render([frames(), frames(study="dose", question="Does the dose matter?")])
    assert len(both) < len(html) + 300_000
    links = [a["href"] for tag, a in Text(both).elements if tag == "a"]
    assert links == ["#study-0", "#study-1"]
    assert "Does the dose matter?" in Text(both).text


def test_headings_descend_by_one() -> None:
    for studies in ([frames()], [frames(), frames(study="dose")]):
        elements = Text(page.render(studies)).elements
        levels = [int(tag[1]) for tag, _ in elements if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(b <= a + 1 for a, b in pairwise(levels))


@pytest.mark.slow
def test_49_cells_of_5_folds_with_curves_are_small_and_fast() -> None:
    made: Any = frames([f"dataset {i}" for i in range(7)], Size(images=40, epochs=250))
    start = time.perf_counter()
    html = page.render([made])
    assert time.perf_counter() - start < 60
    assert len(html.encode()) < 3_000_000

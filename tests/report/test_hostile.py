"""A study whose every word is an attack, through every output that a browser may show."""

from __future__ import annotations

from pathlib import Path

import pytest

from studyspec.report import page
from studyspec.report.summary import Glance, index_page, markdown
from tests.report.browser import Browser, needs_chromium
from tests.report.examples import frames, replanned

ATTACK = (
    '<img src=x onerror="window.owned=1">|[x](javascript:owned=1)`</script>'
    "<script>window.owned=1</script>"
)
OWNED = "window.owned === undefined && document.querySelectorAll('img[src=x]').length === 0"


def test_markdown_of_a_hostile_study_has_no_tags() -> None:
    made = replanned(frames(("Au", ATTACK)), study=ATTACK, question=ATTACK)
    text = markdown([Glance.of(made)])
    assert "<img" not in text
    assert "<script" not in text
    assert "](javascript" not in text.replace("\\]", "")


@pytest.mark.browser
@needs_chromium
def test_pages_of_a_hostile_study_run_nothing(tmp_path: Path) -> None:
    made = replanned(frames(("Au", ATTACK)), study=ATTACK, question=ATTACK)
    glance = Glance.of(made)
    pages = {
        "page": page.render([made]),
        # without its policy, which would stop any script: the text itself is to hold none
        "index": index_page([("page.html", glance)]).replace("Content-Security-Policy", "x-none"),
        "markdown": f"<!doctype html><meta charset=utf-8><body>{markdown([glance])}",
    }
    with Browser() as browser:
        for name, text in pages.items():
            path = tmp_path / f"{name}.html"
            done = "" if name == "page" else "<script>window.ready = true</script>"
            path.write_text(text + done, encoding="utf-8")
            browser.open(path.as_uri())
            assert browser.evaluate(OWNED), name

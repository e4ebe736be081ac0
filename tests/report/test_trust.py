from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studyspec.report.trust import write
from studyspec.trust.conditions import Conditions
from studyspec.trust.evidence import Preview
from studyspec.trust.examples import Example
from studyspec.trust.judging import Judged
from studyspec.trust.model import Expected
from studyspec.trust.validation import Held, Validation
from tests.report.browser import AXE, Browser, needs_chromium
from tests.trust.made_up import examples

BETTER = Validation((Held("Au", 3, 0.8, 0.1, 0.2, 0.3, 0.9),), 0.1, 0.2, 0.3, 0.9, 0.97, 0.8)
WORSE = Validation((Held("Au", 3, 0.8, 0.1, 0.05, 0.3, 0.9),), 0.1, 0.05, 0.3, 0.9, None, 0.8)


def judged(name: str, dice: float, *outside: str) -> Judged:
    preview = Preview(np.zeros((32, 48), np.uint8), np.ones((32, 48), bool))
    expected = Expected(dice, dice - 0.1, dice + 0.05, None, 0.8, outside)
    return Judged("<net>", "ab" * 32, "Au, 5 nm", Path(name), Conditions(), expected,
                  ("soft dice confidence 0.80",), (), {}, preview)  # fmt: skip


def known() -> list[Example]:
    """Examples that differ in dose, and one in diameter too."""
    made = examples(4, 3)
    other = replace(made[0].condition, diameter_nm=10.0)
    return [*made, replace(made[0], condition=other)]


def page(folder: Path, validation: Validation | None) -> str:
    rows = [judged("low.tif", 0.41, "entropy 9, tested to 3"), judged("high.tif", 0.91)]
    write(rows, known(), 0.7, "two studies", validation, folder / "t.html")
    return (folder / "t.html").read_text()


def test_doubt_comes_first_with_its_reason_and_what_is_outside(tmp_path: Path) -> None:
    text = page(tmp_path, BETTER)
    assert text.index("low.tif") < text.index("high.tif")
    assert "On 1 of 2 images a dice of 0.7 or more is expected" in text
    assert "Outside what was ever tested:</strong> entropy 9, tested to 3" in text
    assert "0.31 to 0.46" in text
    assert "&lt;net&gt;" in text
    assert "<net>" not in text


def test_a_model_that_does_not_beat_both_baselines_says_so(tmp_path: Path) -> None:
    warning = "does not beat both plain baselines"
    assert warning not in page(tmp_path, BETTER)
    assert warning in page(tmp_path, WORSE)
    assert "too few conditions to say" in page(tmp_path, None)


@pytest.mark.browser
@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_map_is_drawn_and_axe_finds_nothing(tmp_path: Path, scheme: str) -> None:
    page(tmp_path, WORSE)
    with Browser() as browser:
        browser.emulate(scheme=scheme)
        browser.open((tmp_path / "t.html").as_uri())
        browser.wait_for("window.ready")
        cells = browser.evaluate("document.querySelectorAll('#map path[aria-label]').length")
        browser.evaluate(f"{AXE};0")
        found = browser.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(r => JSON.stringify("
            "r.violations.map(v => [v.id, v.nodes.map(n => n.html.slice(0, 120))])))"
        )
    assert cells > 0
    assert json.loads(found) == []

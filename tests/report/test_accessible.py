"""The page for every reader: axe, the keyboard, print, whole micrographs, in a real Chromium.

`axe.min.js` is axe-core 4.10.3 of Deque Systems (Mozilla Public License 2.0), for tests alone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studyspec.images.patches import Patches
from studyspec.images.pipeline import save
from studyspec.report import page
from studyspec.report.frames import PatchRow, StudyFrames
from studyspec.store.folder import Results
from studyspec.store.prepared import AtHand
from tests.report.browser import AXE, Browser, needs_chromium
from tests.report.examples import Size, frames, kept, replanned

pytestmark = [
    pytest.mark.browser,
    pytest.mark.slow,
    needs_chromium,
]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
CELLS = "[...document.querySelectorAll('[data-chart=matrix] .mark-rect path[aria-label]')]"
FILLS = f"{CELLS}.map(e => e.getAttribute('fill')).join()"
LEGEND = "document.querySelector('[data-chart=matrix] .role-legend').textContent"
WHOLES = "[...document.querySelectorAll('.wholes button')]"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A page with all there can be."""
    folder = tmp_path_factory.mktemp("accessible")
    path = folder / "report.html"
    path.write_text(page.render([study(folder)]), encoding="utf-8")
    return path.as_uri()


def study(folder: Path) -> StudyFrames:
    """Two sets with claims, kept patches, whole micrographs, and one incomplete cell."""
    claim = {
        "says": "B works on A",
        "left": {"train": "B", "test": "A"},
        "right": {"train": "A", "test": "A"},
        "at_least": -0.5,
    }
    made = frames(("A", "B"), Size(folds=2, images=8, epochs=3), [("A", "B", 1)])
    lists = {f"list-{name}": [f"{name}{i}" for i in range(8)] for name in "AB"}
    made = replanned(made, lists=lists, spec={**made.plan.spec, "claims": [claim]})
    results = Results(folder / "results")
    for keys in lists.values():
        for key in keys:
            patches = np.random.default_rng(0).normal(size=(3, 32, 32)).astype(np.float32)
            labels = np.zeros((3, 32, 32), np.uint8)
            labels[:, 8:24, 8:24] = 1
            places = np.array([0, 0, 1], np.int32), np.array([0, 1, 1], np.int32)
            save(Patches(patches, labels, *places, (70, 64)), results.patches(key))
    first = [row.evaluation for row in made.folds.rows if row.fold == 0]
    scores = [
        PatchRow("base", row.train, row.test, row.image_id, 0, col, 0.4 + 0.3 * col)
        for row in made.images.rows
        if row.fold == 0
        for col in range(2)
    ]
    return replace(
        made,
        kept={key: [kept(), kept("worst")] for key in first},
        at_hand=AtHand(results),
        patch_scores=scores,
        edited="The study file was edited since it ran.",
    )


def width(browser: Browser, pixels: int) -> None:
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        width=pixels,
        height=900,
        deviceScaleFactor=1,
        mobile=False,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("pixels", [1280, 390])
def test_axe_finds_nothing(browser: Browser, address: str, pixels: int, scheme: str) -> None:
    width(browser, pixels)
    browser.emulate("screen", scheme)
    browser.open(address)
    browser.evaluate(
        f"{WHOLES}[0].click(); document.querySelectorAll('details').forEach(d => d.open = true)"
    )
    browser.evaluate(f"{AXE};true")
    found = browser.evaluate(
        f"axe.run(document, {{runOnly: {json.dumps(RULES)}}}).then(r => r.violations.map("
        "v => `${v.id}: ${v.help}: ${v.nodes.map(n => n.target.join(' ')).join(', ')}`))"
    )
    browser.emulate()
    width(browser, 1280)
    assert found == []


def test_the_keyboard_reaches_all_controls_in_the_order_of_the_page(
    browser: Browser, address: str
) -> None:
    browser.open(address)
    order = "[...document.querySelectorAll('select, input, button, summary, [tabindex], a[href]')]"
    shown = f"{order}.filter(e => e.checkVisibility())"
    browser.evaluate(f"{shown}.forEach((e, i) => e.dataset.place = i)")
    n = browser.evaluate(f"{shown}.length")
    reached = []
    for _ in range(n):
        for kind in ("keyDown", "keyUp"):
            browser.command(
                "Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9
            )
        reached.append(browser.evaluate("document.activeElement.dataset.place"))
    assert n > 15
    assert reached == [str(i) for i in range(n)]


def test_the_keyboard_opens_a_micrograph(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.evaluate(f"{WHOLES}[0].focus()")
    for kind in ("keyDown", "keyUp"):
        browser.command(
            "Input.dispatchKeyEvent",
            type=kind,
            key="Enter",
            code="Enter",
            windowsVirtualKeyCode=13,
            text="\r" if kind == "keyDown" else "",
        )
    browser.wait_for("document.querySelectorAll('.whole rect').length === 2")
    assert browser.evaluate(f"{WHOLES}[0].getAttribute('aria-pressed')") == "true"


def test_micrographs_come_worst_first_and_show_their_patches(
    browser: Browser, address: str
) -> None:
    browser.open(address)
    scores = browser.evaluate(f"{WHOLES}.map(e => Number(e.querySelector('b').textContent))")
    assert len(scores) == 6
    assert scores == sorted(scores)
    browser.evaluate(f"{WHOLES}.find(e => e.title === 'twin/A/00')?.click() ?? {WHOLES}[0].click()")
    texts = browser.evaluate(
        "[...document.querySelectorAll('.whole text')].map(e => e.textContent)"
    )
    assert texts == ["0.40", "0.70"]
    box = browser.evaluate("document.querySelector('.whole svg').getAttribute('viewBox')")
    assert [float(x) for x in box.split()] == pytest.approx([0, 0, 200, 218.75])
    assert browser.complaints() == []


def test_colours_follow_the_data_unless_the_scale_is_fixed(browser: Browser, address: str) -> None:
    browser.open(address)
    following: Any = browser.evaluate(FILLS)
    assert "1.00" not in browser.evaluate(LEGEND)
    browser.click("document.querySelector('[data-check=fixed]')")
    browser.wait_for(f"{FILLS} !== {json.dumps(following)}")
    assert "1.00" in browser.evaluate(LEGEND)


def test_the_bar_of_colours_has_the_title_of_its_metric(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.evaluate(LEGEND).endswith("Dice")
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=metric]');"
        "menu.value = 'loss'; menu.dispatchEvent(new Event('change')) })()"
    )
    browser.wait_for(f"{LEGEND}.endsWith('Cross-entropy')")


def test_cells_have_intervals(browser: Browser, address: str) -> None:
    browser.open(address)
    said = browser.evaluate(f"{CELLS}.map(e => e.getAttribute('aria-label')).join()")
    assert said.count("95 % interval") == 3  # the fourth is incomplete
    texts = browser.evaluate("document.querySelector('[data-chart=matrix] svg').textContent")
    assert texts.count(" to ") == 3


def test_print_has_no_controls_no_voids_and_all_cells(browser: Browser, address: str) -> None:
    browser.emulate("print")
    browser.open(address)
    browser.evaluate("dispatchEvent(new Event('beforeprint'))")
    seen = browser.evaluate(
        "[...document.querySelectorAll('select, input, summary, .tools button, .live')]"
        ".filter(e => e.checkVisibility()).length"
    )
    cells = browser.evaluate(
        "[...document.querySelectorAll('details.numbers td')]"
        ".filter(e => e.checkVisibility()).map(e => e.textContent)"
    )
    back = browser.evaluate("getComputedStyle(document.querySelector('.pair')).backgroundColor")
    browser.emulate()
    assert seen == 0
    assert len(cells) == 4
    assert sum(" to " in cell for cell in cells) == 3  # the fourth is incomplete
    assert sum("1 of 2 folds" in cell for cell in cells) == 1
    assert back == "rgba(0, 0, 0, 0)"

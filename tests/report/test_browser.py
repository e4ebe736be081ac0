"""The page as a reader meets it, in a real Chromium."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from studyspec.report import page
from studyspec.report.frames import Frame, StudyFrames
from tests.report.browser import Browser, needs_chromium
from tests.report.examples import HOSTILE, frames

pytestmark = [
    pytest.mark.browser,
    needs_chromium,
]
NAMES = ("Au", "Ag", HOSTILE)
CELLS = "[...document.querySelectorAll('[data-chart=matrix] .mark-rect path[aria-label]')]"
POINTS = "document.querySelectorAll('[data-chart=folds] .mark-symbol.role-mark path').length"
INK = "[...document.querySelectorAll('[data-chart=matrix] .role-mark.mark-text text')]"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    made = frames(
        NAMES,
        missing=[("Au", HOSTILE, fold) for fold in range(5)],
        failures={f"eval-Au-{HOSTILE}-{fold}": "out of memory" for fold in range(5)},
    )
    return written(tmp_path_factory.mktemp("page"), made)


def written(folder: Path, *studies: StudyFrames) -> str:
    path = folder / "report.html"
    path.write_text(page.render(studies), encoding="utf-8")
    return path.as_uri()


def text(browser: Browser, kind: str) -> Any:
    return browser.evaluate(f"document.querySelector('[data-text={kind}]').textContent")


def cell(train: str, test: str) -> str:
    """The element of a cell of the matrix, as JavaScript."""
    said = json.dumps(f"trained on {train}, tested on {test}:")
    return f"{CELLS}.find(e => e.getAttribute('aria-label').startsWith({said}))"


def test_the_page_draws_all_without_complaint_and_without_network(
    browser: Browser, address: str
) -> None:
    browser.open(address)
    assert browser.complaints() == []
    assert browser.requests() == [address]
    assert browser.evaluate("document.querySelectorAll('[data-chart] svg').length") == 4


def test_a_hostile_name_runs_nothing_and_is_shown(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.evaluate("document.scripts.length") == 3
    assert HOSTILE in browser.evaluate("document.body.textContent")
    browser.click(cell(HOSTILE, HOSTILE))
    assert text(browser, "pair").startswith(f"{HOSTILE} → {HOSTILE}")
    assert browser.complaints() == []


def test_a_click_on_a_cell_drives_the_views_and_the_address(browser: Browser, address: str) -> None:
    browser.open(address)
    before = text(browser, "figures")
    browser.click(cell("Ag", "Au"))
    browser.wait_for("location.hash === '#train=Ag&test=Au'")
    assert text(browser, "pair") == "Ag → Au"
    assert text(browser, "figures") != before
    assert "Dice less own set" in text(browser, "figures")
    assert browser.evaluate("document.querySelector('[data-menu=train]').value") == "Ag"
    browser.wait_for(f"{POINTS} === 5")


def test_the_menus_do_the_same(browser: Browser, address: str) -> None:
    browser.open(address)
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=test]'); menu.value = 'Ag';"
        "menu.dispatchEvent(new Event('change')) })()"
    )
    browser.wait_for("location.hash === '#train=Au&test=Ag'")
    assert text(browser, "pair") == "Au → Ag"


def test_the_address_chooses_the_pair(browser: Browser, address: str) -> None:
    browser.open(f"{address}#train=Ag&test=Au")
    assert text(browser, "pair") == "Ag → Au"


def test_an_address_of_no_pair_shows_the_first(browser: Browser, address: str) -> None:
    browser.open(f"{address}#train=Pt&test=%3Cb%3E")
    assert text(browser, "pair").startswith("Au → Au")
    assert browser.complaints() == []


def test_a_missing_cell_is_hatched_and_says_why(browser: Browser, address: str) -> None:
    browser.open(address)
    assert browser.evaluate(f"{cell('Au', HOSTILE)}.getAttribute('fill')").startswith("url(")
    browser.click(cell("Au", HOSTILE))
    browser.wait_for("!document.querySelector('[data-text=absent]').hidden")
    assert text(browser, "absent") == "No score: out of memory."
    assert browser.evaluate("document.querySelector('[data-part=scores]').hidden")


def test_the_metric_switch_changes_the_cells(browser: Browser, address: str) -> None:
    browser.open(address)
    before = browser.evaluate(f"{INK}.map(e => e.textContent).join()")
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=metric]');"
        "menu.value = 'normalized'; menu.dispatchEvent(new Event('change')) })()"
    )
    browser.wait_for(f"{INK}.map(e => e.textContent).join() !== {json.dumps(before)}")
    assert "1.00" in browser.evaluate(f"{INK}.map(e => e.textContent).join()")


def test_every_metric_with_scores_can_be_shown(browser: Browser, address: str) -> None:
    browser.open(address)
    menu = "document.querySelector('[data-menu=metric]')"
    names = browser.evaluate(f"[...{menu}.options].map(o => o.value)")
    assert names[0] == "dice"
    assert {"loss", "recall", "normalized"} <= set(names)
    first = browser.evaluate(f"{cell('Ag', 'Au')}.getAttribute('fill')")
    for name in names:
        browser.evaluate(
            f"(() => {{ {menu}.value = '{name}'; {menu}.dispatchEvent(new Event('change')) }})()"
        )
    browser.wait_for(f"{cell('Ag', 'Au')}.getAttribute('aria-label').includes('Of own set')")
    assert browser.evaluate(f"{cell('Ag', 'Au')}.getAttribute('fill')") != first
    assert browser.complaints() == []


def test_a_lower_score_that_is_better_is_as_bright(browser: Browser, tmp_path: Path) -> None:
    made = frames(("Au",))
    (one,) = made.matrix.rows
    shown = one._replace(means={"dice": 1.0, "loss": 0.0}, normalized=None)
    browser.open(written(tmp_path, replace(made, matrix=Frame([shown]))))
    fill = f"{cell('Au', 'Au')}.getAttribute('fill')"
    bright = browser.evaluate(fill)
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=metric]');"
        "menu.value = 'loss'; menu.dispatchEvent(new Event('change')) })()"
    )
    browser.wait_for(f"{cell('Au', 'Au')}.getAttribute('aria-label').includes('Cross-entropy')")
    assert browser.evaluate(fill) == bright


def test_the_own_set_of_base_is_drawn_for_a_variant_without_one(
    browser: Browser, tmp_path: Path
) -> None:
    made = frames(("Au", "Ag"))
    planned = [cell.model_dump() for cell in made.plan.cells]
    off = [{**cell, "variant": "bare"} for cell in planned if cell["train"] != cell["test"]]
    made = frames(("Au", "Ag"), cells=[*planned, *off], variants={"base": {}, "bare": {"a": 1}})
    scores = [*made.folds.rows, *(r._replace(variant="bare") for r in made.folds.rows)]
    browser.open(written(tmp_path, replace(made, folds=Frame(scores))) + "#train=Ag&test=Au")
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=variant]'); menu.value = 'bare';"
        "menu.dispatchEvent(new Event('change')) })()"
    )
    rules = "[...document.querySelectorAll('[data-chart=folds] .mark-rule.role-mark line')].length"
    browser.wait_for(f"{rules} === 2")


def test_text_in_cells_has_a_contrast_of_4_5(browser: Browser, tmp_path: Path) -> None:
    made = frames(("Au", "Ag", "CdSe"))
    cells = [c._replace(means={"dice": i / 8}) for i, c in enumerate(made.matrix.rows)]
    browser.open(written(tmp_path, replace(made, matrix=Frame(cells))))
    fills = browser.evaluate(f"{CELLS}.map(e => getComputedStyle(e).fill)")
    inks = browser.evaluate(f"{INK}.map(e => getComputedStyle(e).fill)")
    assert len(set(fills)) == 9
    assert set(inks) == {"rgb(0, 0, 0)", "rgb(255, 255, 255)"}
    for fill, ink in zip(fills, inks, strict=False):
        assert contrast(fill, ink) >= 4.5


def contrast(one: str, other: str) -> float:
    """The contrast of two colours "rgb(r, g, b)" after WCAG 2."""
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


def luminance(color: str) -> float:
    parts = [int(part) / 255 for part in color.removeprefix("rgb(").rstrip(")").split(",")]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_soft_text_can_be_read_in_light_and_dark(
    browser: Browser, address: str, scheme: str
) -> None:
    browser.emulate(scheme=scheme)
    browser.open(address)
    style = "getComputedStyle(document.querySelector('{}')).{}"
    paper = browser.evaluate(style.format("body", "backgroundColor"))
    raised = browser.evaluate(style.format(".pair", "backgroundColor"))
    selectors = ("body", "figcaption", "summary", "button")
    colors = [browser.evaluate(style.format(selector, "color")) for selector in selectors]
    browser.emulate()
    assert (luminance(paper) > 0.5) == (scheme == "light")
    for selector, color in zip(selectors, colors, strict=True):
        assert min(contrast(color, paper), contrast(color, raised)) >= 4.5, selector


def test_a_chart_can_be_saved_as_csv_without_formulas(browser: Browser, tmp_path: Path) -> None:
    browser.open(written(tmp_path, frames(("=cmd()", 'Ag, "pure"'))))
    browser.evaluate(
        "(() => { window.saved = new Promise(done => { URL.createObjectURL = blob => {"
        "blob.text().then(done); return 'blob:none' } }); HTMLAnchorElement.prototype.click ="
        "function () { window.name = this.download } })()"
    )
    browser.evaluate("document.querySelector('[data-save=csv][data-of=folds]').click()")
    rows = list(csv.DictReader(browser.evaluate("window.saved").splitlines()))
    assert browser.evaluate("window.name") == "material-folds.csv"
    assert len(rows) == 4 * 5
    assert {row["train"] for row in rows} == {"'=cmd()", 'Ag, "pure"'}


@pytest.mark.parametrize(("kind", "start"), [("svg", "blob:"), ("png", "data:image/png")])
def test_a_chart_can_be_saved_as_a_picture(
    browser: Browser, address: str, kind: str, start: str
) -> None:
    browser.open(address)
    browser.evaluate(
        "(() => { window.saved = new Promise(done => { HTMLAnchorElement.prototype.click ="
        "function () { done(this.href) } }) })()"
    )
    browser.evaluate(f"document.querySelector('[data-save={kind}][data-of=matrix]').click()")
    assert browser.evaluate("window.saved").startswith(start)


def test_variants_can_be_chosen(browser: Browser, tmp_path: Path) -> None:
    made = frames(("Au", "Ag"))
    planned = [cell.model_dump() for cell in made.plan.cells]
    cells = [*planned, *({**cell, "variant": "bare", "evaluation": "?"} for cell in planned)]
    variants = {"base": {}, "bare": {"preprocess.flat_field.enabled": False}}
    browser.open(written(tmp_path, frames(("Au", "Ag"), cells=cells, variants=variants)))
    browser.evaluate(
        "(() => { const menu = document.querySelector('[data-menu=variant]'); menu.value = 'bare';"
        "menu.dispatchEvent(new Event('change')) })()"
    )
    browser.wait_for("!document.querySelector('[data-text=absent]').hidden")
    assert text(browser, "absent") == "No score: not run yet."


def test_several_studies_keep_their_own_pair(browser: Browser, tmp_path: Path) -> None:
    address = written(tmp_path, frames(("Au", "Ag")), frames(("Au", "Ag"), study="dose"))
    browser.open(f"{address}#study=dose&train=Ag&test=Au")
    pairs = "[...document.querySelectorAll('[data-text=pair]')].map(e => e.textContent)"
    assert browser.evaluate(pairs)[1] == "Ag → Au"
    assert browser.evaluate(pairs)[0].startswith("Au → Au")
    assert browser.complaints() == []


def test_on_a_narrow_screen_nothing_is_wider_than_it(browser: Browser, address: str) -> None:
    browser.command(
        "Emulation.setDeviceMetricsOverride",
        width=390,
        height=800,
        deviceScaleFactor=1,
        mobile=True,
    )
    browser.open(address)
    width = browser.evaluate("document.documentElement.scrollWidth")
    browser.command("Emulation.clearDeviceMetricsOverride")
    assert width <= 390

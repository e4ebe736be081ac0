"""Several studies at a glance: an index page, and a document in Markdown."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from studyspec.files import write as write_whole
from studyspec.neutral import for_markdown
from studyspec.report import verdicts
from studyspec.report.asked import Asked
from studyspec.report.cells import merged_cells
from studyspec.report.contents import MEASURED, completeness, outcome
from studyspec.report.done import Done
from studyspec.report.embedding import policy
from studyspec.report.frames import StudyFrames
from studyspec.report.methods import TWIN
from studyspec.report.page import shipped, write
from studyspec.report.provenance import label
from studyspec.report.verdicts import JudgedClaim
from studyspec.stats.claims import Outcome

if TYPE_CHECKING:
    from studyspec.store.folder import Results

WIDTH = 100
MARKS: Mapping[Outcome, str] = {
    "held": "✓ held",
    "did not hold": "✗ did not hold",
    "undecided": "○ undecided",
}
PAPER = "Sytwu et al. (2023)"
NUMBERED = re.compile(r"C\d+\b")


@dataclass(frozen=True)
class Glance:
    """What one study came to, in words."""

    name: str
    question: str
    figure: str
    collections: str
    outcome: str
    complete: str
    minutes: float
    claims: Sequence[JudgedClaim]

    @classmethod
    def of(cls, frames: StudyFrames) -> Glance:
        """Judge a study."""
        cells = merged_cells(frames)
        plan = frames.plan
        study = plan.spec.get("study")
        return cls(
            label(plan),
            plan.question,
            str(study.get("figure") or "") if isinstance(study, dict) else "",
            ", ".join(Done(plan).collections),
            outcome(cells) if cells else MEASURED,
            completeness(cells) if cells else "",
            sum(run.seconds for run in frames.runs.rows) / 60,
            verdicts.claims(frames, verdicts.scores_of(frames, cells)),
        )

    @property
    def tally(self) -> str:
        """As "2 of 3 claims held, 1 undecided."."""
        return verdicts.tally(self.claims)


def build_pages(results: Results, studies: Sequence[Asked], index: Path) -> Path:
    """A page for each study beside `index`, which links them.

    Raises
    ------
    NothingThere
        If a study has never been planned in this results folder.
    """
    from studyspec.report.reading import read_all

    links = []
    for one, frames in zip(studies, read_all(results, studies), strict=True):
        page = index.with_name(f"{one.study}{f'-{one.profile}' if one.profile else ''}.html")
        write([frames], page)
        links.append((page.name, Glance.of(frames)))
    write_whole(index, index_page(links))
    return index


def build_markdown(results: Results, studies: Sequence[Asked], document: Path) -> Path:
    """The studies as one document in Markdown.

    Raises
    ------
    NothingThere
        If a study has never been planned in this results folder.
    """
    from studyspec.report.reading import read_all

    found = read_all(results, studies)
    write_whole(document, markdown([Glance.of(one) for one in found], document.name))
    return document


def index_page(links: Sequence[tuple[str, Glance]]) -> str:
    """An HTML page that links the pages of studies."""
    css = shipped("page.css")
    items = "\n".join(
        f'<li><h2 class="minor"><a href="{escape(address)}">{escape(one.name)}</a></h2>'
        f"<p>{escape(one.question)}</p><p>{escape(one.outcome)} {escape(one.tally)}</p>"
        f'<p class="note">{escape(one.complete)}</p></li>'
        for address, one in links
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy([], [css])}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{len(links)} studies · studyspec</title>
<style>{css}</style>
</head>
<body>
<main>
<h1 class="title">{len(links)} studies</h1>
<ul class="index">
{items}
</ul>
</main>
</body>
</html>
"""


def markdown(glances: Sequence[Glance], name: str = "README.md") -> str:
    """A table of all studies, and what came of the claims of each; `name` is that of the file."""
    lines = [
        _head(glances, name),
        "| study | figure | question | minutes | claims |",
        "|---|---|---|---|---|",
    ]
    for one in glances:
        held = sum(claim.verdict == "held" for claim in one.claims)
        claims = f"{held} of {len(one.claims)} held" if one.claims else "–"
        cells = (
            f"[{for_markdown(one.name)}](#{quote(one.name)})",
            one.figure or "–",
            one.question,
            f"{one.minutes:.1f}",
            claims,
        )
        lines.append(f"| {' | '.join([cells[0], *map(_text, cells[1:])])} |")
    for one in glances:
        lines += [
            "",
            f"## {_text(one.name)}",
            "",
            f"{_text(one.question)} On: {_text(one.collections)}.",
            "",
        ]
        lines += [_text(f"{one.outcome} {one.complete}".strip()), ""]
        lines += [_claim(claim) for claim in one.claims]
    return "\n".join(lines).rstrip() + "\n"


def _head(glances: Sequence[Glance], name: str) -> str:
    """What the document is, and how its numbers came about."""
    collections = dict.fromkeys(one for g in glances for one in g.collections.split(", ") if one)
    told = [
        f"Made by `studyspec report STUDIES --markdown {name}`; do not edit.",
        f"What is said here was found on images of {' and '.join(collections) or 'no collection'}.",
    ]
    if TWIN in collections:
        told.append("What was found on the twin is about simulated images.")
    if any(g.figure for g in glances) and any(
        NUMBERED.match(claim.says) for g in glances for claim in g.claims
    ):
        told.append(
            f"Claims with a number, as C3, are those of {PAPER}, in the words of what they found "
            "on real images; the verdict is what came out here."
        )
    told.append(
        "Minutes are those of the recorded trainings and tests, one after the other; a network "
        "that several studies need is trained once and counted in each."
    )
    title = "Studies" if len(glances) != 1 else f"Study {for_markdown(glances[0].name)}"
    return f"# {title}\n\n" + textwrap.fill(" ".join(told), WIDTH, break_on_hyphens=False) + "\n"


def _claim(claim: JudgedClaim) -> str:
    parts = [part.reason for part in claim.parts or (claim,)]
    reasons = "; ".join(map(_text, [*parts, *([claim.note] if claim.note else [])]))
    return f"- {MARKS[claim.verdict]}: {_text(claim.says)}. {reasons}"


def _text(text: str) -> str:
    """Text that stays in its cell, and is only text."""
    return for_markdown(text)

"""Neutral text: what users and files say, so that no terminal, table, page or paper obeys it.

One function for each kind of output; HTML is made by jinja2 and `html.escape`. Knows no output.
"""

from __future__ import annotations

import re

CONTROL = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but for tab and new line, those that turn text around, and half characters."""
FORMULA = ("=", "+", "-", "@", "\t", "\r")
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
MARKDOWN = re.compile(r"[\\`*\[\]|~]")
LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}",
        "{": r"\{",
        "}": r"\}",
        "&": r"\&",
        "%": r"\%",
        "$": r"\$",
        "#": r"\#",
        "_": r"\_",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def for_terminal(text: object) -> str:
    """A text with its control characters made visible: an escape sequence becomes letters."""
    return CONTROL.sub(_visible, str(text))


def for_csv(cell: object) -> object:
    """A cell; a text that a spreadsheet would take for a formula gets an apostrophe."""
    if isinstance(cell, str) and cell.startswith(FORMULA) and not NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def for_markdown(text: str) -> str:
    """A text on one line that is neither HTML nor a link, a picture or a cell of its own."""
    line = for_terminal(text).replace("\n", " ").replace("\t", " ")
    plain = line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return MARKDOWN.sub(r"\\\g<0>", plain)


def for_latex(text: str) -> str:
    """A text on one line without commands."""
    return for_terminal(text).replace("\n", " ").replace("\t", " ").translate(LATEX)


def _visible(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")

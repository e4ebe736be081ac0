"""Plain text for a terminal: what names, messages and cells say can do nothing there."""

from __future__ import annotations

import re

CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters but for tab and new line, those that turn the direction of text, and halves."""


def plain(text: object) -> str:
    """A text with its control characters made visible: an escape sequence is \\x1b and letters."""
    return CONTROL.sub(_visible, str(text))


def _visible(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode("ascii")

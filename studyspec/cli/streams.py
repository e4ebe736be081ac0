"""Streams: stdout and stderr on which no name and no message does anything to a terminal."""

from __future__ import annotations

import io
import sys
from typing import TextIO

from studyspec.neutral import for_terminal


class NeutralText(io.TextIOWrapper):
    """A text stream that shows control characters in place of sending them."""

    def write(self, text: str, /) -> int:
        """Write it; characters that the terminal does not have are shown by number."""
        if not isinstance(text, str):  # click asks in this way whether bytes are wanted
            raise TypeError("expected text")
        return super().write(for_terminal(text))


def neutral(stream: TextIO) -> TextIO:
    """The same stream, made neutral; one without bytes below it is left as it is."""
    below = getattr(stream, "buffer", None)
    if below is None or isinstance(stream, NeutralText):
        return stream
    stream.flush()
    return NeutralText(
        below, encoding=stream.encoding, errors="backslashreplace", line_buffering=True
    )


def make_neutral() -> None:
    """Both, for the whole program; what draws on a terminal itself uses `sys.__stderr__`."""
    sys.stdout, sys.stderr = neutral(sys.stdout), neutral(sys.stderr)

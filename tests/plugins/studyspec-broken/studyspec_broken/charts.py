"""A chart that fails."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from studyspec.plugins.contracts import Chart, Drawing

if TYPE_CHECKING:
    from studyspec.report.frames import StudyFrames


class Fails(Chart):
    """Fails."""

    name = "fails"

    def draw(self, study: StudyFrames) -> Iterable[Drawing]:
        """Never."""
        raise KeyError("no such column")


FAILS = Fails()

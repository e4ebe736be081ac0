"""What a prediction shows: a bar while it goes on, a line for each image, sizes at the end."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from studyspec.cli.tables import table

if TYPE_CHECKING:
    from studyspec.api import FailedImage, PredictedImage
    from studyspec.api.measuring import SizeDistribution


class Watch:
    """Tells of each image on stdout, of failures on stderr, and of progress on a terminal."""

    def __init__(self, images: int, console: Console | None = None) -> None:
        self._console = console or Console(stderr=True, highlight=False, soft_wrap=True)
        columns = (
            TextColumn("images"),
            BarColumn(24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        )
        shown = self._console.is_terminal and images > 0
        self._bar = Progress(*columns, console=self._console, disable=not shown, transient=True)
        self._task = self._bar.add_task("images", total=images)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.stop()

    def done(self, image: PredictedImage) -> None:
        """An image is done."""
        told = [f"{100 * image.particle:.1f} % particle"]
        n = len(image.particles)
        told += [f"{n} {'particle' if n == 1 else 'particles'}"] if image.files else []
        told += [] if image.agreement is None else [f"agreement {image.agreement:.3f}"]
        self._line(f"{image.path}  {', '.join(told)}", err=False)

    def failed(self, failed: FailedImage) -> None:
        """An image could not be predicted."""
        self._line(f"error: {failed.error.text}", err=True)

    def _line(self, text: str, err: bool) -> None:
        self._bar.stop()
        typer.echo(text, err=err)
        if not self._bar.disable:
            self._bar.start()
        self._bar.advance(self._task)


def size_lines(sizes: SizeDistribution) -> str:
    """The size distribution as a table, with 95 % intervals."""
    rows = []
    for one in sizes.figures:
        both = [one.found] if sizes.error is None else [one.found, one.corrected]
        cells = [_number(b.value) if b else "" for b in both]
        spans = [_span(b.low, b.high) if b else "" for b in both]
        rows.append([one.label, *(c for pair in zip(cells, spans, strict=True) for c in pair)])
    columns = ["equivalent diameter", "found", "95 %"]
    columns += [] if sizes.error is None else ["corrected", "95 %"]
    head = f"{sizes.particles} particles in {sizes.images} images; {sizes.border}"
    head += f" ({sizes.left_out})" if sizes.left_out else ""
    lines = [head, table(columns, rows)]
    if sizes.error is not None:
        error = sizes.error
        lines.append(
            f"corrected by {error.images} labelled images, on which diameters came out "
            f"{100 * (error.factor - 1):+.1f} % and numbers {100 * (error.number - 1):+.1f} %"
        )
    return "\n".join(lines)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3g}"


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{low:.3g} to {high:.3g}"

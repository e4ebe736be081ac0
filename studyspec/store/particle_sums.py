"""Sums of particle sizes: what tests on labelled images say of the sizes that networks give."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studyspec.store.folder import Results
from studyspec.store.snapshot import snapshot

MOMENTS = ("off", "log", "log2")
"""Ends of the names of sums, as `learn.metrics.particles` has them."""


@dataclass(frozen=True)
class Moments:
    """Number of particles off the border, and sums of ln(diameter [nm]) and of its square."""

    n: float
    log: float
    log2: float


@dataclass(frozen=True)
class SizeSums:
    """The particles of one labelled image, all networks and orientations together."""

    image_id: str
    labelled: Moments
    predicted: Moments


def size_sums(
    results: Results, weights: Sequence[str], tests: Sequence[str] = ()
) -> tuple[SizeSums, ...]:
    """What is known of the sizes that networks gave on labelled images, image by image.

    Parameters
    ----------
    weights
        SHA-256 of the networks' files.
    tests
        Names of test sets; none: all on which these networks were tested.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    names = [f"particles_n_{of}_{what}" for of in ("labelled", "predicted") for what in MOMENTS]
    sums = ", ".join(f"sum(s.{name})" for name in names)
    known = " and ".join(f"s.{name} is not null" for name in names)
    wanted = ", ".join("?" * len(weights))
    chosen = f"and f.test in ({', '.join('?' * len(tests))})" if tests else ""
    query = f"""
    select s.image_id, {sums}
    from stored.image_sum s
    join stored.chosen c on c.record = s.record
    where c.stage = 'evaluate' and c.weights_sha256 in ({wanted}) and {known}
      and c.key in (select f.evaluation from stored.fold_cell f where f.split = 'test' {chosen})
    group by s.image_id order by s.image_id
    """
    with snapshot(results) as store:
        rows = store.ask(query, [*weights, *tests]).rows
    return tuple(
        SizeSums(str(image_id), _moments(numbers[:3]), _moments(numbers[3:]))
        for image_id, *numbers in rows
    )


def _moments(numbers: Sequence[object]) -> Moments:
    return Moments(*(float(str(number)) for number in numbers))

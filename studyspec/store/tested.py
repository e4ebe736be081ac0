"""Tested patches: what the networks of a test made of every patch, those without particles too."""

from __future__ import annotations

from dataclasses import dataclass

from studyspec.learn.metrics.false_particles import NUMBER
from studyspec.store.folder import Results
from studyspec.store.snapshot import snapshot

ASKED = f"""
select c.train, c.evaluation, s.image_id, s.row, s.col, s.tp, s.fp, s.fn, s.tn,
       coalesce(s.sums['{NUMBER}'], 0)::bigint
from (select distinct train, evaluation from cells where study = ? and profile = '') c
join patch_score s on s.evaluation = c.evaluation
where s.split = 'test' and s.orientation = 0
order by all
"""


@dataclass(frozen=True)
class TestedPatch:
    """Pixels right and wrong of one patch by one network, and the false particles in it.

    `row` and `col` are its place in the grid of patches of its image.
    """

    __test__ = False

    network: str
    evaluation: str
    image_id: str
    row: int
    col: int
    tp: int
    fp: int
    fn: int
    tn: int
    false_particles: int

    @property
    def pixels(self) -> int:
        """How many pixels it has."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def empty(self) -> bool:
        """Whether nothing is labelled in it."""
        return self.tp + self.fn == 0


def tested_patches(results: Results, study: str) -> tuple[TestedPatch, ...]:
    """The patches of the newest plan of a study, by network, image and place.

    Raises
    ------
    NothingThere
        If there are no results.
    """
    with snapshot(results) as store:
        rows = store.ask(ASKED, [study]).rows
    return tuple(TestedPatch(*row) for row in rows)  # type: ignore[arg-type]  # as ASKED says

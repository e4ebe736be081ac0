"""A chart: the dice of a study over any two conditions, and where nobody has been."""

from __future__ import annotations

from collections.abc import Iterator

from studyspec.plugins.contracts import Chart, Drawing
from studyspec.report.frames import StudyFrames
from studyspec.report.trust_map import COLUMNS, Place, drawing
from studyspec.spec.derived import DICE
from studyspec.spec.names import BASE


class ConditionsMap(Chart):
    """A map of the conditions that networks of the plain study were trained and tested on."""

    name = "conditions"
    position = 400

    def draw(self, study: StudyFrames) -> Iterator[Drawing]:
        """One map, if images differ in two columns."""
        variants = {row.variant for row in study.images.rows}
        variant = BASE if BASE in variants else min(variants, default=BASE)
        places = [*_tested(study, variant), *_trained(study, variant)]
        found = drawing(places, self.name) if places else None
        if found is not None:
            yield found


CONDITIONS = ConditionsMap()


def _tested(study: StudyFrames, variant: str) -> Iterator[Place]:
    for row in study.images.rows:
        dice = row.metrics.get(DICE)
        if row.split == "test" and row.variant == variant and dice is not None:
            yield Place(_values(study, row.image_id), dice)


def _trained(study: StudyFrames, variant: str) -> Iterator[Place]:
    """A place for each condition of every training set."""
    trains = {cell.train for cell in study.scored if cell.variant == variant}
    seen = set()
    for name, dataset in study.plan.datasets.items():
        if name not in trains:
            continue
        for image_id in dataset.images:
            values = _values(study, image_id)
            if (key := tuple(values.values())) not in seen:
                seen.add(key)
                yield Place(values)


def _values(study: StudyFrames, image_id: str) -> dict[str, object]:
    row = study.plan.images.get(image_id, {})
    return {column: row.get(column) for column, _ in COLUMNS.values()}

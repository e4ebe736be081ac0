"""The inventory of plug-ins."""

from __future__ import annotations

from studyspec import api


def test_every_kind_is_listed_with_where_it_is_from() -> None:
    found = api.plugins()
    kinds = {plugin.kind for plugin in found.installed}
    assert len(kinds) == 10
    (step,) = (p for p in found.installed if (p.kind, p.name) == ("step", "rescale"))
    assert step.package == "studyspec"
    assert step.place == "studyspec.images.steps.rescale:RESCALE"
    assert found.left_out == ()

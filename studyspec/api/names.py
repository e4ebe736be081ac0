"""Names of studies: one name is one file, as results are kept by it."""

from __future__ import annotations

from collections.abc import Sequence

from studyspec.errors import StudySpecError
from studyspec.spec.extends import study_name
from studyspec.spec.loading import LoadedStudy
from studyspec.store.planned import RecordedPlan

RENAME = "give one of them another name, in [study]"


def named_apart(loaded: Sequence[LoadedStudy]) -> Sequence[LoadedStudy]:
    """Studies that have a name each.

    Raises
    ------
    StudySpecError
        If two files have one name.
    """
    known: dict[str, LoadedStudy] = {}
    for one in loaded:
        other = known.setdefault(one.study.study.name, one)
        if other.path.resolve() != one.path.resolve():
            what = f"the study is named '{one.study.study.name}', as that of {other.path} is"
            raise StudySpecError(what, where=str(one.path), hint=RENAME)
    return loaded


def refuse_other(loaded: LoadedStudy, recorded: RecordedPlan | None) -> None:
    """Refuse a study whose results are those of another file, which still has the same name.

    Raises
    ------
    StudySpecError
        Naming the other file.
    """
    if recorded is None:
        return
    file, source = str(recorded.plan.get("file") or ""), recorded.plan.get("source")
    if not file or file == loaded.file or source == loaded.source:
        return
    other, name = loaded.root / file, loaded.study.study.name
    if study_name(other) == name:
        what = f"the results of study '{name}' are those of {file}, which has the same name"
        raise StudySpecError(what, where=str(loaded.path), hint=RENAME)

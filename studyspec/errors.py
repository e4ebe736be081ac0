"""The errors of studyspec: each says what went wrong, where, and what to do next.

One boundary (the command line) prints them. Any other exception is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class StudySpecError(Exception):
    """A mistake or a misfortune that the user can mend.

    Parameters
    ----------
    what
        What is wrong, with the offending value.
    where
        The file, row, column or job concerned; empty if there is none.
    hint
        What to do next; empty if there is nothing to add.
    """

    exit_code = 2

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what, self.where, self.hint = what, where, hint
        super().__init__(self.text)

    @property
    def text(self) -> str:
        """The whole message: `where: what; hint`."""
        head = f"{self.where}: {self.what}" if self.where else self.what
        return f"{head}; {self.hint}" if self.hint else head


@dataclass(frozen=True)
class Problem:
    """One mistake in a study file, with its place (line and column count from 1, in characters)."""

    file: str
    line: int
    column: int
    what: str
    hint: str = ""
    source: str = ""
    width: int = 1

    @property
    def text(self) -> str:
        """`file:line:column: what; hint`, then the source line and a caret below the place."""
        head = f"{self.file}:{self.line}:{self.column}: {self.what}"
        head = f"{head}; {self.hint}" if self.hint else head
        if not self.source:
            return head
        before = "".join(c if c == "\t" else " " for c in self.source[: self.column - 1])
        caret = before + "^" * max(1, self.width)
        return f"{head}\n    {self.source}\n    {caret}"


@dataclass(frozen=True)
class Mistake:
    """What is wrong with a study: the path of keys in it, what, and a way out.

    `at_key`: the key is at fault, not its value.
    """

    path: tuple[str | int, ...]
    what: str
    hint: str = ""
    at_key: bool = False


class SpecError(StudySpecError):
    """A study file says something that cannot be; holds every problem found, in file order."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(
            sorted(dict.fromkeys(problems), key=lambda p: (p.file, p.line, p.column))
        )
        super().__init__("\n".join(problem.text for problem in self.problems))


class PluginError(StudySpecError):
    """A plug-in is missing, or does not do what its kind promises; names its distribution."""


class CatalogError(StudySpecError):
    """The catalog, or a filter on it, is wrong."""


class FileError(StudySpecError):
    """An image or label file is missing, unreadable or not what the catalog says."""


class Unfetched(FileError):  # noqa: N818
    """A file that is not here yet and bears no pin."""


class FetchError(FileError):
    """A file could not be fetched, or differs from its pinned hash."""


class TwinError(StudySpecError):
    """The twin cannot simulate what a catalog row asks for."""


class LearnError(StudySpecError):
    """A network cannot be built, loaded, trained or applied."""


class ScaleUnknown(LearnError):  # noqa: N818
    """A network was trained at one pixel scale, and nobody says that of the image."""


class OutOfMemory(LearnError):  # noqa: N818
    """A training or evaluation needed more memory than the device has."""


class StoreError(StudySpecError):
    """The results folder or its database cannot be used."""


class DatabaseBusy(StoreError):  # noqa: N818
    """Another program has the database open; the records do not need it."""


class QueryError(StoreError):
    """A query of the user is wrong."""


class RunError(StudySpecError):
    """A run cannot start or go on."""


class Interrupted(KeyboardInterrupt):
    """A run was asked to stop, and has; `left` names workers that still live, whatever was done."""

    def __init__(self, left: Sequence[str] = ()) -> None:
        self.left = tuple(left)
        super().__init__(*self.left)


class BudgetOver(RunError):  # noqa: N818
    """The time that a run may take is over before what it was for is done."""

    exit_code = 4


class WeightsGone(RunError):  # noqa: N818
    """The weights that a job needs are missing or damaged; the next run makes them again."""


class NothingThere(StudySpecError):  # noqa: N818
    """What was asked for has no results yet."""

    exit_code = 3

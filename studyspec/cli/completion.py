"""Completion by the shell: names of queries after @, profiles of the study file that is typed."""

from __future__ import annotations

import os
import shlex
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from typer.core import TyperCommand

MARK = "@"
FILES = ("--csv", "--json", "--parquet")
STDOUT = "-"


def queries(incomplete: str) -> list[tuple[str, str]]:
    """Queries that have names, and what each tells, as far as they begin so."""
    from studyspec import api

    found = api.named_queries().items()
    return [(name, told) for name, told in found if name.startswith(incomplete)]


def profiles(incomplete: str) -> list[str]:
    """The profiles of the study files that were typed."""
    from studyspec.api import profiles_of, study_files
    from studyspec.errors import StudySpecError

    found: dict[str, None] = {}
    for word in _typed():
        if not word.endswith(".toml") and not Path(word).is_dir():
            continue
        with suppress(StudySpecError):  # it is told when the command runs
            for path in study_files(word):
                found |= dict.fromkeys(profiles_of(path))
    return [name for name in found if name.startswith(incomplete)]


class SqlCommand(TyperCommand):
    """The command `sql`: an option for a file may stand alone, and means standard output then."""

    def parse_args(self, ctx, args):  # type: ignore[no-untyped-def]
        """The arguments with `-` where a file is not named."""
        return super().parse_args(ctx, with_stdout(args))

    def shell_complete(self, ctx, incomplete):  # type: ignore[no-untyped-def]
        """As any command; bash takes the @ before a name for a word of its own."""
        found = super().shell_complete(ctx, incomplete)
        if ctx.params.get("query") != MARK or incomplete.startswith("-"):
            return found
        from typer._click.shell_completion import CompletionItem

        said = queries(MARK + incomplete)
        return [CompletionItem(name, help=told) for name, told in said]


def with_stdout(args: Sequence[str]) -> list[str]:
    """Arguments, with `-` after each option of a file that is followed by none."""
    told: list[str] = []
    for place, word in enumerate(args):
        told.append(word)
        if word not in FILES:
            continue
        after = args[place + 1] if place + 1 < len(args) else ""
        option = after.startswith("-") and after != STDOUT
        query = after.startswith(MARK) or len(after.split()) > 1
        if not after or option or query:
            told.append(STDOUT)
    return told


def _typed() -> list[str]:
    """The words before, as the shells tell them."""
    line = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS") or ""
    with suppress(ValueError):  # a quote that is not closed yet
        return shlex.split(line)
    return line.split()

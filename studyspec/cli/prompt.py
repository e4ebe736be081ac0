"""The prompt of `studyspec sql`: history, completion, statements of several lines."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import typer

from studyspec.errors import StudySpecError

KEYWORDS = (
    "select", "from", "where", "group by", "order by", "limit", "join", "using", "having", "count",
    "avg", "min", "max", "distinct", "describe", "show tables",
)  # fmt: skip
WELCOME = "a statement ends with ;  @ names queries  Tab completes  help helps  exit ends"
HELP = """\
A statement ends with ; and may have several lines:
    select train, test, dice_mean from matrix order by all;
    show tables;                  all views
    describe matrix;              the columns of one
@ lists queries that have names; @worst asks one of them.
help, exit (also quit, Ctrl-D)"""
HELPS, ENDS = ("help", "?"), ("exit", "quit", "\\q", ".exit", ".quit")


def prompt(results: Path, show: Callable[[str], None]) -> None:
    """Read statements until the end of input; a mistake costs only its message."""
    for statement in _statements(results):
        word = _word(statement)
        if word in ENDS:
            return
        try:
            if word in HELPS:
                typer.echo(HELP)
            else:
                show(statement)
        except StudySpecError as error:
            typer.echo(f"error: {error.text}", err=True)


def _statements(results: Path) -> Iterator[str]:
    """One a line from a pipe; from a terminal up to a semicolon, or a name after @."""
    if not sys.stdin.isatty():
        yield from (line for line in sys.stdin if line.strip())
        return
    session = _session(results)
    typer.echo(WELCOME, err=True)
    begun = ""
    while True:
        try:
            line = session("...> " if begun else "sql> ")
        except KeyboardInterrupt:
            begun = ""
            continue
        except EOFError:
            return
        begun = f"{begun}\n{line}" if begun else line
        if _whole(begun):
            yield begun
            begun = ""


def _whole(begun: str) -> bool:
    """Whether a statement is at its end."""
    said = begun.strip()
    return bool(said) and (said.endswith(";") or said[0] == "@" or _word(said) in HELPS + ENDS)


def _word(statement: str) -> str:
    return statement.strip().rstrip(";").strip().lower()


def _session(results: Path) -> Callable[[str], str]:
    """A line editor that remembers and completes."""
    from platformdirs import user_state_path
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.history import FileHistory
    from prompt_toolkit.shortcuts import CompleteStyle

    from studyspec import api

    folder = user_state_path("studyspec", ensure_exists=True)
    known = [*api.words(results), *KEYWORDS, HELPS[0], ENDS[0]]
    completer = WordCompleter(known, ignore_case=True, WORD=True)
    session: PromptSession[str] = PromptSession(
        history=FileHistory(str(folder / "sql_history")),
        completer=completer,
        complete_while_typing=False,
        complete_style=CompleteStyle.READLINE_LIKE,
    )
    return session.prompt

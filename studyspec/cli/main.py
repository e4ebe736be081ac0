"""The command `studyspec`: its sub-commands, and the one place where errors are printed."""

from __future__ import annotations

import os
import sys

import typer

from studyspec import __version__
from studyspec.cli import (
    catalog,
    compare_sets,
    networks,
    plugins,
    predict,
    records,
    results,
    studies,
    test,
    trust,
    verify,
    work,
)
from studyspec.cli.causes import explained
from studyspec.cli.streams import make_neutral

CLOSED = 141
"""As a shell tells of a program whose reader has gone: 128 + SIGPIPE."""
app = typer.Typer(
    name="studyspec",
    help="On which of my images can I trust this network? Train x test studies from one TOML file.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
studies.register(app)
results.register(app)
compare_sets.register(app)
test.register(app)
predict.register(app)
trust.register(app)
verify.register(app)
plugins.register(app)
app.add_typer(catalog.app, name="catalog")
app.add_typer(networks.app, name="networks")
app.add_typer(records.app, name="records")
work.register(app)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"studyspec {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """On which of my images can I trust this network?"""


def main() -> None:
    """Run the command line; print what a user can mend as one message, let any bug rise."""
    make_neutral()
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nobody reads any more
        sys.exit(CLOSED)
    except Exception as raised:
        error = explained(raised)
        if error is None:
            raise
        text = error.text
        typer.echo(f"error: {text}" if "\n" not in text else text, err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()

"""Calling a plug-in of others: what it raises, and arrays that break its contract, are its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from studyspec.errors import PluginError, StudySpecError
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import OURS, Found


@contextmanager
def blamed(kind: str, found: Found[Plugin]) -> Iterator[None]:
    """Turn what a plug-in of others raises into an error that names it and its distribution.

    A lack of memory is nobody's fault, and our own bugs keep their traceback.
    """
    try:
        yield
    except (StudySpecError, MemoryError):
        raise
    except Exception as error:
        if found.provider.distribution == OURS or "memory" in str(error):
            raise
        raise broken_promise(kind, found, f"{type(error).__name__}: {error}") from error


def broken_promise(kind: str, found: Found[Plugin], what: str) -> PluginError:
    """The error of a plug-in that failed or gave what its contract does not allow."""
    return PluginError(
        f"{kind} '{found.plugin.name}' of {found.provider} failed: {what}",
        where=found.place,
        hint="tell its authors, or leave it out of the study",
    )

"""Causes: what an exception that is no bug says to a user. The one table, for the one boundary.

What is in no line of it is our bug, and keeps its traceback.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping

from studyspec.errors import StudySpecError

OF_SYSTEM: Mapping[int, str] = {
    errno.ENOSPC: "free some disk; what is done is kept, and the same command goes on",
    errno.EDQUOT: "your quota is used up: free some disk; the same command goes on",
    errno.EROFS: "it can only be read: copy it to where you may write, or name another folder",
    errno.EACCES: "you may not: ask its owner, or name another folder (--results, --cache)",
    errno.EPERM: "you may not: ask its owner, or name another folder (--results, --cache)",
    errno.ENOENT: "is the path right? is its disk there?",
    errno.ENOTDIR: "a part of the path is a file: is the path right?",
    errno.EISDIR: "it is a folder: name a file",
    errno.ENAMETOOLONG: "name something shorter",
    errno.ELOOP: "links lead in a circle there",
    errno.EMFILE: "too many files are open: raise `ulimit -n`, or use fewer workers",
    errno.EIO: "the disk or the network to it fails",
    errno.ESTALE: "the network disk was lost for a while: run the same command again",
    errno.ENOTCONN: "the network disk is gone: mount it, and run the same command again",
}
"""What to do about an error of the operating system, by its number."""
NAMED: Mapping[str, tuple[str, str]] = {
    "MemoryError": ("there is too little memory", "use fewer workers, or ask for less at once"),
    "RecursionError": ("something is nested too deep", "simplify what the command reads"),
    "IOException": ("the database cannot be read or written", "is its disk full, or read-only?"),
    "OutOfMemoryException": ("the database needs more memory", "ask for less at once"),
    "SerializationException": ("the database is damaged", "`studyspec ingest --rebuild`"),
    "FatalException": ("the database is damaged", "`studyspec ingest --rebuild`"),
    "InternalException": ("the database is damaged", "`studyspec ingest --rebuild`"),
    "CorruptionException": ("the database is damaged", "`studyspec ingest --rebuild`"),
}
"""What happened and what to do, by the name of the exception; of DuckDB's their first line too."""
OF_PROGRAM = ("builtins", "_duckdb", "duckdb")
Explain = Callable[[BaseException], StudySpecError | None]


def explained(error: BaseException) -> StudySpecError | None:
    """The error as a user reads it; None if it is a bug.

    A full disk is told by whatever meets it first, so causes are looked at too.
    """
    seen: BaseException | None = error
    while seen is not None:
        found = _one(seen)
        if found is not None:
            return found
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return None


def _one(error: BaseException) -> StudySpecError | None:
    if isinstance(error, StudySpecError):
        return error
    if isinstance(error, OSError) and (hint := OF_SYSTEM.get(error.errno or 0)):
        where = str(error.filename or error.filename2 or "")
        return StudySpecError(error.strerror or str(error), where=where, hint=hint)
    kind = type(error)
    if kind.__module__ not in OF_PROGRAM or kind.__name__ not in NAMED:
        return None
    what, hint = NAMED[kind.__name__]
    told = str(error).splitlines()[0] if str(error) and kind.__module__ != "builtins" else ""
    return StudySpecError(f"{what}: {told}" if told else what, hint=hint)

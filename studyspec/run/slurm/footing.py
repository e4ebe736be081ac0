"""The footing of a worker: what must be on its node as it is here, or it does nothing."""

from __future__ import annotations

import json
import platform
from importlib.metadata import PackageNotFoundError, entry_points, version

from pydantic import TypeAdapter

from studyspec.plugins.registry import GROUP
from studyspec.store.record_file import PACKAGES

AS_JSON = TypeAdapter(dict[str, str])


def footing() -> dict[str, str]:
    """The versions of Python (its first two numbers), of packages and of plug-ins."""
    found = {"python": ".".join(platform.python_version_tuple()[:2])}
    names = {e.dist.name for e in entry_points(group=GROUP) if e.dist is not None}
    for name in sorted({*PACKAGES, *names}):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def written() -> str:
    """The footing here, as text."""
    return json.dumps(footing(), separators=(",", ":"))


def differences(expected: str) -> list[str]:
    """What is otherwise here than in a footing written elsewhere, in words."""
    wanted, here = AS_JSON.validate_json(expected), footing()
    return [
        f"{name} {here.get(name, 'none')} instead of {wanted.get(name, 'none')}"
        for name in sorted(wanted.keys() | here.keys())
        if here.get(name, "none") != wanted.get(name, "none")
    ]

"""Networks of others on disk: what identifies one, and how it becomes a network to test.

Importing this imports no torch: a plan wants the identity alone.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from studyspec.errors import LearnError
from studyspec.spec.given import NetworkOfOthers
from studyspec.spec.settings import PreprocessSettings

if TYPE_CHECKING:
    from torch import nn

SUFFIXES = (".safetensors", ".pt", ".onnx")
ENTRY = "studyspec"
"""The one entry of a file's metadata that is ours: with several, their order would be random."""


@dataclass(frozen=True)
class GivenNetwork:
    """A network of others: where it is, and the hash of all that makes it what it is.

    `preprocess` are the changes to a study's preprocessing that it asks for.
    """

    name: str
    sha256: str
    file: str | None
    factory: str | None
    folder: str
    output: str
    preprocess: Mapping[str, Any]

    def place(self) -> dict[str, Any]:
        """Where a worker finds it, as JSON values."""
        values = asdict(self)
        return {key: values[key] for key in ("sha256", "file", "factory", "folder", "output")}

    def prepared_as(self, study: PreprocessSettings) -> PreprocessSettings:
        """How its images are prepared in a study that prepares its own like this."""
        told = NetworkOfOthers(weights="-", preprocess=dict(self.preprocess))
        return told.prepared_as(study)


def identify(name: str, wanted: NetworkOfOthers, root: Path) -> GivenNetwork:
    """Find a network of a study whose project root is `root`.

    Raises
    ------
    LearnError
        If its file or module is not there, or of no known kind.
    """
    file = None if wanted.weights is None else root / wanted.weights
    parts = []
    if file is not None:
        if wanted.factory is None and file.suffix not in SUFFIXES:
            kinds = ", ".join(SUFFIXES)
            raise LearnError(
                f"'{file.name}' is no known kind of network",
                hint=f"expected {kinds}, or a factory; studyspec networks convert reads .h5",
            )
        parts.append(_sha256(file))
    if wanted.factory is not None:
        parts += [wanted.factory, _sha256(_module_file(wanted.factory, root))]
    sha = parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()
    said = {} if file is None or file.suffix != ".safetensors" else _said(file)
    return GivenNetwork(
        name,
        sha,
        None if file is None else str(file.absolute()),
        wanted.factory,
        str(root.absolute()),
        wanted.output,
        {**said, **wanted.preprocess},
    )


def load_given(place: Mapping[str, Any]) -> nn.Module:
    """The network, in evaluation mode: images (B, 1, H, W) to logits (B, 2, H, W).

    Raises
    ------
    LearnError
        If it cannot be loaded, or is no longer the one that was planned.
    """
    from studyspec.learn.foreign import Segmenter, open_onnx, open_torchscript
    from studyspec.learn.weights import load_network

    wanted = NetworkOfOthers(weights=place["file"], factory=place["factory"])
    if identify("", wanted, Path(place["folder"])).sha256 != place["sha256"]:
        raise LearnError(
            "the network changed since the run was planned",
            where=str(place["file"] or place["factory"]),
            hint="run again: what descends from it is planned anew",
        )
    if place["factory"] is not None:
        return Segmenter(_made(place), place["output"])
    file = Path(place["file"])
    if file.suffix == ".safetensors":
        return load_network(file)
    opened = open_onnx(file) if file.suffix == ".onnx" else open_torchscript(file)
    return Segmenter(opened, place["output"])


def _made(place: Mapping[str, Any]) -> nn.Module:
    from torch import nn

    module, _, name = place["factory"].partition(":")
    if place["folder"] not in sys.path:
        sys.path.insert(0, place["folder"])
    try:
        build: Callable[..., Any] = getattr(importlib.import_module(module), name)
        network = build(place["file"]) if place["file"] else build()
    except Exception as error:
        raise LearnError(
            f"the factory failed: {type(error).__name__}: {error}", where=place["factory"]
        ) from error
    if not isinstance(network, nn.Module):
        raise LearnError(
            f"the factory returned a {type(network).__name__}, not a torch module",
            where=place["factory"],
        )
    return network


def _module_file(factory: str, root: Path) -> Path:
    """The source of a factory's module; looked for in the project root too."""
    module = factory.partition(":")[0]
    local = root.joinpath(*module.split("."))
    for path in (local.with_suffix(".py"), local / "__init__.py"):
        if path.exists():
            return path
    try:
        found = importlib.util.find_spec(module)
    except (ImportError, ValueError):
        found = None
    if found is None or found.origin is None:
        raise LearnError(
            f"there is no module '{module}'", hint="put it in the project root, or install it"
        )
    return Path(found.origin)


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LearnError(
            f"cannot be read: {error.strerror}", where=str(path), hint="is the path right?"
        ) from None


def _said(path: Path) -> dict[str, Any]:
    """What a safetensors file of ours says of its images' preparation, but for patches."""
    try:
        with safe_open(path, framework="np") as file:
            told = json.loads((file.metadata() or {}).get(ENTRY, "{}")).get("preprocess", {})
    except (SafetensorError, OSError, ValueError, AttributeError):
        return {}  # loading says what is wrong
    return {key: value for key, value in told.items() if key != "patch"}

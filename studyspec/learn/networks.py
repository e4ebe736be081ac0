"""Networks: an architecture, weights, and how images are prepared for it, wherever it is from.

Importing this imports no torch: a plan wants the identity alone.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path
from typing import Literal

from pydantic import Field, JsonValue
from safetensors import SafetensorError, safe_open

from studyspec import seals
from studyspec.errors import LearnError, ScaleUnknown
from studyspec.images.steps.flat_field import FLAT_FIELD
from studyspec.learn.conditions import Conditions, released_conditions, resampled_nm
from studyspec.spec.foreign import ForeignNetwork
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline, Use, Written

WEIGHTS = ".safetensors"
TORCHSCRIPT = ".pt"
SUFFIXES = (WEIGHTS, TORCHSCRIPT, ".onnx")
TILE_PX, MULTIPLE_PX = 512, 16
"""Edge of a tile, and what a network needs edges to be a multiple of, unless it says so [px]."""
CUT_OUT_PX = 540
"""An image this wide or less, as the network sees it, or no wider than its patches, is part of a
larger one: a published patch, with a little to spare."""
ENTRY = "studyspec"
"""The one entry of a file's metadata that is ours: with several, their order would be random."""


class NetworkFile(Written):
    """A network on disk, trained here or elsewhere.

    Attributes
    ----------
    name
        For people.
    sha256
        Hash of all that makes it what it is: of the file, or of file and factory.
    file
        Its weights or, of TorchScript and ONNX, the whole of it.
    factory, folder
        "package.module:function" that makes it, and where else than in installed packages to look.
    output
        What it gives.
    model
        Its architecture, if the weights are for one of ours or of a plug-in.
    pipeline
        How its images are prepared, if it says so.
    preprocess
        What the study changes of that, or else of its own `[preprocess]`.
    trusted
        Whether the user lets it run if it is code.
    conditions
        What it was trained on, as far as its file or its name says.
    """

    name: str
    sha256: str
    file: str | None = None
    factory: str | None = None
    folder: str = ""
    output: Literal["logits", "probabilities"] = "logits"
    model: Use | None = None
    pipeline: Pipeline | None = None
    preprocess: dict[str, JsonValue] = Field(default_factory=dict)
    conditions: Conditions = Conditions()
    trusted: bool = False

    @property
    def is_code(self) -> bool:
        """Whether it can do more than calculate: TorchScript, or what a factory makes."""
        return self.factory is not None or (self.file or "").endswith(TORCHSCRIPT)

    def check_trust(self) -> None:
        """Refuse code that the user did not say to run.

        Raises
        ------
        LearnError
            Naming the ways out.
        """
        if self.is_code and not self.trusted:
            kind = "a factory" if self.factory is not None else "TorchScript"
            raise LearnError(
                f"{kind} is code, which can do all that you can: it is not run unasked",
                where=str(self.factory or self.file),
                hint="if you trust whoever made it: trust = true in its table of the study, or "
                "--trust; ask for it as ONNX or safetensors, which can only calculate",
            )

    def prepared_as(self, study: Pipeline) -> Pipeline:
        """How its images are prepared in a study that prepares its own like this."""
        own = study if self.pipeline is None else self.pipeline
        return Pipeline(steps=own.steps, patch=study.patch).changed(self.preprocess)

    def prepared_at(
        self, shape: tuple[float, float], pixel_scale_nm: float | None, where: str = ""
    ) -> Pipeline:
        """How an image (H, W) [px] of this scale [nm] is prepared outside of studies.

        It is resampled to the scale that the network was trained at, the nearest if there were
        several; not at all, if that is not known. If it is small then (`CUT_OUT_PX`), it is part of
        a larger image, whose flat field cannot be told from it: none is removed.

        Raises
        ------
        ScaleUnknown
            If the network's scale is known, and that of the image `where` is not.
        """
        pipeline = self.pipeline or Pipeline.of(PreprocessSettings())
        pipeline = pipeline.changed(self.preprocess) if self.preprocess else pipeline
        known = self.conditions.pixel_scale_nm
        if pixel_scale_nm is None and (known or resampled_nm(pipeline)):
            raise ScaleUnknown(
                f"how large is a pixel? '{self.name}' was trained at "
                f"{known[0] if known else resampled_nm(pipeline):g} nm, and neither this file nor "
                "a catalog says",
                where=where,
                hint="say so: --pixel-scale-nm 0.02",
            )
        wanted = resampled_nm(pipeline)
        if pixel_scale_nm is not None and wanted is None:
            wanted = self.conditions.scale_near(pixel_scale_nm)
        zoom = pixel_scale_nm / wanted if pixel_scale_nm and wanted else 1.0
        changes: dict[str, JsonValue] = {}
        if wanted is not None:
            changes["resample"] = {"pixel_scale_nm": wanted}
        if max(shape) * zoom <= max(CUT_OUT_PX, pipeline.patch.size):
            changes[FLAT_FIELD.name] = {"enabled": False}
        return pipeline.changed(changes) if changes else pipeline


class Description(Written):
    """What a file of weights says of its network: how to rebuild it and to prepare its images.

    Of the released networks, which say nothing, it holds nothing; their names say what they were
    trained on.
    """

    model: Use | None = None
    pipeline: Pipeline | None = None
    conditions: Conditions = Conditions()


def identify(name: str, wanted: ForeignNetwork, root: Path, trust: bool = False) -> NetworkFile:
    """Find a network that was trained elsewhere, for a study whose project root is `root`.

    `trust`: the user lets code run, whatever the study says.

    Raises
    ------
    LearnError
        If its file or module is not there, or of no known kind, says what cannot be read, or is
        code that nobody said to run.
    """
    file = None if wanted.weights is None else root / wanted.weights
    if file is not None and wanted.factory is None and file.suffix not in SUFFIXES:
        kinds = ", ".join(SUFFIXES)
        raise LearnError(
            f"'{file.name}' is no known kind of network",
            hint=f"expected {kinds}, or a factory; studyspec networks convert reads .h5",
        )
    trusted = trust or wanted.trust
    path = None if file is None else str(file.absolute())
    found = NetworkFile(name=name, sha256="", file=path, factory=wanted.factory, trusted=trusted)
    found.check_trust()  # before a module is looked for: that imports the packages around it
    sha = fingerprint(file, wanted.factory, root)
    says = file is not None and file.suffix == WEIGHTS and wanted.factory is None
    told = describe(file) if file is not None and says else Description()
    return found.model_copy(
        update={
            "sha256": sha,
            "folder": str(root.absolute()),
            "output": wanted.output,
            "model": told.model,
            "pipeline": told.pipeline,
            "preprocess": wanted.preprocess,
            "conditions": _conditions(told, file),
        }
    )


def _conditions(told: Description, file: Path | None) -> Conditions:
    """What a file says that its network was trained on, or else its name."""
    unsaid = told.conditions == Conditions() and file is not None
    return released_conditions(file.stem) if unsaid and file is not None else told.conditions


def fingerprint(file: Path | None, factory: str | None, root: Path) -> str:
    """The hash of all that makes a network what it is: its file, its factory's source.

    Raises
    ------
    LearnError
        If one of them is not there.
    """
    parts = [] if file is None else [_sha256(file)]
    if factory is not None:
        parts += [factory, _sha256(_module_file(factory, root))]
    return parts[0] if len(parts) == 1 else hashlib.sha256("\n".join(parts).encode()).hexdigest()


def describe(path: Path) -> Description:
    """What a file of weights says of its network.

    Raises
    ------
    LearnError
        If the file is missing, no safetensors file, or says what this version cannot read.
    """
    try:
        with safe_open(path, framework="np") as file:
            text = (file.metadata() or {}).get(ENTRY, "{}")
    except (SafetensorError, OSError) as error:
        raise unreadable(path, error) from None
    try:
        return Description.model_validate(json.loads(text), strict=False)
    except (ValueError, RecursionError) as error:
        raise LearnError(
            f"its description cannot be read: {str(error).splitlines()[0]}",
            where=str(path),
            hint="use the version of studyspec that wrote it",
        ) from None


def unreadable(path: Path, error: Exception) -> LearnError:
    """The error of a file of weights that is not there, or is none."""
    if isinstance(error, FileNotFoundError):
        return LearnError("no such network", where=str(path), hint="is the path right?")
    return LearnError(
        f"not a safetensors file: {error}", where=str(path), hint="expected *.safetensors"
    )


def _sha256(path: Path) -> str:
    try:
        return seals.sha256(path)
    except OSError as error:
        raise LearnError(
            f"cannot be read: {error.strerror}", where=str(path), hint="is the path right?"
        ) from None


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

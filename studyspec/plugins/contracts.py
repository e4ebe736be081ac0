"""The contract of each kind of plug-in: what one object says of itself, and what it does.

An object says what it is without torch; what needs torch imports it inside the methods, which are
called where a worker needs them. `position` orders what runs one after the other; ours stand at
whole hundreds. A name is the key of its table in the study file, or what `name = "..."` chooses.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Literal, Protocol, Self, TypeGuard, TypeVar

from studyspec.errors import RunError
from studyspec.plugins.settings import Empty, Settings
from studyspec.plugins.values import FileArray, Mask, RawImage, Samples, Value, WorkingImage

if TYPE_CHECKING:
    from torch import Tensor, nn

    from studyspec.catalog.row import ImageRow
    from studyspec.report.frames import StudyFrames

S = TypeVar("S", bound=Settings)


class Plugin(ABC):
    """What every plug-in has: a name, which no other of its kind may bear."""

    name: str


class Tabled(Plugin, Generic[S]):
    """A plug-in with a table of its own in the study file.

    Attributes
    ----------
    settings
        The model of its table: keys, defaults, units, mistakes.
    recipe
        Raised by its author when the same settings give other results; part of every key.
    standard
        Whether its table is always there. Only our own may be: one of others that acted on studies
        which do not name it would change them in silence.
    """

    settings: type[S]
    recipe: int = 1
    standard: bool = False

    def active(self, settings: S) -> bool:
        """Whether it does anything; what does not is in no key."""
        return True

    @abstractmethod
    def describe(self, settings: S) -> str:
        """What it does, in words for the methods of a report; no full stop at the end."""


class Step(Tabled[S]):
    """A step of the preparation of an image: `[preprocess.NAME]`.

    `reads` are the catalog columns that it reads; their values are part of the key. With
    `keeps_shape`, an image stays as large as it is.
    """

    position: int
    reads: tuple[str, ...] = ()
    keeps_shape: bool = False

    @abstractmethod
    def apply(self, image: WorkingImage, settings: S) -> WorkingImage:
        """The image after the step; a label stays as large as its image.

        Raises
        ------
        FileError
            If it cannot be done on this image.
        """

    def shape(
        self, before: tuple[int, int], pixel_scale_nm: float | None, settings: S
    ) -> tuple[int, int] | None:
        """Height and width of an image after it [px]; None if that is not known beforehand."""
        return before if self.keeps_shape else None

    def span(self, settings: S) -> tuple[float, float] | None:
        """Between which intensities an image lies after it, roughly; None if it does not say."""
        return None


class Draws(Protocol):
    """Random numbers that depend on their name, the seed, the epoch and the sample alone."""

    def uniform(self, stream: str, samples: Tensor) -> Tensor:
        """One number in [0, 1) for each sample; float32, shape of `samples` (int64)."""

    def normal(self, stream: str, samples: Tensor, size: int) -> Tensor:
        """Standard normal numbers, float32 (B, size)."""


class Augmentation(Tabled[S]):
    """A change of training samples on the fly: `[augment.NAME]`.

    Attributes
    ----------
    position
        The dihedral forms are taken at 300.
    reads
        The catalog columns that it reads: part of the key, and numbers unless `values` takes them
        otherwise.
    facts
        What it asks of the preparation of an image, as `relative_sd`.
    in_validation
        Whether validation samples are changed too.
    requires
        What must be set elsewhere, by dotted name: the value (None: nothing), and why.
    """

    position: int
    reads: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    in_validation: bool = False
    requires: Mapping[str, tuple[str | None, str]] = MappingProxyType({})

    def lacks(self, settings: S, row: ImageRow) -> tuple[str, str] | None:
        """What is wrong with an image, as far as the catalog says, and what to do; None: nothing.

        `check` tells it before anything runs.
        """
        told = row.values()
        return next((_needed(name) for name in self.reads if not is_number(told.get(name))), None)

    def values(
        self, settings: S, columns: Mapping[str, Value], facts: Mapping[str, float]
    ) -> Mapping[str, float]:
        """What `apply` finds of an image in `samples.values`: by default what it reads and asks.

        Raises
        ------
        StudySpecError
            If one is not known, or no number.
        """
        told: dict[str, float] = {}
        for name in (*self.reads, *self.facts):
            value = columns.get(name) if name in self.reads else facts.get(name)
            if not is_number(value):
                what, hint = _needed(name)
                raise RunError(what, hint="prepare it so" if name in self.facts else hint)
            told[name] = value
        return told

    @abstractmethod
    def apply(self, samples: Samples, settings: S, draws: Draws) -> Samples:
        """The samples changed: as many, as large, all finite.

        Every random number comes from `draws`, by a name of the plug-in's own.
        """


def is_number(value: object) -> TypeGuard[float]:
    """Whether a cell of the catalog, or a fact, is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def _needed(name: str) -> tuple[str, str]:
    what = f"an augmentation needs {name} of every image, as a number"
    return what, f"give {name} in the catalog"


class Architecture(Tabled[S]):
    """A network: `[model] name = "NAME"`, its settings in the same table.

    Attributes
    ----------
    family
        Whether `NAME:ANYTHING` is the name, as "monai:DynUNet"; `settings.name` has it whole.
    channels_last
        Whether its weights are laid out channels last.
    """

    family: bool = False
    channels_last: bool = False

    @abstractmethod
    def build(self, settings: S) -> nn.Module:
        """A network with fresh weights, drawn from torch's global generator (which is seeded).

        It turns images (B, 1, H, W) into logits (B, 2, H, W) of background and particle.
        """

    def shrinkage(self, settings: S) -> int:
        """What height and width of an image must be a multiple of [px]."""
        return 16


class Loss(Tabled[S]):
    """What a training minimizes: `[training.loss] name = "NAME"`."""

    @abstractmethod
    def loss(self, logits: Tensor, labels: Tensor, settings: S) -> Tensor:
        """The loss of logits (B, 2, H, W), float32, for labels (B, H, W), int64: one number."""


class Schedule(Tabled[S]):
    """How the learning rate goes: `[training.schedule] name = "NAME"`.

    `least_steps` are the steps without which it is no schedule: `check` refuses fewer.
    """

    least_steps: int = 1

    @abstractmethod
    def factor(self, step: int, steps: int, settings: S) -> float:
        """What `training.learning_rate` is multiplied with at step 0 to `steps` - 1."""


Better = Literal["higher", "lower", "zero"]


class Metric(Plugin):
    """A score. Formulas are SQL (DuckDB) over sums; views, selectors and tables follow from them.

    The sums, over the patches of an image or of a test set in all their orientations: `n` (their
    number), `tp`, `fp`, `fn`, `tn` (pixels), `loss_sum`, `soft_intersection`, `soft_sum`.

    Attributes
    ----------
    label, meaning
        For readers: a short name, and how it is computed, as a sentence.
    better
        Which scores are good: high ones, low ones, or, of signed errors, those near zero.
    formula
        The score from the sums and those in `patch_sums`; null where it is not defined.
    patch_sums
        Further sums, each an expression over `tp`, `fp`, `fn`, `tn` (and so on) of one patch.
    bounds
        The lowest and the highest score that there can be, if that is known.
    """

    label: str
    meaning: str
    better: Better
    formula: str
    patch_sums: Mapping[str, str] = MappingProxyType({})
    bounds: tuple[float, float] | None = None


@dataclass(frozen=True)
class CountMetric(Metric):
    """A score of what is always counted.

    With `counted_by`, a score of what that metric over pixels counts: known where that is asked
    for, unknown elsewhere.
    """

    name: str
    label: str
    meaning: str
    better: Better
    formula: str
    patch_sums: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    bounds: tuple[float, float] | None = None
    counted_by: str = ""


class PixelMetric(Metric, Tabled[S]):
    """A score that needs the pixels themselves, asked for by its table `[evaluation.NAME]`.

    Attributes
    ----------
    sums
        The names of the numbers that it counts; each begins with the metric's name and "_".
    reads
        The catalog columns that `count_image` is told; their values are part of the key.
    """

    sums: tuple[str, ...]
    reads: tuple[str, ...] = ()

    @abstractmethod
    def count(self, probability: Tensor, label: Tensor, settings: S) -> Mapping[str, Tensor]:
        """Each of `sums` for each patch, (B,), from probabilities and labels, (B, P, P).

        Probabilities are float32, labels bool; the decision is probability > 0.5.
        """

    def count_image(
        self, probability: Tensor, label: Tensor, settings: S, columns: Mapping[str, Value]
    ) -> Mapping[str, Tensor]:
        """As `count`, of patches of one image, told its catalog values that the metric reads.

        `pixel_scale_nm` is that of the patches, after the resampling of the image.
        """
        return self.count(probability, label, settings)


class Reader(Plugin):
    """A format of image files. `suffixes` begin with a dot and are lower case."""

    suffixes: tuple[str, ...]

    @abstractmethod
    def read(self, path: Path) -> tuple[FileArray, float | None]:
        """The array of the file, of whatever shape and type, and its pixel scale [nm], if known.

        What it raises on a broken file becomes a FileError that names the file.
        """


@dataclass(frozen=True)
class Whereabouts:
    """Where addresses start.

    Attributes
    ----------
    catalog
        The catalog file; relative paths start in its folder.
    cache
        Folder of fetched files and of remembered hashes.
    base_address
        Address below which the published images lie; None: the authors' own.
    renders
        Folder of simulated images; None: simulate anew every time.
    folders
        Folders, beside the catalog's own, that its addresses may lead to.
    allow_http
        Whether files may be fetched without encryption from other machines.
    """

    catalog: Path
    cache: Path
    base_address: str | None = None
    renders: Path | None = None
    folders: tuple[Path, ...] = ()
    allow_http: bool = False


class Source(Plugin):
    """Where images come from: what addresses of some schemes ("twin:7", "https://...") mean.

    `schemes` are what stands before the colon; "" is a plain path.
    """

    schemes: tuple[str, ...]

    @abstractmethod
    def digest(self, uri: str, row: ImageRow, at: Whereabouts) -> str:
        """What identifies the image or label (hex, 64 characters), without fetching or rendering.

        Raises
        ------
        Unfetched
            If it is not here yet and not pinned.
        FileError
            If it cannot be had.
        """

    @abstractmethod
    def image(self, uri: str, row: ImageRow, at: Whereabouts) -> RawImage:
        """The pixels of an image; raises as `digest`."""

    @abstractmethod
    def label(self, uri: str, row: ImageRow, at: Whereabouts) -> Mask:
        """The pixels of a label, True is particle; raises as `digest`."""


@dataclass(frozen=True)
class Resources:
    """What a worker gets: the results folder that it serves, and its device."""

    results: Path
    device: str


class Engine(Protocol):
    """Starts workers and tells how they are. Handles are strings that outlive the runner."""

    @property
    def place(self) -> str:
        """Engine and machine or cluster: where its handles mean something."""

    def start(self, n: int, resources: Resources) -> list[str]:
        """Start n workers; return their handles."""

    def alive(self, handles: Iterable[str]) -> frozenset[str]:
        """Those of the handles whose workers still live."""

    def cancel(self, handles: Iterable[str]) -> None:
        """Ask workers to stop; they save a checkpoint and give back their jobs first.

        Those that were asked before, and still live, are to be ended.
        """

    def why(self, handle: str) -> str:
        """How a worker ended, as far as the engine knows: "was killed by SIGKILL".

        Raises
        ------
        RunError
            If any other worker would end so too, and what to do.
        """

    def tend(self) -> None:
        """Called at each turn of the runner's loop; an engine without processes works here."""


class EngineKind(Plugin):
    """A kind of engine: `studyspec run --on NAME`.

    `limits_time` says whether its workers stop a job that takes too long (`--time-limit`).
    `settings` is the model of the table `[engines.NAME]` of `studyspec.toml`. `lasting` says
    whether workers may go on when nobody looks after them (`--detach`).
    """

    limits_time: bool = True
    lasting: bool = False
    settings: type[Settings] = Empty

    def configured(self, settings: Settings) -> Self:
        """The kind with these settings; itself if it has none."""
        return self

    def look(self, handles: Iterable[str]) -> Mapping[str, str]:
        """How workers are, in the engine's words; some it may have nothing to say of."""
        return {}

    @abstractmethod
    def devices(self, workers: int | None = None) -> tuple[str, ...]:
        """The device of each worker: "cpu", "cuda:0", ...; `workers` is how many were asked for."""

    @abstractmethod
    def check(self, devices: Iterable[str]) -> None:
        """Refuse devices that it does not have.

        Raises
        ------
        RunError
            Naming the device and those there are.
        """

    @abstractmethod
    def make(self) -> Engine:
        """An engine for one run."""


Row = Mapping[str, Any]
"""Plain values; whether they are is seen when a chart has drawn."""
Spec = dict[str, Any]
"""A Vega-Lite specification: JSON of whatever form Vega-Lite allows."""


@dataclass(frozen=True)
class Drawing:
    """A chart with its rows.

    Attributes
    ----------
    name
        Of its data and files: letters, digits, "-" and "_".
    title, caption
        Its heading, and what it shows.
    spec
        Vega-Lite over the data named "rows"; the page gives it fonts and colours.
    rows
        The data: plain values.
    sql
        The query behind them, shown to the reader; empty if there is none.
    """

    name: str
    title: str
    caption: str
    spec: Spec
    rows: tuple[Row, ...]
    sql: str = ""


class Chart(Plugin):
    """A section of the report's page and a file of its export; drawn by rising `position`."""

    position: int = 1000

    @abstractmethod
    def draw(self, study: StudyFrames) -> Iterable[Drawing]:
        """Its drawings of a study; none where it has nothing to show."""

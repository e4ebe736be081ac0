"""Evaluate: one network on a part of one test set, patch by patch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from studyspec.catalog.row import Cell
from studyspec.jobs.kept import Candidate, KeptPatch, choose, shades
from studyspec.jobs.task import Inputs, Key, PreparedImage, Result, Sources, Task
from studyspec.jobs.train import Train
from studyspec.learn.networks import NetworkFile
from studyspec.plugins.contracts import Plugin
from studyspec.plugins.registry import METRICS, Registry
from studyspec.plugins.values import Value
from studyspec.spec.sections import Split
from studyspec.spec.uses import Pipeline, Use, Written, pixel_metric

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from torch import nn

    from studyspec.images.patches import Patches
    from studyspec.jobs import selection
    from studyspec.jobs.workshop import Workshop

    Counts = npt.NDArray[np.integer | np.floating]


SCALE = "pixel_scale_nm"


class EvaluateInputs(Inputs):
    """Where network and images are.

    Attributes
    ----------
    image_ids
        Names of the images, in the order of the task.
    sources
        How the patches of every image of test and (shared) training set come to be, by key.
    training, earlier
        The task that trains the network, if one does; those whose networks it started from.
    network
        The network, if it was trained elsewhere.
    """

    image_ids: tuple[str, ...]
    sources: Sources
    training: Train | None = None
    earlier: tuple[Train, ...] = ()
    network: NetworkFile | None = None


class ScoreColumns(Written):
    """The counts of every patch in every orientation, a list for each; `image` counts from 0.

    `sums` are what metrics over pixels count, by name.
    """

    image: tuple[int, ...] = ()
    row: tuple[int, ...] = ()
    col: tuple[int, ...] = ()
    orientation: tuple[int, ...] = ()
    tp: tuple[int, ...] = ()
    fp: tuple[int, ...] = ()
    fn: tuple[int, ...] = ()
    tn: tuple[int, ...] = ()
    loss_sum: tuple[float, ...] = ()
    soft_intersection: tuple[float, ...] = ()
    soft_sum: tuple[float, ...] = ()
    sums: dict[str, tuple[float, ...]] = {}


class Evaluated(Result):
    """The counts, the images that they are of, and the hash of the weights behind them."""

    weights_sha256: str
    image_ids: tuple[str, ...]
    scores: ScoreColumns

    @property
    def headline(self) -> str:
        """The mean dice of the patches."""
        import numpy as np

        from studyspec.learn.metrics.reference import dice

        counts = (np.asarray(getattr(self.scores, name)) for name in ("tp", "fp", "fn"))
        return f"dice {dice(*counts):.3f}" if self.scores.tp else ""


class Evaluate(Task[EvaluateInputs, Evaluated]):
    """The test of one network.

    Attributes
    ----------
    network
        The key of its training, or "weights:" and the hash of one that was trained elsewhere.
    images
        The keys of the test set's prepare tasks, in catalog row order.
    shared
        Positions in `images` of those that the training set holds too: of these the network is
        shown only the patches of `split`.
    seen_before
        The same for each training that the network started from, the nearest first: of these it is
        shown only what they held out. Empty if none of them shares an image.
    split, dihedral
        Which part, and whether in all 8 forms.
    precision
        In which the network computes; "auto" is bfloat16 where the device has it.
    metrics
        The metrics over pixels that are counted too.
    columns
        The catalog values that these read, one for each image.
    """

    stage: ClassVar[str] = "evaluate"
    recipe: ClassVar[int] = 1
    inputs: ClassVar[type[Inputs]] = EvaluateInputs
    result: ClassVar[type[Result]] = Evaluated

    network: str
    output: str = "logits"
    images: tuple[Key, ...]
    shared: tuple[int, ...] = ()
    seen_before: tuple[tuple[int, ...], ...] = ()
    split: Split = "test"
    dihedral: bool = True
    precision: Literal["float32", "auto"] = "float32"
    metrics: tuple[Use, ...] = ()
    columns: dict[str, tuple[Cell, ...]] = {}

    def uses(self) -> Iterator[tuple[Registry[Plugin], Use]]:
        """The metrics over pixels."""
        return ((METRICS, use) for use in self.metrics)

    def do(self, inputs: EvaluateInputs, workshop: Workshop) -> Evaluated:
        """Count hits and misses; the best, median and worst patch of a test are kept."""
        from studyspec.learn.metrics.reference import patch_dice

        file = inputs.network or workshop.trained(self.network)
        model = workshop.network(file)
        allowed = self._allowed(inputs, workshop)
        columns: dict[str, list[float]] = {}
        sums: dict[str, list[float]] = {}
        candidates: list[Candidate] = []
        for i, key in enumerate(self.images):
            patches = workshop.patches(key, inputs.sources[key])
            chosen = self._chosen(patches, key, inputs, allowed.get(i, ()))
            if not len(chosen):
                continue
            read = self._read(i, inputs.sources[key])
            counted, more = self._counts(model, patches, chosen, i, workshop.device, read)
            for name, values in counted.items():
                columns.setdefault(name, []).extend(values.tolist())
            for name, values in more.items():
                sums.setdefault(name, []).extend(values.tolist())
            plain = counted["orientation"] == 0
            dice = patch_dice(*(counted[name][plain] for name in ("tp", "fp", "fn")))
            pairs = zip(dice, chosen, strict=True)
            candidates += [Candidate(float(one), i, int(place)) for one, place in pairs]
        if self.split == "test" and candidates:
            workshop.keep(self.key, self._kept(model, candidates, inputs, workshop))
        # Any, as columns of several types are handed to `model_construct` by name.
        told: dict[str, Any] = {name: tuple(values) for name, values in columns.items()}
        told["sums"] = {name: tuple(values) for name, values in sums.items()}
        return Evaluated(
            weights_sha256=file.sha256,
            image_ids=inputs.image_ids,
            scores=ScoreColumns.model_construct(**told),
        )

    def _chosen(
        self,
        patches: Patches,
        key: Key,
        inputs: EvaluateInputs,
        allowed: Sequence[selection.Part],
    ) -> selection.Positions:
        """Positions of the patches that the network is shown."""
        import numpy as np

        from studyspec.jobs import selection

        if not allowed:
            return np.arange(len(patches.rows))
        return selection.at(patches, _image(inputs.sources[key]), allowed)

    def _allowed(
        self, inputs: EvaluateInputs, workshop: Workshop
    ) -> dict[int, list[selection.Part]]:
        """Where the network may be shown the images that it was trained with, by position."""
        allowed: dict[int, list[selection.Part]] = {}
        if self.shared and inputs.training is not None:
            part = _part(inputs.training, self.split, inputs, workshop)
            allowed = {i: [part] for i in self.shared}
        if self.split != "test":
            return allowed  # a part of its own training set, whatever it saw before
        for training, positions in zip(inputs.earlier, self.seen_before, strict=False):
            if positions:
                held_out = _part(training, "test", inputs, workshop)
                allowed |= {i: [*allowed.get(i, ()), held_out] for i in positions}
        return allowed

    def _read(self, image: int, source: PreparedImage) -> dict[str, Value]:
        """What metrics read of an image; its pixel scale is that of its patches."""
        read: dict[str, Value] = {name: cells[image] for name, cells in self.columns.items()}
        scale = read.get(SCALE)
        if isinstance(scale, int | float) and scale > 0:
            from studyspec.images.pipeline import prepared_scale_nm

            read[SCALE] = prepared_scale_nm(_pipeline(source), float(scale))
        return read

    def _counts(
        self,
        model: nn.Module,
        patches: Patches,
        chosen: selection.Positions,
        image: int,
        device: str,
        read: Mapping[str, Value],
    ) -> tuple[dict[str, Counts], dict[str, Counts]]:
        """The counts of some patches of one image, and what metrics over pixels count; arrays."""
        import numpy as np

        from studyspec.learn.evaluation import evaluate

        counts = evaluate(
            model,
            np.asarray(patches.images[chosen]),
            np.asarray(patches.labels[chosen]),
            self.dihedral,
            device,
            [pixel_metric(use) for use in self.metrics],
            self.precision,
            read,
        )
        n, orientations = counts.tp.shape
        places = {
            "image": np.full(n * orientations, image),
            "row": np.repeat(patches.rows[chosen], orientations),
            "col": np.repeat(patches.cols[chosen], orientations),
            "orientation": np.tile(np.arange(orientations), n),
        }
        told = {k: v.reshape(-1) for k, v in vars(counts).items() if k != "sums"}
        return {**places, **told}, {k: v.reshape(-1) for k, v in counts.sums.items()}

    def _kept(
        self,
        model: nn.Module,
        candidates: Sequence[Candidate],
        inputs: EvaluateInputs,
        workshop: Workshop,
    ) -> list[KeptPatch]:
        """A few patches with what the network makes of them."""
        import numpy as np

        from studyspec.learn.prediction import predict_patches

        kept = []
        for which, one in choose(candidates):
            key = self.images[one.image]
            patches = workshop.patches(key, inputs.sources[key])
            pixels = np.array(patches.images[one.position : one.position + 1])
            kept.append(
                KeptPatch(
                    which,
                    inputs.image_ids[one.image],
                    int(patches.rows[one.position]),
                    int(patches.cols[one.position]),
                    one.dice,
                    shades(pixels[0]),
                    np.array(patches.labels[one.position]) > 0,
                    predict_patches(model, pixels, workshop.device)[0],
                )
            )
        return kept


def _part(
    training: Train, split: Split, inputs: EvaluateInputs, workshop: Workshop
) -> selection.Part:
    """Where the patches of a part of a training set lie in its images, and the others."""
    from studyspec.jobs import selection

    images = [workshop.patches(key, inputs.sources[key]) for key in training.images]
    hashes = [_image(inputs.sources[key]) for key in training.images]
    places = selection.places(images, hashes)
    part = frozenset(places[i] for i in training.split(images).part(split))
    return selection.Part(part, frozenset(places) - part, images[0].images.shape[-1])


def _pipeline(source: PreparedImage) -> Pipeline:
    """How an image was prepared."""
    return Pipeline.model_validate(source.ingredients["pipeline"], strict=False)


def _image(source: PreparedImage) -> str:
    """The hash of the image behind some patches."""
    return str(source.ingredients["image"])

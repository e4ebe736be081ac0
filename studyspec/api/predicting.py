"""Predicting: masks of new images, and the particles in them in nm."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import JsonValue

from studyspec import __version__
from studyspec.api.found import FOLDERS, find
from studyspec.api.measuring import Border, counted, tests_of
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace, several
from studyspec.errors import StudySpecError
from studyspec.files import write

if TYPE_CHECKING:
    from studyspec.learn.masks import Masks, PredictedMask, Seen
    from studyspec.learn.networks import NetworkFile
    from studyspec.particles.measures import Particle
    from studyspec.particles.objects import Counting
    from studyspec.stats.sizes import SizeDistribution

AUTO = "auto"
PROVENANCE = "particles.json"
SIZES = "sizes.csv"


@dataclass(frozen=True)
class PredictOptions:
    """How images are predicted, and what is written.

    Attributes
    ----------
    device
        "auto": the first GPU, or else the CPU; "cpu", "cuda:0", ...
    pixel_scale_nm
        Edge of a pixel of all images [nm]; default: what their headers say.
    form
        Of masks: "tif" (OME-TIFF with the pixel size) or "png".
    particles
        Whether tables, overlays and sizes are written too.
    split_touching, min_area_px
        What counts as a particle; smaller things do not [px].
    border
        "exclude": the size distribution leaves out particles that touch the border of an image.
    tested_on
        Names of the test sets by which sizes are corrected; default: all.
    workplace, folders
        Where results and released networks are; results tell of labelled images, too. Default: the
        results in which the networks lie, or else `results/` here.
    """

    device: str = AUTO
    pixel_scale_nm: float | None = None
    form: Literal["tif", "png"] = "tif"
    particles: bool = True
    split_touching: bool = True
    min_area_px: int = 64
    border: Border = "exclude"
    tested_on: tuple[str, ...] = ()
    workplace: Workplace = HERE
    folders: Paths = FOLDERS


@dataclass(frozen=True)
class PredictedImage:
    """What came of an image.

    Attributes
    ----------
    image, path
        The image, and its mask.
    particle
        The share of the mask that is particle.
    agreement
        The mean dice of each two networks' masks; None for one network.
    pixel_scale_nm
        Edge of a pixel [nm], if it is known.
    particles
        What was measured of each; empty if that was not asked for.
    files
        What else was written: overlay and tables.
    """

    image: Path
    path: Path
    particle: float
    agreement: float | None
    pixel_scale_nm: float | None
    particles: tuple[Particle, ...] = ()
    files: tuple[Path, ...] = ()


@dataclass(frozen=True)
class FailedImage:
    """An image that could not be predicted, and why."""

    image: Path
    error: StudySpecError


@dataclass(frozen=True)
class Predicted:
    """What came of all images.

    `sizes` is the distribution over those whose pixel scale is known; None without any.
    """

    images: tuple[PredictedImage, ...]
    failed: tuple[FailedImage, ...] = ()
    sizes: SizeDistribution | None = None
    files: tuple[Path, ...] = ()


def predict(
    networks: Paths,
    images: Paths,
    output: AnyPath = "masks",
    options: PredictOptions | None = None,
    on_image: Callable[[PredictedImage], None] = lambda image: None,
    on_failure: Callable[[FailedImage], None] = lambda failed: None,
) -> Predicted:
    """Where do networks see particles in new images, and how large are these?

    Beside each mask go an overlay (NAME_particles.png) and a table (NAME_particles.csv, .parquet),
    and for all images `sizes.csv` and `particles.json`, which says how all this was made. An image
    that cannot be read, or is too small, does not stop the others.

    Parameters
    ----------
    networks
        Files of networks (.safetensors, .pt, .onnx), or any name that `find_networks` knows. A mask
        is where the mean of their probabilities exceeds one half.
    images
        Image files; each is prepared as those that a network was trained on, and resampled to
        their scale.
    output
        Folder of what is written; all is named after its image.
    options
        How, and what is written.
    on_image, on_failure
        Are told of each image as soon as it is done, or cannot be.

    Raises
    ------
    ScaleUnknown
        If a network was trained at a known scale, and that of the first image is not known.
    LearnError, PluginError
        If a network cannot be used.
    """
    from studyspec.learn.masks import predict_files

    options = options or PredictOptions()
    weights = find(networks, options.workplace, options.folders)
    pictures = [Path(path) for path in several(images)]
    desk = _Desk(options, _provenance(weights, options))
    failed: list[FailedImage] = []

    def fail(image: Path, error: StudySpecError) -> None:
        failed.append(FailedImage(image, error))
        on_failure(failed[-1])

    device = _device(options.device)
    masks = predict_files(
        weights, pictures, Path(output), device, options.pixel_scale_nm, desk.masks, fail
    )
    done = []
    for mask in masks:
        done.append(desk.collected(mask))
        on_image(done[-1])
    return _told(Predicted(tuple(done), tuple(failed)), weights, Path(output), desk)


@dataclass
class _Desk:
    """Writes what is wanted of each image, and keeps what the last one came to."""

    options: PredictOptions
    provenance: Mapping[str, JsonValue]
    _last: tuple[Seen, tuple[Particle, ...], tuple[Path, ...]] | None = field(default=None)

    @property
    def masks(self) -> Masks:
        """How masks are written."""
        from studyspec.catalog.mask_files import OME
        from studyspec.learn.masks import PNG, Masks

        return Masks(PNG if self.options.form == "png" else OME, self._write)

    def collected(self, mask: PredictedMask) -> PredictedImage:
        """The image that was just written."""
        assert self._last is not None
        seen, particles, files = self._last
        return PredictedImage(
            seen.path,
            mask.path,
            mask.particle,
            mask.agreement,
            seen.image.pixel_scale_nm,
            particles,
            files,
        )

    def _write(self, seen: Seen, path: Path) -> None:
        from studyspec.catalog.mask_files import write_mask, write_ome_mask

        if self.options.form == "png":
            write_mask(seen.mask, path)
        else:
            write_ome_mask(seen.mask, path, seen.image.pixel_scale_nm)
        particles, files = (
            self._particles(seen, path.parent) if self.options.particles else ((), ())
        )
        self._last = seen, particles, files

    def _particles(self, seen: Seen, folder: Path) -> tuple[tuple[Particle, ...], tuple[Path, ...]]:
        """Measure and draw the particles of an image, and write their table."""
        from studyspec.catalog.mask_files import write_picture
        from studyspec.particles.drawing import overlay
        from studyspec.particles.measures import View, measure
        from studyspec.particles.objects import find
        from studyspec.store.particle_files import write_particles

        objects, scale = find(seen.mask, counting(self.options)), seen.image.pixel_scale_nm
        view = View(seen.path.name, seen.probability, seen.masks, scale)
        particles = measure(objects, view)
        stem = folder / f"{seen.path.stem}_particles"
        picture = stem.with_name(f"{stem.name}.png")
        write_picture(overlay(seen.image.pixels, objects.labels, particles, scale), picture)
        tables = write_particles(particles, stem, json.dumps(self.provenance, ensure_ascii=False))
        return particles, (picture, *tables)


def counting(options: PredictOptions) -> Counting:
    """What counts as a particle."""
    from studyspec.particles.objects import Counting

    return Counting(options.split_touching, min_area_px=options.min_area_px)


def _told(
    predicted: Predicted, weights: Sequence[NetworkFile], folder: Path, desk: _Desk
) -> Predicted:
    """The same with the size distribution, and the files that tell of all images."""
    from studyspec.stats.sizes import distribution

    options = desk.options
    if not options.particles or not predicted.images:
        return predicted
    known = [one for one in predicted.images if one.pixel_scale_nm is not None]
    measured = [counted(one.particles, options.border) for one in known]
    tests = tests_of(weights, options.workplace.results, options.tested_on)
    sizes = distribution(measured, tests, options.border) if known else None
    files = [] if sizes is None else [_sizes_file(sizes, folder / SIZES)]
    files.append(folder / PROVENANCE)
    said = {
        **desk.provenance,
        "images": [str(one.image) for one in predicted.images],
        "failed": {str(one.image): one.error.text for one in predicted.failed},
        "sizes": None if sizes is None else asdict(sizes),
    }
    write(files[-1], json.dumps(said, ensure_ascii=False, indent=1) + "\n", durable=False)
    return Predicted(predicted.images, predicted.failed, sizes, tuple(files))


def _sizes_file(sizes: SizeDistribution, path: Path) -> Path:
    """The figures of a distribution as CSV."""
    from studyspec.store.answer_files import write_csv
    from studyspec.store.snapshot import Table

    columns = ("figure", "found", "found_low", "found_high",
               "corrected", "corrected_low", "corrected_high")  # fmt: skip
    rows: list[tuple[object, ...]] = []
    for one in sizes.figures:
        both = [one.found, one.corrected]
        numbers = [(b.value, b.low, b.high) if b else (None, None, None) for b in both]
        rows.append((one.label, *numbers[0], *numbers[1]))
    write_csv(Table(columns, ("VARCHAR", *["DOUBLE"] * 6), rows), path)
    return path


def _provenance(weights: Sequence[NetworkFile], options: PredictOptions) -> dict[str, JsonValue]:
    """What tables are made by, and what their columns mean."""
    from studyspec.particles.measures import COLUMNS
    from studyspec.stats.sizes import BORDERS

    return {
        "made_by": f"studyspec {__version__}",
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "networks": [
            {
                "name": one.name,
                "file": one.file,
                "sha256": one.sha256,
                "trained_on": one.conditions.words,
            }
            for one in weights
        ],
        "mask": "where the mean probability of the networks exceeds 0.5",
        "particles": counting(options).sentence,
        "measured_by": "regionprops of scikit-image",
        "size_distribution": f"number-based; {BORDERS[options.border]}; intervals of 95 % by "
        "bootstrap over images",
        "columns": {c.name: f"{c.meaning}{f' [{c.unit}]' if c.unit else ''}" for c in COLUMNS},
    }


def _device(asked: str) -> str:
    from studyspec.learn.devices import available

    return available()[0] if asked == AUTO else asked

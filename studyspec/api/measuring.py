"""Particles of masks that are on disk: measured, drawn, and their sizes told."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from studyspec.api.found import find
from studyspec.api.workplace import RESULTS, AnyPath, Paths, Workplace, results_in, several
from studyspec.errors import FileError, StudySpecError

if TYPE_CHECKING:
    from studyspec.learn.networks import NetworkFile
    from studyspec.particles.measures import Particle as Particle
    from studyspec.particles.objects import Counting as Counting
    from studyspec.stats.sizes import Measured
    from studyspec.stats.sizes import SizeDistribution as SizeDistribution
    from studyspec.store.particle_sums import SizeSums

Border = Literal["exclude", "include"]


def measure_particles(
    mask: AnyPath, pixel_scale_nm: float | None = None, counting: Counting | None = None
) -> tuple[Particle, ...]:
    """The particles of a mask or label: areas, diameters, places.

    Parameters
    ----------
    mask
        A file of any image format; non-zero is particle.
    pixel_scale_nm
        Edge of a pixel [nm]; default: that of its header. Without one nothing is told in nm.
    counting
        What counts as a particle; default: touching ones are split.

    Raises
    ------
    FileError, PluginError
        If it cannot be read.
    """
    import numpy as np

    from studyspec.catalog.readers import read_label, read_scale
    from studyspec.particles.measures import View, measure
    from studyspec.particles.objects import find

    path = Path(mask)
    pixels = read_label(path)
    scale = pixel_scale_nm or read_scale(path)
    view = View(path.name, pixels.astype(np.float32), pixel_scale_nm=scale)
    return measure(find(pixels, counting), view)


def draw_particles(
    image: AnyPath, mask: AnyPath, output: AnyPath, counting: Counting | None = None
) -> Path:
    """Draw the outlines and numbers of the particles of a mask on their image, as a PNG.

    Raises
    ------
    FileError, PluginError
        If one cannot be read, or they are not of one shape.
    """
    import numpy as np

    from studyspec.catalog.mask_files import write_picture
    from studyspec.catalog.readers import read_image, read_label
    from studyspec.particles.drawing import overlay
    from studyspec.particles.measures import View, measure
    from studyspec.particles.objects import find

    raw, pixels = read_image(Path(image)), read_label(Path(mask))
    if raw.pixels.shape != pixels.shape:
        raise FileError(
            f"the mask is {pixels.shape} but the image {raw.pixels.shape} [px]", where=str(mask)
        )
    objects = find(pixels, counting)
    particles = measure(objects, View(str(image), pixels.astype(np.float32)))
    picture = overlay(raw.pixels, objects.labels, particles, raw.pixel_scale_nm)
    write_picture(picture, Path(output))
    return Path(output)


def size_distribution(
    tables: Paths,
    border: Border = "exclude",
    networks: Paths = (),
    results: AnyPath | None = None,
    tested_on: Sequence[str] = (),
) -> SizeDistribution:
    """The size distribution of the particles in some tables, a table for each image.

    Parameters
    ----------
    tables
        What `predict` wrote, CSV or Parquet.
    border
        "exclude": particles that touch a border are left out, "include": they are counted.
    networks
        The networks that saw the particles, as `predict` takes them. Where the store knows labelled
        images on which these were tested with `[evaluation.particles]`, sizes are given corrected
        too.
    results
        The results folder; default: that in which the networks lie.
    tested_on
        Names of the test sets to correct by; default: all.

    Raises
    ------
    FileError
        If a table cannot be read, or tells no sizes for want of a pixel scale.
    """
    from studyspec.stats.sizes import distribution
    from studyspec.store.particle_files import read_particles

    measured = []
    for table in several(tables):
        particles = read_particles(Path(table))
        if any(one.equivalent_diameter_nm is None for one in particles):
            raise FileError(
                "no diameters, as no pixel scale was known",
                where=str(table),
                hint="studyspec predict --pixel-scale-nm",
            )
        measured.append(counted(particles, border))
    weights = find(networks, Workplace(results)) if networks else ()
    return distribution(measured, tests_of(weights, results, tested_on), border)


def counted(particles: Sequence[Particle], border: Border) -> Measured:
    """The diameters of the particles of an image that count by a rule for its border."""
    from studyspec.stats.sizes import Measured

    kept = [one for one in particles if border == "include" or not one.touches_border]
    known = [one.equivalent_diameter_nm for one in kept]
    diameters = tuple(diameter for diameter in known if diameter is not None)
    return Measured(diameters, len(particles) - len(kept))


def tests_of(
    networks: Sequence[NetworkFile], results: AnyPath | None, tested_on: Sequence[str]
) -> tuple[SizeSums, ...]:
    """What the store says of the sizes that networks give; nothing where there is no store."""
    from studyspec.store.ingest import ingest
    from studyspec.store.particle_sums import size_sums

    folder = _results_of(networks) if results is None else Path(results)
    if folder is None or not networks:
        return ()
    store = results_in(folder)
    try:
        ingest(store)
        return size_sums(store, [one.sha256 for one in networks], tested_on)
    except StudySpecError:
        if results is not None or tested_on:
            raise
        return ()


def _results_of(networks: Sequence[NetworkFile]) -> Path | None:
    """The results folder in which networks lie, as RESULTS/artifacts/networks/SHA256; or here."""
    for one in networks:
        above = Path(one.file or "").resolve().parents
        if len(above) > 2 and results_in(above[2]).networks == above[0]:
            return above[2]
    return Path(RESULTS) if Path(RESULTS).is_dir() else None

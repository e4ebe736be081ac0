"""Catalogs: which images there are, adding to them, and bringing them here."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path
from typing import Any

from studyspec.api import running
from studyspec.api.checking import check
from studyspec.api.frames import Rows
from studyspec.api.workplace import HERE, AnyPath, Workplace, own_folders
from studyspec.catalog.add import Added
from studyspec.catalog.add import add as add_images
from studyspec.catalog.columns import KNOBS
from studyspec.catalog.distributions import Distribution as Distribution
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog
from studyspec.catalog.twin_rows import CONDITION, DRAWABLE, FURTHER, Drawn, told
from studyspec.catalog.verify import Verified
from studyspec.catalog.verify import verify as verify_files
from studyspec.errors import TwinError
from studyspec.images import comparison
from studyspec.images.comparison import Compared as Compared
from studyspec.images.comparison import Extent as Extent
from studyspec.images.door import Door

FILE = "data_catalog.parquet"
"""The catalog of whoever names none."""


SIZES = ("width_px", "height_px")
MOST_IMAGES = 100_000
"""More in one call are a slip: a range too many, or too fine a step."""
Numbers = float | Distribution | Iterable[float | Distribution] | None
"""A number or a series, or what the twin has itself; of a distribution each image has another."""
KNOB_NAMES = tuple(column.name for column in KNOBS)


@dataclass(frozen=True, init=False)
class Imaging:
    """Conditions of simulated images: how they are taken; series multiply to a grid.

    Parameters
    ----------
    dose_e_per_A2
        Dose [e/Å^2].
    pixel_scale_nm
        Edge of a pixel [nm].
    support
        "ultrathin carbon" or "silicon nitride".
    session
        A day's focus and illumination follow from its name.
    voltage_kv
        Voltage [kV].
    width_px
        Edge of an image [px]; None: three particles across.
    camera
        "Gatan OneView", as None is, "Gatan K3", "CCD" or "ideal".
    shape
        "smooth sphere", "truncated octahedron", "decahedron", "icosahedron" or "rod", or several;
        None or "sphere": nearly round particles, some twinned and some of several grains.
    knobs
        Any of the columns `catalog.columns.KNOBS`, as `defocus_nm`; None: of session or twin.

    Attributes
    ----------
    columns
        All of them by the catalog's column.
    """

    columns: Mapping[str, object]

    def __init__(
        self,
        dose_e_per_A2: Numbers = 423,
        pixel_scale_nm: Numbers = 0.02,
        support: str = "ultrathin carbon",
        session: str = "simulated",
        voltage_kv: Numbers = 300,
        width_px: int | None = None,
        camera: str | Iterable[str] | None = None,
        shape: str | Iterable[str] | None = None,
        **knobs: Numbers,
    ) -> None:
        given: dict[str, object] = {
            "dose_e_per_A2": dose_e_per_A2,
            "pixel_scale_nm": pixel_scale_nm,
            "support": support,
            "session": session,
            "voltage_kv": voltage_kv,
            "width_px": width_px,
            "height_px": width_px,
            "camera": camera,
            "shape": shape,
        }
        for name in knobs:
            if name not in KNOB_NAMES:
                hint = f"there are {', '.join(KNOB_NAMES)}"
                raise TwinError(f"no knob '{name}'", hint=hint)
        several = {name: _series(value, name in SIZES) for name, value in (given | knobs).items()}
        object.__setattr__(self, "columns", several)


@dataclass(frozen=True)
class Comparison:
    """Two collections side by side: the columns of a condition, and what is compared under each."""

    names: tuple[str, str]
    condition: tuple[str, ...]
    statistics: tuple[str, ...]
    compared: tuple[Compared, ...]


def conditions(catalog: AnyPath = FILE, collection: str | None = None) -> Rows:
    """The conditions in a catalog, with the number of images of each.

    Parameters
    ----------
    catalog
        Catalog file.
    collection
        Only this one.

    Raises
    ------
    CatalogError
        If the catalog cannot be read.
    """
    rows = [r for r in Catalog.open(Path(catalog)).rows if collection in (None, r.collection)]
    known = [name for name in FURTHER if any(told(row, name) is not None for row in rows)]
    names = ("collection", *CONDITION, *known)
    counts = Counter(
        tuple(told(row, name) if name == "structure" else getattr(row, name) for name in names)
        for row in rows
    )
    return Rows((*names, "images"), tuple((*key, n) for key, n in counts.items()))


def add(
    folder: AnyPath,
    metadata: AnyPath,
    catalog: AnyPath = FILE,
    collection: str = "mine",
    replace_others: bool = False,
) -> Added:
    """Make or extend a catalog from one's own images; every column of the CSV can be filtered on.

    Parameters
    ----------
    folder
        Where the images and labels lie.
    metadata
        CSV with the columns `image` and `label`, any catalog column, and any further one.
    catalog
        Catalog file, made if it is not there.
    collection
        Collection of the new rows.
    replace_others
        Whether a new image may take the place of another one of the same name.

    Raises
    ------
    CatalogError, FileError
        Naming the line and column of the CSV; nothing is written then.
    """
    added = add_images(Path(folder), Path(metadata), Path(catalog), collection, replace_others)
    note = own_folders().remember(Path(folder), Path(catalog))
    return replace(added, notes=(*added.notes, note)) if note else added


def simulate(
    material: str | None,
    diameter_nm: float | Iterable[float],
    imaging: Imaging | None = None,
    n: int = 12,
    catalog: AnyPath = FILE,
    structure: AnyPath | None = None,
) -> tuple[ImageRow, ...]:
    """Add simulated images of conditions that nobody has measured; a run renders them.

    Parameters
    ----------
    material
        Au, Ag, Pt, Pd or CdSe; with a structure any word, None: its formula.
    diameter_nm
        Nominal diameter of the particles [nm], or several.
    imaging
        How the images are taken.
    n
        How many images of each condition.
    catalog
        Catalog file, made if it is not there.
    structure
        CIF file of a crystal; rows keep what it says, and do not need it again.

    Raises
    ------
    TwinError
        If the file tells of no crystal, the twin cannot simulate these conditions, or they are too
        many; nothing is written then.
    CatalogError
        If the catalog cannot be read or written.
    """
    from studyspec.twin.rows import add_rows

    if structure is not None:
        from studyspec.twin.structures import read_cif

        crystal = read_cif(Path(structure))
        like = ImageRow("", "", "", material=material or crystal.formula, structure=crystal.text)
    elif material is None:
        raise TwinError("neither material nor structure", hint="give one of them")
    else:
        like = ImageRow("", "", "", material=material)
    grid = list(_grid((imaging or Imaging()).columns, diameter_nm, n))
    templates = [replace(like, **fixed) for fixed, _ in grid]
    return tuple(add_rows(templates, n, Path(catalog), [drawn for _, drawn in grid]))


def _grid(
    columns: Mapping[str, Any], diameter_nm: float | Iterable[float], n: int
) -> Iterator[tuple[dict[str, Any], Drawn]]:
    """Each condition, the last series fastest: its values, and what differs within it.

    Too many are refused unmade.
    """
    several = {**columns, "diameter_nm": _series(diameter_nm, whole=False)}
    conditions = math.prod(map(len, several.values()))
    if conditions * n > MOST_IMAGES:
        asked = f"{conditions} conditions of {n} images are {conditions * n}"
        hint = f"{MOST_IMAGES} at most at once: give fewer values, or fewer images of each (-n)"
        raise TwinError(asked, hint=hint)
    for values in product(*several.values()):
        given = dict(zip(several, values, strict=True))
        drawn = {name: one for name, one in given.items() if isinstance(one, Distribution)}
        for name in drawn:
            if name not in DRAWABLE:
                hint = f"{', '.join(DRAWABLE)} can be"
                raise TwinError(f"'{name}' cannot be drawn for each image", hint=hint)
        yield {name: one for name, one in given.items() if name not in drawn}, drawn


def _series(value: Any, whole: bool) -> tuple[Any, ...]:
    """The values; numbers as a catalog keeps them, so that rows are the same before and after."""
    several = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    return tuple(float(one) if isinstance(one, int) and not whole else one for one in several)


def compare(
    first: str,
    second: str,
    catalog: AnyPath = FILE,
    extent: Extent | None = None,
    workplace: Workplace = HERE,
    on_image: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Compare the images of two collections: contrast, roughness, histogram, power spectrum.

    Parameters
    ----------
    first, second
        The collections.
    catalog
        Catalog file with both.
    extent
        How much to compare.
    workplace
        Where fetched files are.
    on_image
        Told how many images are done, and of how many.

    Raises
    ------
    CatalogError
        If there is no such collection, or they share no condition.
    FileError, TwinError
        If an image cannot be had.
    """
    names, door = (first, second), Door(workplace.whereabouts(catalog))
    found = comparison.compare(Path(catalog), names, extent or Extent(), door, on_image)
    shown = [
        number
        for number, name in enumerate(comparison.MATCHED)
        if name in comparison.ALWAYS or any(one.condition[number] is not None for one in found)
    ]
    told_apart = tuple(
        replace(one, condition=tuple(one.condition[number] for number in shown)) for one in found
    )
    columns = tuple(comparison.MATCHED[number] for number in shown)
    return Comparison(names, columns, comparison.STATISTICS, told_apart)


def fetch(
    study: AnyPath,
    profile: str | None = None,
    workplace: Workplace = HERE,
    progress: running.OnFetch | None = None,
) -> int:
    """Fetch the images and labels of a study that are not here yet; how many files that were.

    Parameters
    ----------
    study
        The study file.
    profile
        Profile of the file to merge over it.
    workplace
        Where fetched files go.
    progress
        Told of each download: name of the file, bytes so far and in all.

    Raises
    ------
    SpecError, CatalogError
        As `check`.
    FetchError
        Naming each file that could not be fetched or differs from its pin.
    """
    return running.fetch(check(study, profile, workplace), progress)


def verify(catalog: AnyPath = FILE, workplace: Workplace = HERE) -> Verified:
    """Compare every fetched file that is here with its pin; downloads nothing."""
    return verify_files(workplace.whereabouts(catalog))


def build(output: AnyPath = FILE) -> int:
    """Build the catalog of the published images and of their twin, byte for byte; its rows."""
    from studyspec.catalog.build import build as build_catalog

    return build_catalog(Path(output))

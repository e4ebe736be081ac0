"""Networks on one's own labelled images, without a study file: a study is written from arguments.

It is planned, run and kept as every study is; what comes out is told image by image.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from pydantic import JsonValue

from studyspec.api import catalog as catalogs
from studyspec.api.found import FOLDERS, find
from studyspec.api.overlays import overlays
from studyspec.api.running import Finished, Listener, finish
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace
from studyspec.catalog.labelled import find_labelled
from studyspec.catalog.row import ImageRow
from studyspec.catalog.table import Catalog, write_catalog
from studyspec.errors import CatalogError, NothingThere, RunError
from studyspec.files import write
from studyspec.images.choice import select
from studyspec.learn.conditions import resampled_nm
from studyspec.learn.networks import NetworkFile
from studyspec.learn.prediction import MULTIPLE_PX, TILE_PX
from studyspec.report.tested import build_tested
from studyspec.run.events import Summary
from studyspec.run.runner import Options
from studyspec.spec.filters import DatasetFilter
from studyspec.spec.loading import load
from studyspec.stats.tested import NetworkScore, network_scores
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.networks import seen_images
from studyspec.store.tested import tested_patches

COLLECTION = "tested"
COVERED = 0.9
LABELLED = "label_uri is not null"
TRANSLATED = str.maketrans({"+": "&", ":": "=", "'": "", '"': "", "`": "", "\\": ""})


@dataclass(frozen=True)
class Scored:
    """What came of a test.

    Attributes
    ----------
    name, study
        The test set, and the study file that was written for it.
    networks
        The networks' scores, the best first.
    left_out
        Images that were not scored, and why.
    notes
        What a person should know of how images were prepared.
    page
        The report.
    summary
        Numbers of jobs.
    """

    name: str
    study: Path
    networks: tuple[NetworkScore, ...]
    left_out: tuple[str, ...]
    notes: tuple[str, ...]
    page: Path
    summary: Summary


@dataclass(frozen=True)
class TestImages:
    """The images of a test: where the catalog is, which rows of it, and what is left out."""

    __test__ = False

    catalog: Path
    filter: DatasetFilter
    rows: tuple[ImageRow, ...]
    left_out: tuple[str, ...] = ()


def score(
    networks: Paths,
    on: AnyPath,
    workplace: Workplace = HERE,
    pixel_scale_nm: float | None = None,
    folders: Paths = FOLDERS,
    options: Options | None = None,
    listener: Listener | None = None,
    page: AnyPath | None = None,
) -> Scored:
    """Score networks on one's own labelled images; nothing is trained, and nothing known redone.

    Parameters
    ----------
    networks
        Files, released names, "material/Au/0", or hashes: as `api.find_networks`.
    on
        A folder of images and labels, or a dataset of a study ("studies/material.toml:Au"), or a
        collection of a catalog ("data_catalog.parquet:mine").
    workplace
        Where results and fetched files are; default: `results/` here.
    pixel_scale_nm
        Edge of a pixel [nm], for images of which neither file nor CSV says it, and over both.
    folders
        Where released networks lie.
    options
        Engine, workers, devices.
    listener
        Is told what happens.
    page
        Where the page goes; default: among the results' reports.

    Raises
    ------
    CatalogError, FileError, LearnError, ScaleUnknown
        Before anything runs.
    NothingThere
        If no image could be scored.
    """
    found = find(networks, workplace, folders)
    results = workplace.results_of(Path())
    name, images = _images(str(on), results, pixel_scale_nm, workplace)
    prepared = {_plain(one.name): _preparation(one, images.rows) for one in found}
    named = dict(zip(prepared, found, strict=True))
    study = results.tests / name / "study.toml"
    write(study, _toml(name, images, named, prepared, results), durable=False)
    place = replace(workplace, results=results.folder)
    finished = finish([(study, None)], place, options or Options(), listener)
    ingest(results)
    patches = tested_patches(results, f"test-{name}")
    scales = {one: prepared[one].scales_nm for one in prepared}
    scores = network_scores(patches, {i.image_id for i in images.rows}, scales)
    if not scores:
        raise NothingThere("no image was scored", hint=f"studyspec status {study} says why")
    scores = tuple(replace(s, conditions=named[s.network].conditions.words) for s in scores)
    told = [note for one in prepared.values() for note in one.notes]
    notes = tuple(dict.fromkeys([*_flattered(results, finished, found), *told]))
    output = Path(page) if page is not None else results.reports / f"test-{name}.html"
    jobs = [one.job for planned in finished.planned for one in planned.jobs]
    pictures = overlays(results, name, jobs, patches, scores)
    lost = [f"{i}: not scored by {s.network}" for s in scores for i in s.missing]
    failed = prepared.keys() - {one.network for one in scores}
    lost += [f"{one}: no scores; studyspec status {study} says why" for one in sorted(failed)]
    left_out = (*images.left_out, *lost)
    build_tested(name, scores, (*notes, *left_out), pictures, scales, output)
    return Scored(name, study, scores, left_out, notes, output, finished.summary)


def _flattered(
    results: Results, finished: Finished, networks: Sequence[NetworkFile]
) -> Iterator[str]:
    """A note for each network that was trained on some of the images."""
    datasets = [d for one in finished.planned for d in one.checked.datasets.values()]
    shown = {image.image_sha256 for dataset in datasets for image in dataset.images}
    for network in networks:
        n = len(shown & seen_images(results, network.sha256))
        if n:
            yield f"{network.name} was trained on {n} of these {len(shown)} images: dice flatters it"


def _images(
    on: str, results: Results, scale_nm: float | None, workplace: Workplace
) -> tuple[str, TestImages]:
    """The images to test on, and what they are called."""
    path, _, part = on.rpartition(":")
    if not Path(on).is_dir() and part and Path(path).suffix in (".toml", ".parquet"):
        name = f"{Path(path).stem}-{part}".translate(TRANSLATED)
        reader = _of_study if path.endswith(".toml") else _of_catalog
        return _file_name(name), reader(Path(path), part)
    folder = Path(on)
    name = _named(folder, results)
    return name, _of_folder(folder, results.tests / name, scale_nm)


def _of_folder(folder: Path, work: Path, scale_nm: float | None) -> TestImages:
    """A catalog of a user's folder, made anew."""
    found = find_labelled(folder, work)
    write(work / "of", f"{folder.absolute()}\n", durable=False)
    path = work / "catalog.parquet"
    path.unlink(missing_ok=True)
    added = catalogs.add(found.folder, found.metadata, path, COLLECTION)
    rows = Catalog.open(path).rows
    if scale_nm is not None:
        rows = tuple(replace(row, pixel_scale_nm=scale_nm) for row in rows)
        write_catalog(list(rows), path)
    bare = [row.image_id for row in rows if row.label_uri is None]
    left_out = tuple(f"{name}: no label" for name in (*found.unlabelled, *bare))
    labelled = tuple(row for row in rows if row.label_uri is not None)
    if not labelled:
        raise CatalogError("no image has a label", where=str(folder), hint="name labels in the CSV")
    wanted = DatasetFilter.model_validate({"collection": COLLECTION, "sql": LABELLED})
    return TestImages(path, wanted, labelled, (*left_out, *added.notes))


def _of_study(path: Path, dataset: str) -> TestImages:
    """A dataset of a study file."""
    loaded = load(path)
    known = loaded.study.datasets
    if dataset not in known:
        hint = f"there are {', '.join(known)}"
        raise CatalogError(f"no dataset '{dataset}'", where=str(path), hint=hint)
    collection = known[dataset].collection or loaded.study.catalog.collection
    wanted = known[dataset].model_copy(update={"collection": collection})
    return _chosen(loaded.root / loaded.study.catalog.path, wanted)


def _of_catalog(path: Path, collection: str) -> TestImages:
    """A collection of a catalog file."""
    Catalog.open(path).rows_of(collection)
    return _chosen(path, DatasetFilter.model_validate({"collection": collection}))


def _chosen(path: Path, wanted: DatasetFilter) -> TestImages:
    catalog = Catalog.open(path)
    rows, mistakes = select({"images": wanted}, wanted.collection or "", catalog)
    if mistakes:
        raise CatalogError(mistakes[0].what, where=str(path), hint=mistakes[0].hint)
    return TestImages(path.absolute(), wanted, rows["images"])


@dataclass(frozen=True)
class Preparation:
    """How the test images are prepared for one network.

    Attributes
    ----------
    tables
        What that changes of the network's own preparation, or of the default one.
    scales_nm
        Edge of a pixel of each image as the network sees it [nm], where it is known.
    notes
        What a person should know of it.
    """

    tables: Mapping[str, JsonValue]
    scales_nm: Mapping[str, float]
    notes: tuple[str, ...]


def _preparation(network: NetworkFile, rows: Sequence[ImageRow]) -> Preparation:
    """Resample to the network's scale, and cut so that as little as possible is lost.

    Raises
    ------
    ScaleUnknown
        If the network's scale is known, and that of an image is not.
    """
    shapes = {row.image_id: (row.height_px or 0, row.width_px or 0) for row in rows}
    lost = [row for row in rows if row.pixel_scale_nm is None]
    if lost and network.conditions.pixel_scale_nm:
        network.prepared_at((1, 1), None, f"{lost[0].image_id} and {len(lost) - 1} more")
    known = [row.pixel_scale_nm for row in rows if row.pixel_scale_nm]
    middle = math.exp(sum(map(math.log, known)) / len(known)) if known else None
    pipelines = [
        network.prepared_at(shapes[row.image_id], middle and row.pixel_scale_nm) for row in rows
    ]
    target = resampled_nm(pipelines[0])
    if target is not None and middle is not None and network.conditions.pixel_scale_nm:
        target = network.conditions.scale_near(middle)
    zooms = [row.pixel_scale_nm / target if target and row.pixel_scale_nm else 1.0 for row in rows]
    sizes = [
        (round(h * zoom), round(w * zoom))
        for (h, w), zoom in zip(shapes.values(), zooms, strict=True)
    ]
    natural = TILE_PX if network.pipeline is None else network.pipeline.patch.size
    edge, covered = _patch_edge(sizes, natural)
    tables: dict[str, JsonValue] = {"patch": {"size": edge}}
    notes = []
    if target is not None:
        tables["resample"] = {"pixel_scale_nm": target}
    else:
        notes.append(
            f"{network.name} does not say at which scale it was trained: images as they are"
        )
    parts = sum(all(use.name != "flat_field" for use in one.steps) for one in pipelines)
    if parts == len(rows):
        tables["flat_field"] = {"enabled": False}
        notes.append("no flat field is removed: each image is no larger than one patch")
    if covered < COVERED:
        notes.append(
            f"{network.name}: patches of {edge} px hold {covered:.0%} of the pixels; the rest, at "
            "the right and lower edges, is not scored"
        )
    scales = {row.image_id: target or row.pixel_scale_nm for row in rows}
    told = {name: scale for name, scale in scales.items() if scale is not None}
    return Preparation(tables, told, tuple(notes))


def _patch_edge(sizes: Sequence[tuple[int, int]], natural: int) -> tuple[int, float]:
    """The edge of patches [px], as near below the natural one as loses little; what they hold."""
    whole = sum(h * w for h, w in sizes) or 1
    smallest = min((min(size) for size in sizes), default=0)
    best, held = MULTIPLE_PX, 0.0
    for edge in range(natural, 2 * MULTIPLE_PX - 1, -MULTIPLE_PX):
        if edge > smallest:
            continue
        share = sum((h // edge) * (w // edge) for h, w in sizes) * edge**2 / whole
        if share > held + 0.02:
            best, held = edge, share
        if held >= COVERED:
            break
    return best, held


def _toml(
    name: str,
    images: TestImages,
    networks: Mapping[str, NetworkFile],
    prepared: Mapping[str, Preparation],
    results: Results,
) -> str:
    """The study, as a person would have written it; its project is the folder of the results."""
    wanted = images.filter.model_dump(mode="json", by_alias=True, exclude_none=True)
    dataset = name if name not in networks else f"{name} (images)"
    lines = [
        f"# Written by `studyspec test`, which replaces it: networks on {name}.",
        "[study]",
        f"name = {_text(f'test-{name}')}",
        f"question = {_text(f'Which of these networks find the particles of {name}?')}",
        "",
        "[catalog]",
        f"path = {_text(_below(images.catalog.absolute(), results.folder.parent))}",
        f"collection = {_text(str(images.filter.collection))}",
        "",
        f"[datasets.{_text(dataset)}]",
        *(f"{_text(key)} = {_value(value)}" for key, value in wanted.items()),
    ]
    for network, file in networks.items():
        lines += [
            "",
            f"[networks.{_text(network)}]",
            f"weights = {_text(str(file.file))}",
            f"preprocess = {_value(dict(prepared[network].tables))}",
        ]
    lines += [
        "",
        "[preprocess]",
        "patch = { min_particle_px = 0, empty = true }",
        "",
        "[matrix]",
        f"train = {_value(list(networks))}",
        f"test = {_value([dataset])}",
        "",
        "[evaluation]",
        "dihedral = false",
        "false_particles = {}",
    ]
    return "\n".join(lines) + "\n"


def _below(path: Path, folder: Path) -> str:
    """A path relative to a folder that it lies below, else whole."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(value: JsonValue) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_text(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(value)


def _plain(name: str) -> str:
    return name.translate(TRANSLATED)


def _file_name(name: str) -> str:
    kept = "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-")
    return kept or "images"


def _named(folder: Path, results: Results) -> str:
    """What a folder is called: another one of the same name has a number."""
    wanted = _file_name(folder.absolute().name)
    for name in _numbered(wanted):
        note = results.tests / name / "of"
        if not note.exists() or note.read_text().strip() == str(folder.absolute()):
            return name
    raise RunError("no name is left")


def _numbered(name: str) -> Iterator[str]:
    yield name
    yield from (f"{name}-{i}" for i in range(2, 1000))

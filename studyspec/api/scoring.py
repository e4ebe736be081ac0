"""Networks on one's own labelled images, without a study file: a study is written from arguments.

It is planned, run and kept as every study is; what comes out is told image by image.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studyspec.api.arguments import PREFIX, as_study
from studyspec.api.found import FOLDERS, find
from studyspec.api.overlays import overlays
from studyspec.api.preparing import Preparation, preparation
from studyspec.api.running import Finished, Listener, finish
from studyspec.api.tested_images import TestImages, test_images
from studyspec.api.workplace import HERE, AnyPath, Paths, Workplace
from studyspec.errors import NothingThere
from studyspec.files import write
from studyspec.learn.networks import NetworkFile
from studyspec.report.tested import build_tested
from studyspec.run.events import Summary
from studyspec.run.runner import Options
from studyspec.stats.tested import NetworkScore, network_scores
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.networks import seen_images
from studyspec.store.tested import TestedPatch, tested_patches

TRANSLATED = str.maketrans({"+": "&", ":": "=", "'": "", '"': "", "`": "", "\\": ""})
"""What the name of a network in a study may not hold."""
SHOWN_HASH = 6


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
    results = workplace.results_of(Path())
    named = _named(find(networks, workplace, folders))
    images = test_images(str(on), results, pixel_scale_nm)
    prepared = {name: preparation(file, images.rows) for name, file in named.items()}
    study = results.tests / images.name / "study.toml"
    write(study, as_study(images, named, prepared, results), durable=False)
    place = replace(workplace, results=results.folder)
    finished = finish([(study, None)], place, options or Options(), listener)
    ingest(results)
    patches = tested_patches(results, f"{PREFIX}{images.name}")
    scores = _scores(patches, images, named, prepared)
    if not scores:
        raise NothingThere("no image was scored", hint=f"studyspec status {study} says why")
    notes = tuple(_notes(results, finished, named, prepared))
    left_out = (*images.left_out, *_lost(scores, named, study))
    output = results.reports / f"{PREFIX}{images.name}.html" if page is None else Path(page)
    jobs = [one.job for planned in finished.planned for one in planned.jobs]
    pictures = overlays(results, images.name, jobs, patches, scores)
    scales = {name: one.scales_nm for name, one in prepared.items()}
    build_tested(images.name, scores, (*notes, *left_out), pictures, scales, output)
    return Scored(images.name, study, scores, left_out, notes, output, finished.summary)


def _named(networks: Sequence[NetworkFile]) -> dict[str, NetworkFile]:
    """The networks by the names that a study can give them, each another."""
    named: dict[str, NetworkFile] = {}
    for one in networks:
        name = one.name.translate(TRANSLATED)
        named[f"{name} {one.sha256[:SHOWN_HASH]}" if name in named else name] = one
    return named


def _scores(
    patches: Iterable[TestedPatch],
    images: TestImages,
    networks: Mapping[str, NetworkFile],
    prepared: Mapping[str, Preparation],
) -> tuple[NetworkScore, ...]:
    scales = {name: one.scales_nm for name, one in prepared.items()}
    found = network_scores(patches, {row.image_id for row in images.rows}, scales)
    return tuple(replace(s, conditions=networks[s.network].conditions.words) for s in found)


def _lost(
    scores: Sequence[NetworkScore], networks: Mapping[str, NetworkFile], study: Path
) -> Iterator[str]:
    """What was asked and has no score."""
    for one in scores:
        yield from (f"{image}: not scored by {one.network}" for image in one.missing)
    for name in sorted(networks.keys() - {one.network for one in scores}):
        yield f"{name}: no scores; studyspec status {study} says why"


def _notes(
    results: Results,
    finished: Finished,
    networks: Mapping[str, NetworkFile],
    prepared: Mapping[str, Preparation],
) -> Iterator[str]:
    """A note for each network that was trained on some of the images; how all were prepared."""
    datasets = [d for one in finished.planned for d in one.checked.datasets.values()]
    shown = {image.image_sha256 for dataset in datasets for image in dataset.images}
    for name, network in networks.items():
        if n := len(shown & seen_images(results, network.sha256)):
            yield f"{name} was trained on {n} of these {len(shown)} images: dice flatters it"
    yield from dict.fromkeys(note for one in prepared.values() for note in one.notes)

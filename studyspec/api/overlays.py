"""Overlays of a test: the worst patch of the worst images, with what each network makes of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from studyspec.jobs.evaluate import Evaluate, EvaluateInputs
from studyspec.jobs.kept import KeptPatch, shades
from studyspec.jobs.stages import Job
from studyspec.stats.tested import NetworkScore
from studyspec.store.folder import Results
from studyspec.store.kept import load_kept, save_kept
from studyspec.store.tested import TestedPatch

MOST_NETWORKS, MOST_IMAGES = 4, 12
MOST_PIXELS = 48 * 512**2
"""What is predicted anew for one page, at most."""
WHICH = "overlay"


def worst_images(scores: Sequence[NetworkScore]) -> list[str]:
    """The images, by their mean dice over the networks shown, the lowest first."""
    found: dict[str, list[float]] = {}
    for score in scores[:MOST_NETWORKS]:
        for image in score.images:
            dice = 2.0 if image.dice is None else image.dice
            found.setdefault(image.image_id, []).append(dice)
    return sorted(found, key=lambda image: (float(np.mean(found[image])), image))


def overlays(
    results: Results,
    name: str,
    jobs: Iterable[Job],
    patches: Iterable[TestedPatch],
    scores: Sequence[NetworkScore],
) -> dict[tuple[str, str], KeptPatch]:
    """A patch for each (image, network) that a page shows: each image's worst one.

    What was predicted once is kept beside the test.
    """
    shown = [score.network for score in scores[:MOST_NETWORKS]]
    images = worst_images(scores)[:MOST_IMAGES]
    by_key = {job.key: job for job in jobs if isinstance(job.task, Evaluate)}
    mine: dict[str, list[TestedPatch]] = {}
    for patch in patches:
        if patch.network in shown and patch.image_id in images:
            mine.setdefault(patch.evaluation, []).append(patch)
    found: dict[tuple[str, str], KeptPatch] = {}
    left = MOST_PIXELS
    best_first = sorted(mine.items(), key=lambda item: shown.index(item[1][0].network))
    for evaluation, tested in best_first:
        path = results.tests / name / "overlays" / f"{evaluation}.npz"
        kept = {one.image_id: one for one in load_kept(path)}
        missing = [one for image, one in _worst(tested) if image not in kept]
        afford = [one for one in missing if (left := left - one.pixels) >= 0]
        job = by_key.get(evaluation)
        if afford and job is not None:
            kept |= {one.image_id: one for one in _predicted(results, job, afford)}
            save_kept(list(kept.values()), path)
        found |= {(image, tested[0].network): one for image, one in kept.items()}
    return found


def _worst(patches: Sequence[TestedPatch]) -> list[tuple[str, TestedPatch]]:
    """The patch with the most wrong pixels of each image."""
    worst: dict[str, TestedPatch] = {}
    for one in patches:
        before = worst.get(one.image_id)
        if before is None or one.fp + one.fn > before.fp + before.fn:
            worst[one.image_id] = one
    return list(worst.items())


def _predicted(results: Results, job: Job, wanted: Sequence[TestedPatch]) -> Iterator[KeptPatch]:
    """What a network makes of some patches."""
    from studyspec.learn.metrics.reference import patch_dice
    from studyspec.learn.prediction import predict_patches
    from studyspec.run.bench import Bench

    task, inputs = job.task, job.inputs
    assert isinstance(task, Evaluate)
    assert isinstance(inputs, EvaluateInputs)
    assert inputs.network is not None
    bench = Bench(results, "cpu")
    network = bench.network(inputs.network)
    keys = dict(zip(inputs.image_ids, task.images, strict=True))
    for one in wanted:
        key = keys[one.image_id]
        patches = bench.patches(key, inputs.sources[key])
        (at, *_) = np.flatnonzero((patches.rows == one.row) & (patches.cols == one.col))
        pixels = np.array(patches.images[at : at + 1])
        counts = (np.array([[n]]) for n in (one.tp, one.fp, one.fn))
        yield KeptPatch(
            WHICH,
            one.image_id,
            one.row,
            one.col,
            float(patch_dice(*counts).item()),
            shades(pixels[0]),
            np.array(patches.labels[at]) > 0,
            predict_patches(network, pixels)[0],
        )

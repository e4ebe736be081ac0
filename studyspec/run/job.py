"""One job: from ingredients and inputs to a result, artifacts saved on the way.

Knows no queue, no claims and no records; what it returns is the `result` of a record.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from studyspec.errors import FileError, RunError
from studyspec.images.patches import Patches
from studyspec.images.prepare import load, save
from studyspec.images.statistics import measured
from studyspec.learn.checkpoints import Checkpoint
from studyspec.learn.evaluation import Counts, evaluate
from studyspec.learn.given import load_given
from studyspec.learn.metrics import patch_dice
from studyspec.learn.network import AnyNetwork, count_parameters
from studyspec.learn.prediction import predict_patches
from studyspec.learn.training import PatchSet, train
from studyspec.learn.weights import load_network
from studyspec.learn.weights import save as save_weights
from studyspec.plan.jobs import Job
from studyspec.run import selection
from studyspec.run.ingredients import description_of, make_patches, training_settings
from studyspec.run.kept import Candidate, KeptPatch, choose, save_kept, shades
from studyspec.store.layout import Results
from studyspec.store.records import trained_weights

CHECKPOINT_EVERY_S = 60.0
COLUMNS = ("image", "row", "col", "orientation", *(field.name for field in fields(Counts)))
OnProgress = Callable[[Mapping[str, Any]], None]


def execute(
    job: Job, results: Results, device: str, on_progress: OnProgress | None = None
) -> dict[str, Any]:
    """Do one job.

    Raises
    ------
    FileError
        If an image is not here, or is no longer the one that was planned.
    OutOfMemory
        If the device has too little memory.
    RunError
        If weights that the job needs are gone.
    """
    return Bench(results, device).execute(job, on_progress)


class Bench:
    """Does jobs one after the other on one device, and keeps the last network at hand."""

    def __init__(self, results: Results, device: str) -> None:
        self._results, self._device = results, device
        self._network: tuple[str, AnyNetwork] | None = None

    def execute(self, job: Job, on_progress: OnProgress | None = None) -> dict[str, Any]:
        """Do one job, as the function `execute`."""
        if job.stage == "prepare":
            return self._prepare(job)
        if job.stage == "measure":
            return self._measure(job)
        if job.stage == "train":
            return self._train(job, on_progress or (lambda _: None))
        return self._evaluate(job)

    def _prepare(self, job: Job) -> dict[str, Any]:
        patches, notes = make_patches(job.ingredients, job.inputs, self._results)
        height, width = patches.shape
        return {
            "patches": len(patches.rows),
            "height_px": height,
            "width_px": width,
            "bytes": save(patches, self._results.patches(job.key)),
            "particle_fraction": float(patches.labels.mean()) if len(patches.rows) else None,
            "notes": list(notes),
        }

    def _measure(self, job: Job) -> dict[str, Any]:
        key = job.ingredients["image"]
        patches = self._patches(key, job)
        method = job.inputs["prepare"][key]["ingredients"]["preprocess"]["rescale"]["method"]
        rows = []
        for number, rho in enumerate(job.ingredients["rho"] if len(patches.rows) else ()):
            rng = np.random.default_rng([int(job.key[:8], 16), number])
            rows.append(measured(np.asarray(patches.images), patches.labels, rho, method, rng))
        return {"image_ids": [job.inputs["image_id"]], "measured": rows}

    def _train(self, job: Job, on_progress: OnProgress) -> dict[str, Any]:
        doses = job.ingredients.get("doses")
        members = [
            [self._patches(key, job, known_spread=doses is not None) for key in keys]
            for keys in job.ingredients["members"]
        ]
        images = [image for member in members for image in member]
        light = doses and selection.light_of(images, [dose for each in doses for dose in each])
        counts = [[len(image.rows) for image in member] for member in members]
        split = selection.training_split(counts, job.ingredients)
        settings = training_settings(job.ingredients)

        def patches_of(part: selection.Positions) -> PatchSet:
            shown = None if light is None else light[part]
            return PatchSet(*selection.gather(images, part), shown)

        trained = train(
            patches_of(split.train),
            patches_of(split.validation),
            settings,
            job.ingredients["seed"],
            self._device,
            Checkpoint(self._results.checkpoint(job.key), CHECKPOINT_EVERY_S),
            lambda epoch: on_progress(asdict(epoch) | {"epochs": settings.training.epochs}),
        )
        return {
            "weights_sha256": self._save_weights(trained.state, job),
            "history": [asdict(epoch) for epoch in trained.history],
            "best_epoch": trained.best_epoch,
            "precision": trained.precision,
            "n_train": len(split.train),
            "n_validation": len(split.validation),
            "parameters": count_parameters(settings.model),
        }

    def _save_weights(self, state: Any, job: Job) -> str:
        """Save under the hash of the file, safe on disk before any record names it."""
        half = self._results.networks / f".{job.key}.{os.getpid()}"
        half.parent.mkdir(parents=True, exist_ok=True)
        sha = save_weights(state, half, description_of(job))
        path = self._results.network(sha)
        half.replace(path)
        for place in (path, path.parent):
            opened = os.open(place, os.O_RDONLY)
            os.fsync(opened)
            os.close(opened)
        return sha

    def _evaluate(self, job: Job) -> dict[str, Any]:
        sha, model = self._load_network(job)
        allowed = self._part(job)
        columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
        shared = set(job.ingredients["shared"])
        candidates: list[Candidate] = []
        for i, key in enumerate(job.ingredients["images"]):
            patches = self._patches(key, job)
            chosen = np.arange(len(patches.rows))
            if i in shared:
                chosen = selection.at(patches, _image(job, key), allowed)
            if len(chosen):
                scores = self._scores(model, patches, chosen, job, i)
                for name, values in scores.items():
                    columns[name] += values.tolist()
                plain = scores["orientation"] == 0
                dice = patch_dice(*(scores[name][plain] for name in ("tp", "fp", "fn")))
                candidates += [
                    Candidate(float(one), i, int(position))
                    for one, position in zip(dice, chosen, strict=True)
                ]
        if job.ingredients["split"] == "test" and candidates:
            self._keep(job, model, candidates)
        return {
            "weights_sha256": sha,
            "image_ids": list(job.inputs["image_ids"]),
            "scores": columns,
        }

    def _keep(self, job: Job, model: AnyNetwork, candidates: Sequence[Candidate]) -> None:
        """Save a few patches with what the network makes of them."""
        kept = []
        for which, one in choose(candidates):
            patches = self._patches(job.ingredients["images"][one.image], job)
            pixels = np.array(patches.images[one.position : one.position + 1])
            kept.append(
                KeptPatch(
                    which,
                    job.inputs["image_ids"][one.image],
                    int(patches.rows[one.position]),
                    int(patches.cols[one.position]),
                    one.dice,
                    shades(pixels[0]),
                    np.array(patches.labels[one.position]) > 0,
                    predict_patches(model, pixels, self._device)[0],
                )
            )
        save_kept(kept, self._results.prediction(job.key))

    def _scores(
        self,
        model: AnyNetwork,
        patches: Patches,
        chosen: selection.Positions,
        job: Job,
        image: int,
    ) -> dict[str, np.ndarray[Any, Any]]:
        """The counts of some patches of one image, a value per patch and orientation."""
        counts = evaluate(
            model,
            np.asarray(patches.images[chosen]),
            np.asarray(patches.labels[chosen]),
            job.ingredients["dihedral"],
            self._device,
        )
        n, orientations = counts.tp.shape
        return {
            "image": np.full(n * orientations, image),
            "row": np.repeat(patches.rows[chosen], orientations),
            "col": np.repeat(patches.cols[chosen], orientations),
            "orientation": np.tile(np.arange(orientations), n),
            **{name: values.reshape(-1) for name, values in vars(counts).items()},
        }

    def _part(self, job: Job) -> frozenset[selection.Place]:
        """Where the patches of the asked part lie in the images that the network trained with."""
        if not job.ingredients["shared"]:
            return frozenset()
        trained = job.inputs["training"]
        members = [[self._patches(key, job) for key in keys] for keys in trained["members"]]
        split = selection.training_split(
            [[len(image.rows) for image in member] for member in members], trained
        )
        images = [image for member in members for image in member]
        hashes = [_image(job, key) for keys in trained["members"] for key in keys]
        places = selection.places(images, hashes)
        return frozenset(places[i] for i in split.part(job.ingredients["split"]))

    def _load_network(self, job: Job) -> tuple[str, AnyNetwork]:
        """The network of an evaluation and its hash, from memory if it was the last one."""
        given = job.inputs.get("given")
        sha = self._weights_of(job.ingredients["network"]) if given is None else given["sha256"]
        if given is not None and (self._network is None or self._network[0] != sha):
            self._network = (sha, load_given(given))
        if self._network is None or self._network[0] != sha:
            settings = training_settings(job.inputs["training"])
            self._network = (sha, load_network(self._results.network(sha), settings.model))
        return self._network

    def _weights_of(self, key: str) -> str:
        for sha in trained_weights(self._results, key):
            if self._results.network(sha).exists():
                return sha
        raise RunError(
            f"the weights of network {key[:12]} are gone", hint="run again: they are trained anew"
        )

    def _patches(self, key: str, job: Job, known_spread: bool = False) -> Patches:
        """The prepared patches of an image, made again where they are missing or broken.

        With `known_spread` also where an earlier version did not note the image's spread.
        """
        folder = self._results.patches(key)
        try:
            found = load(folder)
            if found.relative_sd is not None or not known_spread:
                return found
        except FileError:
            pass
        shutil.rmtree(folder, ignore_errors=True)
        source = job.inputs["prepare"][key]
        save(make_patches(source["ingredients"], source["inputs"], self._results)[0], folder)
        return load(folder)


def _image(job: Job, key: str) -> str:
    """The hash of the image of a prepare job."""
    return str(job.inputs["prepare"][key]["ingredients"]["image"])

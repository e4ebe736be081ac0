"""Changes: why a job is not the one of the previous plan. Pure; compares ingredients by name."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import JsonValue

from studyspec.errors import PluginError
from studyspec.jobs.folds import Folding
from studyspec.jobs.measure import MeasureInputs
from studyspec.jobs.prepare import PrepareInputs
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Key
from studyspec.plan.record import Ingredients, PlanRecord
from studyspec.spec.uses import Learning, Pipeline

Table = dict[str, JsonValue]
UNTOLD = "its ingredients changed"
NAMED = ("members", "images", "network", "start")
"""Ingredients that are other tasks: what of these changed is told of them."""


class Changes:
    """Finds the counterpart of a job in the previous plan of the study and names what differs.

    Parameters
    ----------
    now
        The record of the plan being made.
    before
        The record of the previous plan, or None.
    """

    def __init__(self, now: PlanRecord, before: PlanRecord | None) -> None:
        self._now, self._before = now, before
        self._counterparts: dict[Key, tuple[Key, str]] = {}
        if before is not None:
            self._pair_up(before)

    def reason(self, job: Job) -> str:
        """Why the job is stale: it has a counterpart under another key; empty if it has none."""
        if self._before is None:
            return ""
        if isinstance(job.inputs, PrepareInputs):
            return self._image_change(self._before, job.inputs.place.row.image_id)
        if isinstance(job.inputs, MeasureInputs):
            return self._image_change(self._before, job.inputs.image_id)
        old_key, dataset = self._counterparts.get(job.key, ("", ""))
        if not old_key or old_key == job.key:
            return ""
        if job.key in self._now.networks:
            return self._training_change(self._before, job.key, old_key, dataset)
        return self._evaluation_change(self._before, job.key, old_key, dataset)

    def _pair_up(self, before: PlanRecord) -> None:
        networks: dict[tuple[str, str, int | None], Key] = {}
        evaluations: dict[tuple[str, str, int | None, str, str], Key] = {}
        for cell in before.cells:
            train = (cell.variant, cell.train, cell.fold)
            networks[train] = cell.network
            evaluations[*train, cell.test, cell.split] = cell.evaluation
        for new in self._now.cells:
            train = (new.variant, new.train, new.fold)
            if train in networks:
                self._pair(before, new.network, networks[train], new.train)
            if (*train, new.test, new.split) in evaluations:
                old = evaluations[*train, new.test, new.split]
                self._counterparts[new.evaluation] = (old, new.test)

    def _pair(self, before: PlanRecord, new: Key, old: Key, dataset: str) -> None:
        """Make two trainings counterparts, and those that they start from, unless these are."""
        while new not in self._counterparts:
            self._counterparts[new] = (old, dataset)
            new = str(self._now.networks.get(new, {}).get("start"))
            old = str(before.networks.get(old, {}).get("start"))
            dataset = ""
            if new not in self._now.networks or old not in before.networks:
                return

    def _training_change(self, before: PlanRecord, key: Key, old_key: Key, dataset: str) -> str:
        new, old = self._now.networks[key], before.networks.get(old_key)
        if old is None:
            return ""
        if new["members"] != old["members"]:
            found = self._dataset_change(before, dataset) or self._pipeline_change(before, new, old)
            if found:
                return found
        if new.get("start") != old.get("start"):
            return _start_change(new.get("start"), old.get("start"))
        return next(_differences(_told(new), _told(old)), UNTOLD)

    def _evaluation_change(self, before: PlanRecord, key: Key, old_key: Key, dataset: str) -> str:
        new, old = self._now.evaluations[key], before.evaluations.get(old_key)
        if old is None:
            return ""
        if new["images"] != old["images"]:
            found = self._dataset_change(before, dataset)
            if found:
                return found
        if new["network"] != old["network"]:
            return "its network changed"
        sizes = _patch_size(before, old), _patch_size(self._now, new)
        if sizes[0] != sizes[1]:
            return f"evaluation.patch_size changed from {sizes[0]} to {sizes[1]}"
        return next(_differences(_told(new), _told(old)), UNTOLD)

    def _dataset_change(self, before: PlanRecord, name: str) -> str:
        """The first change among the images of a dataset or union; of no name there is none."""
        if name not in self._now.datasets:
            return ""
        new, known = self._now.datasets[name].images, before.datasets.get(name)
        old = () if known is None else known.images
        for image_id in new:
            if image_id not in old:
                return f"image {image_id} added"
            if change := self._image_change(before, image_id):
                return change
        return next((f"image {one} removed" for one in old if one not in new), "")

    def _image_change(self, before: PlanRecord, image_id: str) -> str:
        new, old = self._now.images[image_id], before.images.get(image_id)
        if old is None:
            return ""
        if new["image_sha256"] != old["image_sha256"]:
            return f"image {image_id} changed"
        if new["label_sha256"] != old["label_sha256"]:
            return f"label of {image_id} changed"
        return ""

    def _pipeline_change(self, before: PlanRecord, new: Ingredients, old: Ingredients) -> str:
        tables = _preprocess(self._now, new), _preprocess(before, old)
        return next(_differences({"preprocess": tables[0]}, {"preprocess": tables[1]}), "")


def _preprocess(plan: PlanRecord, network: Ingredients) -> Table:
    """The table `[preprocess]` behind a network's images."""
    members = network["members"]
    assert isinstance(members, list)
    first = plan.prepares[plan.lists[str(members[0])][0]]["pipeline"]
    pipeline = Pipeline.model_validate(first)
    try:
        return dict(pipeline.tables())
    except PluginError:  # a plug-in of then is not installed now
        return {use.name: use.settings for use in pipeline.steps}


def _patch_size(plan: PlanRecord, evaluation: Ingredients) -> int:
    """Edge of the patches that are tested on."""
    first = plan.prepares[plan.lists[str(evaluation["images"])][0]]["pipeline"]
    return Pipeline.model_validate(first).patch.size


def _start_change(new: JsonValue, old: JsonValue) -> str:
    """Why a training starts from something else."""
    if new is None or old is None:
        return f"training.start_from {'removed' if new is None else 'added'}"
    return "the network that it starts from changed"


def _told(ingredients: Ingredients) -> Table:
    """What a plan says of a job but for its images and network, as a study file would name it."""
    told = {k: v for k, v in ingredients.items() if k not in NAMED}
    if "learning" in told:
        learning = Learning.model_validate(told.pop("learning"))
        told |= learning.model_dump(mode="json", exclude={"augment"})
        told["augment"] = {use.name: use.model_dump(mode="json") for use in learning.augment}
        folding = Folding.model_validate(told.pop("folding", {}))
        told["cross_validation"] = folding.model_dump(mode="json")
    return told


def _differences(new: Table, old: Table, path: str = "") -> Iterator[str]:
    """Every leaf that differs, as "training.epochs changed from 20 to 30"."""
    for key in (*new, *(key for key in old if key not in new)):
        inner = ".".join(part for part in (path, key) if part and part != "settings")
        a, b = new.get(key), old.get(key)
        if isinstance(a, dict) and isinstance(b, dict):
            yield from _differences(a, b, inner)
        elif isinstance(a, dict) or isinstance(b, dict):
            yield f"{inner} {'added' if isinstance(a, dict) else 'removed'}"
        elif a != b:
            yield f"{inner} changed from {_shown(b)} to {_shown(a)}"


def _shown(value: JsonValue) -> str:
    return "its default" if value is None else str(value)

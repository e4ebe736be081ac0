"""Changes: why a job is not the one of the previous plan. Pure; compares ingredients by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from studyspec.plan.expansion import Expansion
from studyspec.plan.jobs import Job


class Changes:
    """Finds the counterpart of a job in the previous plan of the study and names what differs.

    Parameters
    ----------
    now
        The record of the plan being made, as `record.plan_record` writes it.
    expansion
        Its jobs and cells.
    before
        The record of the previous plan, or None.
    """

    def __init__(
        self, now: Mapping[str, Any], expansion: Expansion, before: Mapping[str, Any] | None
    ) -> None:
        self._now, self._before = now, before
        self._counterparts: dict[str, tuple[str, str]] = {}
        if before is not None:
            self._pair_up(expansion, before)

    def reason(self, job: Job) -> str:
        """Why the job is stale: it has a counterpart under another key; empty if it has none."""
        if self._before is None:
            return ""
        if job.stage == "prepare":
            return self._image_change(job.inputs["row"]["image_id"])
        if job.stage == "measure":
            return self._image_change(job.inputs["image_id"])
        old_key, dataset = self._counterparts.get(job.key, ("", ""))
        if not old_key or old_key == job.key:
            return ""
        if job.stage == "train":
            old = self._before["networks"].get(old_key)
            return "" if old is None else self._training_change(job, old, dataset)
        old = self._before["evaluations"].get(old_key)
        return "" if old is None else self._evaluation_change(job, old, dataset)

    def _pair_up(self, expansion: Expansion, before: Mapping[str, Any]) -> None:
        networks, evaluations = {}, {}
        for cell in before["cells"]:
            train = (cell["variant"], cell["train"], cell["fold"])
            networks[train] = cell["network"]
            evaluations[*train, cell["test"], cell["split"]] = cell["evaluation"]
        for new in expansion.cells:
            train = (new.variant, new.train, new.fold)
            if train in networks:
                self._counterparts[new.network] = (networks[train], new.train)
            if (*train, new.test, new.split) in evaluations:
                old = evaluations[*train, new.test, new.split]
                self._counterparts[new.evaluation] = (old, new.test)

    def _training_change(self, job: Job, old: Mapping[str, Any], dataset: str) -> str:
        new = self._now["networks"][job.key]
        if new["members"] != old["members"]:
            found = self._dataset_change(dataset) or self._preprocess_change(new, old)
            if found:
                return found
        return next(_differences(_settings(new), _settings(old)), "its ingredients changed")

    def _evaluation_change(self, job: Job, old: Mapping[str, Any], dataset: str) -> str:
        new = self._now["evaluations"][job.key]
        if new["images"] != old["images"]:
            found = self._dataset_change(dataset)
            if found:
                return found
        if new["network"] != old["network"]:
            return "its network changed"
        return next(_differences(_settings(new), _settings(old)), "its ingredients changed")

    def _dataset_change(self, name: str) -> str:
        """The first change among the images of a dataset or union."""
        assert self._before is not None
        for member in self._now["datasets"][name]["members"]:
            new = self._now["datasets"][member]["images"]
            old = self._before["datasets"].get(member, {"images": []})["images"]
            for image_id in new:
                if image_id not in old:
                    return f"image {image_id} added"
                if change := self._image_change(image_id):
                    return change
            for image_id in old:
                if image_id not in new:
                    return f"image {image_id} removed"
        return ""

    def _image_change(self, image_id: str) -> str:
        assert self._before is not None
        new, old = self._now["images"][image_id], self._before["images"].get(image_id)
        if old is None:
            return ""
        if new["image_sha256"] != old["image_sha256"]:
            return f"image {image_id} changed"
        if new["label_sha256"] != old["label_sha256"]:
            return f"label of {image_id} changed"
        return ""

    def _preprocess_change(self, new: Mapping[str, Any], old: Mapping[str, Any]) -> str:
        assert self._before is not None
        a = _preprocess(self._now, new), _preprocess(self._before, old)
        return next(_differences({"preprocess": a[0]}, {"preprocess": a[1]}), "")


def _preprocess(plan: Mapping[str, Any], network: Mapping[str, Any]) -> Any:
    first = plan["lists"][network["members"][0]][0]
    return plan["prepares"][first]["preprocess"]


def _settings(ingredients: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in ingredients.items() if k not in ("members", "images", "network")}


def _differences(new: Any, old: Any, path: str = "") -> Iterator[str]:
    """Every leaf that differs, as "training.epochs changed from 20 to 30"."""
    if isinstance(new, Mapping) and isinstance(old, Mapping):
        for key in new:
            inner = f"{path}.{key}" if path else key
            if key not in old:
                yield f"{inner} added"
            else:
                yield from _differences(new[key], old[key], inner)
    elif new != old:
        yield f"{path} changed from {old} to {new}"

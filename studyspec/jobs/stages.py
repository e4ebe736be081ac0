"""The stages, in the order in which a run does them, and jobs: tasks with where things are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from pydantic import JsonValue, ValidationError

from studyspec.errors import RunError
from studyspec.jobs.evaluate import Evaluate, EvaluateInputs
from studyspec.jobs.measure import Measure, MeasureInputs
from studyspec.jobs.prepare import Prepare, PrepareInputs
from studyspec.jobs.task import Inputs, Key, Result, Task
from studyspec.jobs.train import Train, TrainInputs
from studyspec.jobs.workshop import Workshop

AnyTask = Prepare | Measure | Train | Evaluate
AnyInputs = PrepareInputs | MeasureInputs | TrainInputs | EvaluateInputs
STAGES: Mapping[str, type[AnyTask]] = {
    stage.stage: stage for stage in (Prepare, Measure, Train, Evaluate)
}


@dataclass(frozen=True)
class Job:
    """A task with its inputs.

    `needs` are the keys of the tasks whose results it reads; `title` is for people.
    """

    task: AnyTask
    inputs: AnyInputs
    needs: tuple[Key, ...] = ()
    title: str = ""

    @property
    def key(self) -> Key:
        """The task's key."""
        return self.task.key

    @property
    def stage(self) -> str:
        """The task's stage."""
        return self.task.stage

    def do(self, workshop: Workshop) -> Result:
        """Come by the result."""
        task = cast("Task[Inputs, Result]", self.task)  # the inputs are those of its stage
        return task.do(self.inputs, workshop)

    def written(self) -> dict[str, JsonValue]:
        """The job as JSON, but for its sources."""
        return {
            "ingredients": self.task.ingredients,
            "inputs": self.inputs.with_sources({}).written(),
            "needs": list(self.needs),
            "title": self.title,
        }

    @classmethod
    def read(cls, values: Mapping[str, Any]) -> Job:  # JSON of the form of `written`
        """The job that `written` gave, without sources."""
        task = task_of(values["ingredients"])
        told = {"sources": {}, **values["inputs"]} if _has_sources(task) else values["inputs"]
        inputs = cast(AnyInputs, task.inputs.model_validate(told))
        return cls(task, inputs, tuple(values["needs"]), values["title"])


def task_of(ingredients: Mapping[str, JsonValue]) -> AnyTask:
    """The task of these ingredients.

    Raises
    ------
    RunError
        If they are of no stage, or of another version of studyspec.
    """
    fields = dict(ingredients)
    stage, recipe = STAGES.get(str(fields.pop("stage", ""))), fields.pop("recipe", None)
    if stage is None or recipe != stage.recipe:
        raise RunError(
            f"stage '{ingredients.get('stage')}' of recipe {recipe} is of another version",
            hint="plan anew with this version of studyspec, or use the one that planned it",
        )
    try:
        return stage.model_validate(fields)
    except ValidationError as error:
        what = error.errors()[0]["msg"]
        raise RunError(f"not the ingredients of a {stage.stage} task: {what}") from None


def _has_sources(task: AnyTask) -> bool:
    return "sources" in task.inputs.model_fields

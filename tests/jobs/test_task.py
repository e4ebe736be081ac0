"""Tasks: what decides a key, and what does not."""

from __future__ import annotations

import json
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from studyspec.errors import RunError
from studyspec.images.patches import Patches
from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.folds import Folding
from studyspec.jobs.measure import Measure
from studyspec.jobs.prepare import Prepare
from studyspec.jobs.stages import STAGES, AnyTask, task_of
from studyspec.jobs.task import providers
from studyspec.jobs.train import Train
from studyspec.plugins.registry import OURS
from studyspec.spec.sections import CrossValidationSettings, StageSettings
from studyspec.spec.uses import Learning, Use
from tests.jobs import tasks

PARTS = ("train", "validation", "test")


@given(tasks.tasks)
def test_a_task_comes_back_from_its_ingredients(task: AnyTask) -> None:
    back = task_of(json.loads(json.dumps(task.ingredients)))
    assert back == task
    assert back.key == task.key


@given(tasks.tasks, tasks.tasks)
def test_keys_are_equal_where_tasks_are(one: AnyTask, other: AnyTask) -> None:
    assert (one.key == other.key) == (one.ingredients == other.ingredients)


@pytest.mark.parametrize("task", tasks.EACH, ids=lambda task: str(task.stage))
def test_every_stage_writes_its_name_and_recipe(task: AnyTask) -> None:
    assert task.ingredients["stage"] == task.stage
    assert task.ingredients["recipe"] == task.recipe
    assert STAGES[task.stage] is type(task)
    assert len(task.key) == 64


def test_what_is_at_its_default_is_not_written() -> None:
    assert tasks.EVALUATE.written().keys() == {"network", "images"}
    assert tasks.MEASURE.written().keys() == {"image"}
    learning = tasks.TRAIN.written()["learning"]
    assert isinstance(learning, dict)
    assert learning.keys() == {"augment", "model", "loss", "schedule"}
    assert learning["model"] == {"name": "residual_unet", "recipe": 1}


def test_a_new_field_with_a_default_changes_no_key() -> None:
    class Later(Measure):
        strength: float = 1.0

    assert Later(image="x").key == Measure(image="x").key
    assert Later(image="x", strength=2.0).key != Measure(image="x").key


def test_a_raised_recipe_changes_the_key() -> None:
    class Later(Measure):
        recipe = Measure.recipe + 1

    assert Later(image="x").key != Measure(image="x").key


@pytest.mark.parametrize(
    "changes",
    [
        {"network": "other"},
        {"output": "probabilities"},
        {"images": ("other",)},
        {"shared": (0,)},
        {"split": "train"},
        {"dihedral": False},
        {"metrics": (Use(name="boundary", recipe=1),)},
    ],
)
def test_every_field_of_an_evaluation_counts(changes: dict[str, Any]) -> None:
    fields = {"network": tasks.TRAIN.key, "images": (tasks.PREPARE.key,)}
    assert Evaluate.model_validate({**fields, **changes}).key != tasks.EVALUATE.key


def test_the_recipe_of_a_plug_in_counts() -> None:
    first, *rest = tasks.PREPARE.pipeline.steps
    steps = (first.model_copy(update={"recipe": first.recipe + 1}), *rest)
    pipeline = tasks.PREPARE.pipeline.model_copy(update={"steps": steps})
    raised = Prepare(image=tasks.PREPARE.image, label=tasks.PREPARE.label, pipeline=pipeline)
    assert raised.key != tasks.PREPARE.key


def test_what_is_switched_off_is_not_there() -> None:
    off = {"augment": {"rotation": {"probability": 0}}}
    learning = Learning.of(StageSettings.model_validate(off))
    assert "rotation" not in [use.name for use in learning.augment]


def test_seeds_of_other_folds_do_not_count() -> None:
    more = CrossValidationSettings(seeds=(962, 1, 2, 3, 4))
    assert Folding.of(more) == Folding.of(CrossValidationSettings())


def test_ingredients_of_another_version_are_refused() -> None:
    with pytest.raises(RunError, match=r"stage .measure. of recipe 99 .*; plan anew"):
        task_of({**tasks.MEASURE.ingredients, "recipe": 99})
    with pytest.raises(RunError, match="stage 'bake' of recipe None is of another version"):
        task_of({"stage": "bake"})
    with pytest.raises(RunError, match="not the ingredients of a measure task: Extra inputs"):
        task_of({**tasks.MEASURE.ingredients, "more": 1})


def test_a_task_names_the_distributions_of_its_plug_ins() -> None:
    found = providers(tasks.TRAIN)
    assert {"architecture.residual_unet", "loss.cross_entropy", "schedule.constant"} <= found.keys()
    assert {one.distribution for one in found.values()} == {OURS}
    assert "step.flat_field" in providers(tasks.PREPARE)
    assert providers(tasks.MEASURE) == {}


def test_a_task_whose_image_is_not_here_says_so() -> None:
    away = Prepare(image="unfetched x.tif", label="b" * 64, pipeline=tasks.PREPARE.pipeline)
    assert away.unfetched
    assert not any(task.unfetched for task in tasks.EACH)


def test_a_training_divides_its_patches_by_fold_and_member() -> None:
    folding = Folding(folds=2, validation_percent=50)
    split = Train(
        members=(("a", "b"), ("c",)),
        learning=tasks.TRAIN.learning,
        folding=folding,
        fold=1,
        seed=3,
    ).split([patches(2), patches(2), patches(4)])
    parts = [*split.train, *split.validation, *split.test]
    assert sorted(parts) == list(range(8))
    assert sum(position >= 4 for position in split.test) == 2


def patches(n: int) -> Patches:
    """Patches in a row, without pixels."""
    empty = np.zeros((n, 0, 0))
    place = np.arange(n, dtype=np.int32)
    pixels, labels = empty.astype(np.float32), empty.astype(np.uint8)
    return Patches(pixels, labels, place * 0, place, (0, 0))


@pytest.mark.parametrize("unit", ["patch", "image"])
@pytest.mark.parametrize("fold", range(3))
def test_an_image_under_two_names_stands_in_one_part(unit: str, fold: int) -> None:
    counts = [2, 3, 2, 3, 2, 2]
    training = Train(
        members=(tuple("abcdef"),),
        learning=tasks.TRAIN.learning,
        folding=Folding.model_validate({"folds": 3, "unit": unit}),
        fold=fold,
        seed=3,
    )
    images = [patches(n) for n in counts]
    leaders = {0: 0, 1: 1, 2: 2, 3: 1, 4: 4, 5: 0}
    places = [(leaders[i], j) for i, n in enumerate(counts) for j in range(n)]

    def parts(task: Train) -> list[set[tuple[int, int]]]:
        found = task.split(images)
        return [{places[i] for i in getattr(found, part)} for part in PARTS]

    both = training.model_copy(update={"doubles": ((0, 5), (1, 3))})
    for a, b in combinations(parts(both), 2):
        assert not a & b
        if unit == "image":
            assert not {image for image, _ in a} & {image for image, _ in b}
    assert both.key != training.key


def test_a_training_without_doubles_has_the_key_that_it_had() -> None:
    assert "doubles" not in tasks.TRAIN.ingredients

"""Jobs: tasks with their inputs, as files hold them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from studyspec.catalog.row import ImageRow
from studyspec.jobs.evaluate import EvaluateInputs
from studyspec.jobs.measure import MeasureInputs
from studyspec.jobs.prepare import PrepareInputs, source_of
from studyspec.jobs.stages import Job
from studyspec.jobs.task import ImagePlace
from studyspec.jobs.train import TrainInputs
from studyspec.learn.networks import NetworkFile
from tests.jobs import tasks

ROW = ImageRow("Au/1", "mine", "1.tif", "1.png", acquired_on=date(2021, 8, 26), further={"grid": 3})
PLACE = ImagePlace(row=ROW, label="exact", catalog="/c.parquet", cache="/cache")
SOURCES = {tasks.PREPARE.key: source_of(tasks.PREPARE, PLACE)}
NETWORK = NetworkFile(name="theirs", sha256=tasks.SHA, file="/theirs.pt", output="probabilities")
JOBS = (
    Job(tasks.PREPARE, PrepareInputs(place=PLACE), (), "prepare Au/1"),
    Job(tasks.MEASURE, MeasureInputs(image_id="Au/1", sources=SOURCES), (tasks.PREPARE.key,)),
    Job(tasks.TRAIN, TrainInputs(sources=SOURCES), (tasks.PREPARE.key,), "train Au, fold 0"),
    Job(
        tasks.EVALUATE,
        EvaluateInputs(image_ids=("Au/1",), sources=SOURCES, training=tasks.TRAIN),
        (tasks.TRAIN.key, tasks.PREPARE.key),
    ),
    Job(tasks.EVALUATE, EvaluateInputs(image_ids=(), sources=SOURCES, network=NETWORK)),
)


@pytest.mark.parametrize("job", JOBS, ids=lambda job: str(job.stage))
def test_a_job_comes_back_from_json_but_for_its_sources(job: Job) -> None:
    back = Job.read(json.loads(json.dumps(job.written())))
    assert back == replace(job, inputs=job.inputs.with_sources({}))
    assert back.key == job.key


@pytest.mark.parametrize("job", JOBS[1:], ids=lambda job: str(job.stage))
def test_sources_are_not_written_with_each_job(job: Job) -> None:
    assert "c.parquet" not in json.dumps(job.written())
    assert job.inputs.with_sources(SOURCES).its_sources == SOURCES


def test_where_things_are_decides_nothing() -> None:
    moved = PLACE.model_copy(update={"catalog": "/elsewhere.parquet"})
    assert replace(JOBS[0], inputs=PrepareInputs(place=moved)).key == JOBS[0].key


def test_a_source_comes_back_from_json() -> None:
    (source,) = SOURCES.values()
    assert type(source).model_validate_json(source.model_dump_json()) == source
    assert source.place.row.acquired_on == date(2021, 8, 26)

from __future__ import annotations

from dataclasses import replace

from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.stages import Job
from studyspec.jobs.train import Train
from studyspec.plan.datasets import ResolvedDataset
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, expansion, image, variant

BOTH = (("A", "A"), ("A", "B"), ("B", "A"), ("B", "B"))
DATASETS = {"A": dataset("A"), "B": dataset("B")}


def by_stage(jobs: tuple[Job, ...], stage: str) -> list[Job]:
    return [job for job in jobs if job.stage == stage]


def evaluation(job: Job) -> Evaluate:
    assert isinstance(job.task, Evaluate)
    return job.task


def changed(**settings: object) -> StageSettings:
    return StageSettings.model_validate(settings)


def test_two_sets_make_two_times_five_networks_and_twenty_evaluations() -> None:
    jobs = expansion(DATASETS, variant(BOTH)).jobs
    assert [len(by_stage(jobs, s)) for s in ("prepare", "train", "evaluate")] == [12, 10, 20]


def test_needed_jobs_come_first_and_tests_follow_their_training() -> None:
    jobs = expansion(DATASETS, variant(BOTH)).jobs
    place = {job.key: i for i, job in enumerate(jobs)}
    assert all(place[need] < place[job.key] for job in jobs for need in job.needs)
    for job in by_stage(jobs, "evaluate"):
        assert place[job.key] - place[evaluation(job).network] <= 2


def test_a_new_test_set_trains_nothing() -> None:
    before = expansion(DATASETS, variant(BOTH))
    more = DATASETS | {"C": dataset("C")}
    after = expansion(more, variant((*BOTH, ("A", "C"), ("B", "C"))))
    assert by_stage(before.jobs, "train") == by_stage(after.jobs, "train")
    assert len(by_stage(after.jobs, "evaluate")) == 30


def test_names_decide_nothing() -> None:
    renamed = {"X": DATASETS["A"], "Y": DATASETS["B"]}
    pairs = tuple(
        (a.replace("A", "X").replace("B", "Y"), b.replace("A", "X").replace("B", "Y"))
        for a, b in BOTH
    )
    one, two = expansion(DATASETS, variant(BOTH)), expansion(renamed, variant(pairs, "other"))
    assert [job.key for job in one.jobs] == [job.key for job in two.jobs]


def test_a_variant_of_evaluation_alone_shares_the_networks() -> None:
    plain = changed(evaluation={"dihedral": False})
    jobs = expansion(DATASETS, variant(BOTH), variant(BOTH, "plain", plain)).jobs
    assert len(by_stage(jobs, "train")) == 10
    assert len(by_stage(jobs, "evaluate")) == 40


def test_a_seed_of_one_fold_changes_that_fold_alone() -> None:
    other = changed(cross_validation={"seeds": [962, 1662, 621, 72115, 1]})
    a, b = (
        {job.key for job in by_stage(expansion(DATASETS, v).jobs, "train")}
        for v in (variant((("A", "A"),)), variant((("A", "A"),), "other", other))
    )
    assert len(a & b) == 4


def test_the_diagonal_and_a_member_of_a_union_are_shared_images() -> None:
    jobs = expansion(DATASETS, variant((("A+B", "B"), ("A", "B")))).jobs
    shared = {job.title: evaluation(job).shared for job in by_stage(jobs, "evaluate")}
    assert shared["test A+B on B, fold 0"] == tuple(range(6))
    assert shared["test A on B, fold 0"] == ()


def test_a_union_keeps_its_members_apart() -> None:
    training = by_stage(expansion(DATASETS, variant((("A+B", "B"),))).jobs, "train")[0]
    assert isinstance(training.task, Train)
    assert [len(member) for member in training.task.members] == [6, 6]


def test_training_parts_are_scored_on_the_own_set_alone() -> None:
    all_parts = changed(evaluation={"splits": ["train", "validation", "test"]})
    cells = expansion(DATASETS, variant(BOTH, settings=all_parts)).cells
    own = {c.split for c in cells if (c.train, c.test) == ("A", "A")}
    other = {c.split for c in cells if (c.train, c.test) == ("A", "B")}
    assert own == {"train", "validation", "test"}
    assert other == {"test"}


def test_exact_and_drawn_labels_of_one_image_are_shared() -> None:
    exact = dataset("A")
    relabelled = {
        "A": exact,
        "E": type(exact)(
            "E", exact.filter, tuple(image(i.row.image_id, label="exact") for i in exact.images)
        ),
    }
    jobs = expansion(relabelled, variant((("A", "E"),))).jobs
    assert evaluation(by_stage(jobs, "evaluate")[0]).shared == tuple(range(6))
    assert len(by_stage(jobs, "prepare")) == 12


def test_a_test_knows_of_the_catalog_what_its_metrics_read() -> None:
    scored = changed(evaluation={"particles": {}})
    plain, coarse = DATASETS, {"A": scaled(DATASETS["A"], 0.04), "B": DATASETS["B"]}
    for settings, differing in ((changed(), 0), (scored, 10)):
        one, two = (expansion(sets, variant(BOTH, "base", settings)) for sets in (plain, coarse))
        assert len({job.key for job in two.jobs} - {job.key for job in one.jobs}) == differing
        told = {len(evaluation(job).columns) for job in by_stage(two.jobs, "evaluate")}
        assert told == {1 if differing else 0}


def scaled(of: ResolvedDataset, scale_nm: float) -> ResolvedDataset:
    """The same images with another pixel scale in the catalog."""
    images = [replace(one, row=replace(one.row, pixel_scale_nm=scale_nm)) for one in of.images]
    return replace(of, images=tuple(images))

"""Tasks of every stage: one of each, and any."""

from __future__ import annotations

from hypothesis import strategies as st

from studyspec.jobs.evaluate import Evaluate
from studyspec.jobs.folds import Folding
from studyspec.jobs.measure import Measure
from studyspec.jobs.prepare import Prepare
from studyspec.jobs.stages import AnyTask
from studyspec.jobs.train import Train
from studyspec.spec.sections import PatchSettings, StageSettings, TrainingNumbers
from studyspec.spec.uses import Learning, Pipeline, Use

SHA = "a" * 64
STANDARD = StageSettings()
PREPARE = Prepare(image=SHA, label="b" * 64, pipeline=Pipeline.of(STANDARD.preprocess))
MEASURE = Measure(image=PREPARE.key)
TRAIN = Train(members=((PREPARE.key,),), learning=Learning.of(STANDARD), fold=0, seed=962)
EVALUATE = Evaluate(network=TRAIN.key, images=(PREPARE.key,))
EACH: tuple[AnyTask, ...] = (PREPARE, MEASURE, TRAIN, EVALUATE)

keys = st.text("0123456789abcdef", min_size=4, max_size=8)
names = st.text(min_size=1, max_size=8)
shares = st.floats(1e-6, 1)
cells = st.none() | st.booleans() | st.integers(-9, 9) | shares | st.text(max_size=4)
settings = st.dictionaries(names, cells, max_size=3)
uses = st.builds(Use, name=names, recipe=st.integers(1, 9), settings=settings)
several = st.lists(uses, max_size=3).map(tuple)
patches = st.builds(PatchSettings, size=st.sampled_from([16, 512]))
pipelines = st.builds(Pipeline, steps=several, patch=patches)
numbers = st.builds(
    TrainingNumbers,
    epochs=st.integers(1, 250),
    learning_rate=shares,
    freeze=st.lists(names, max_size=2).map(tuple),
)
learnings = st.builds(
    Learning,
    dihedral=st.sampled_from(["all", "none"]),
    augment=several,
    model=uses,
    loss=uses,
    schedule=uses,
    training=numbers,
)
foldings = st.builds(Folding, folds=st.integers(2, 5), unit=st.sampled_from(["patch", "image"]))
many = st.lists(keys, max_size=3).map(tuple)
positions = st.lists(st.integers(0, 5), max_size=2).map(tuple)
tasks: st.SearchStrategy[AnyTask] = st.one_of(
    st.builds(
        Prepare,
        image=keys,
        label=keys,
        pipeline=pipelines,
        columns=st.dictionaries(names, cells, max_size=2),
    ),
    st.builds(Measure, image=keys, rho=st.lists(shares, max_size=3).map(tuple)),
    st.builds(
        Train,
        members=st.lists(many, max_size=2).map(tuple),
        columns=st.dictionaries(names, st.lists(cells, max_size=2).map(tuple), max_size=2),
        learning=learnings,
        folding=foldings,
        fold=st.integers(0, 4),
        seed=st.integers(0, 99),
        start=st.none() | keys,
    ),
    st.builds(
        Evaluate,
        network=keys,
        images=many,
        shared=positions,
        seen_before=st.lists(positions, max_size=2).map(tuple),
        split=st.sampled_from(["train", "validation", "test"]),
        dihedral=st.booleans(),
        metrics=several,
    ),
)

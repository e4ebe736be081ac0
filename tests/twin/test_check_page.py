"""The twin check with networks that are made here: what it does with folds, seeds and constants."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from studyspec.learn.building import build
from studyspec.learn.networks import Description
from studyspec.learn.weights import save
from studyspec.spec.uses import Use
from tests.benchmarks.twin_check import Row, judge_all, matrix_of, page_of
from tests.benchmarks.twin_constants import constants
from tests.benchmarks.twin_figures import Value
from tests.benchmarks.twin_judges import Images, judges

NAME = "Au 5 nm 0.02 423"
MODEL = Use(name="residual_unet", recipe=1, settings={"first_filters": 1})


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    """As many as before: judges take one."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture
def folds(tmp_path: Path) -> Path:
    """A folder of two tiny networks of one condition."""
    for fold in (0, 1):
        path = tmp_path / f"UNet_5nmAu330kX423e_fold{fold}.safetensors"
        save(build(MODEL, fold).state_dict(), path, Description(model=MODEL))
    return tmp_path


def images(n: int = 4) -> Images:
    rng = np.random.default_rng(0)
    drawn = np.zeros((n, 64, 64), bool)
    drawn[:, 16:48, 16:48] = True
    return Images(rng.standard_normal((n, 64, 64)).astype(np.float32), drawn, drawn)


def test_folds_of_a_condition_are_averaged_and_shown_with_their_spread(folds: Path) -> None:
    jury, shown = judges(folds), images()
    assert [judge.name for judge in jury] == [NAME, NAME]
    verdicts = judge_all(NAME, shown, jury)
    means = [one.dice.mean() for one in verdicts]
    assert len(means) == 2
    assert means[0] != means[1]
    assert matrix_of(verdicts).dice[NAME, NAME].mean == pytest.approx(np.mean(means))
    page = list(page_of(len(jury), 7, {}, verdicts))
    [line] = [line for line in page if line.startswith(f"| {NAME}, {NAME} |")]
    assert f"| {np.mean(means):.3f} ± " in line
    assert f"| 2, {np.std(means, ddof=1):.3f} |" in line
    assert "Networks: 2. Images of 512 px by condition, from seed 7 on" in page[0]


def test_a_row_tells_its_residual_in_standard_errors() -> None:
    assert "| +2.0 |" in str(Row("what", 0.5, Value(0.6, 0.05), 0.4, 0.7))
    assert "| – |" in str(Row("what", 0.5, Value(0.6, float("nan")), 0.4, 0.7))


def test_the_page_says_of_each_constant_what_it_is() -> None:
    told = {one.name: one for one in constants()}
    assert told["camera.mtf_half"].origin.endswith("fitted: first layers")
    assert told["waves.absorption"].origin == told["waves.absorption_per_Z"].origin
    assert told["camera.xrays_per_electron"].origin.startswith("hits for each electron; fitted")
    assert [name for name, one in told.items() if not one.origin] == []

"""The plain way and ours come to the same, so that their times can be compared."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from studyspec.images.door import Labelled
from studyspec.images.pipeline import prepare
from studyspec.learn.building import build, default_model
from studyspec.learn.evaluation import evaluate
from studyspec.learn.metrics.reference import patch_dice
from studyspec.spec.sections import PreprocessSettings
from studyspec.spec.uses import Pipeline
from tests.benchmarks import plain
from tests.learn.patches import discs
from tests.tolerances import RELATIVE


def test_preprocessing_comes_to_the_same() -> None:
    rng = np.random.default_rng(0)
    light = np.linspace(1, 1.4, 1100)[:, None] * np.linspace(1, 0.8, 1030)[None]
    image = rng.poisson(900 * light).astype(np.float32)
    image[300, 400], image[700, 20] = 9000, 7000
    label = np.zeros(image.shape, bool)
    label[:600, :300] = True
    images, labels = plain.preprocess(image, label)
    ours = prepare(Labelled(image, label, None), Pipeline.of(PreprocessSettings()), {})
    np.testing.assert_array_equal(ours.labels, labels)
    # In double precision against single.
    np.testing.assert_allclose(ours.images, images, rtol=RELATIVE, atol=RELATIVE)


@pytest.mark.parametrize("size", [32, 128])
def test_networks_of_the_same_weights_score_the_same(size: int) -> None:
    network, patches = plain.UNet(), discs(3, size=size)
    ours = build(default_model(), 1)
    network.load_state_dict(ours.state_dict())
    counts = evaluate(ours, patches.images, patches.labels, in_all_forms=False)
    found = patch_dice(counts.tp[:, 0], counts.fp[:, 0], counts.fn[:, 0])
    assert plain.dice(network, patches.images, patches.labels) == pytest.approx(found, abs=0.01)
    with torch.no_grad():
        x = torch.from_numpy(patches.images)[:, None]
        torch.testing.assert_close(network(x), ours.eval()(x), rtol=RELATIVE, atol=RELATIVE)

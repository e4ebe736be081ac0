from __future__ import annotations

import pytest
import torch

from studyspec.learn.losses.cross_entropy import CROSS_ENTROPY, CrossEntropySettings


def test_it_is_the_mean_over_the_pixels() -> None:
    logits = torch.zeros(2, 2, 4, 4)
    labels = torch.ones(2, 4, 4, dtype=torch.int64)
    found = CROSS_ENTROPY.loss(logits, labels, CrossEntropySettings())
    assert found.item() == pytest.approx(torch.log(torch.tensor(2.0)).item())

from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from studyspec.learn.losses.dice_cross_entropy import DICE_CROSS_ENTROPY, DiceCrossEntropySettings
from tests.tolerances import RELATIVE

GENERATOR = torch.Generator().manual_seed(1)
LOGITS = torch.randn(3, 2, 8, 8, generator=GENERATOR)
LABELS = torch.randint(0, 2, (3, 8, 8), generator=GENERATOR)


@pytest.mark.parametrize("weight", [1.0, 0.5])
def test_it_is_cross_entropy_and_the_dice_missing_to_1(weight: float) -> None:
    found = DICE_CROSS_ENTROPY.loss(LOGITS, LABELS, DiceCrossEntropySettings(dice_weight=weight))
    p = torch.softmax(LOGITS.double(), dim=1)[:, 1]
    dice = (2 * p[LABELS == 1].sum() + 1) / (p.sum() + LABELS.sum() + 1)
    expected = cross_entropy(LOGITS.double(), LABELS) + weight * (1 - dice)
    assert found.item() == pytest.approx(expected.item(), rel=RELATIVE)


def test_a_perfect_answer_costs_nothing() -> None:
    sure = 50.0 * torch.stack([1 - 2.0 * LABELS, 2.0 * LABELS - 1], dim=1)
    found = DICE_CROSS_ENTROPY.loss(sure, LABELS, DiceCrossEntropySettings())
    assert found.item() == pytest.approx(0, abs=1e-6)


def test_it_says_its_weight() -> None:
    said = [DICE_CROSS_ENTROPY.describe(DiceCrossEntropySettings(dice_weight=w)) for w in (1, 0.5)]
    assert said == [
        f"cross-entropy plus {w}(1 - soft dice of the batch)" for w in ("", "0.5 times ")
    ]

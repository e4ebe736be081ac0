from __future__ import annotations

import pytest
import torch
from torch.nn.functional import cross_entropy

from studyspec.learn.losses.focal import FOCAL, FocalSettings
from tests.tolerances import RELATIVE

GENERATOR = torch.Generator().manual_seed(1)
LOGITS = torch.randn(3, 2, 8, 8, generator=GENERATOR)
LABELS = torch.randint(0, 2, (3, 8, 8), generator=GENERATOR)


@pytest.mark.parametrize("gamma", [0.5, 2.0, 5.0])
@pytest.mark.parametrize("weight", [None, 0.75])
def test_it_is_the_formula_of_the_paper(gamma: float, weight: float | None) -> None:
    found = FOCAL.loss(LOGITS, LABELS, FocalSettings(gamma=gamma, particle_weight=weight))
    p = torch.softmax(LOGITS.double(), dim=1).gather(1, LABELS[:, None])[:, 0]
    alpha = 1.0 if weight is None else torch.where(LABELS == 1, weight, 1 - weight)
    expected = (-alpha * (1 - p) ** gamma * torch.log(p)).mean()
    assert found.item() == pytest.approx(expected.item(), rel=RELATIVE)


def test_gamma_0_is_cross_entropy() -> None:
    found = FOCAL.loss(LOGITS, LABELS, FocalSettings(gamma=0.0))
    assert found.item() == pytest.approx(cross_entropy(LOGITS, LABELS).item(), rel=RELATIVE)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
@pytest.mark.parametrize("size", [0.0, 1e3])
def test_its_gradient_is_finite_however_sure_the_network_is(gamma: float, size: float) -> None:
    logits = (size * LOGITS.sign()).requires_grad_()
    FOCAL.loss(logits, LABELS, FocalSettings(gamma=gamma)).backward()  # type: ignore[no-untyped-call]
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from studyspec.learn import evaluation
from studyspec.learn.evaluation import evaluate
from studyspec.learn.network import ResidualUNet, build
from studyspec.spec.settings import ModelSettings
from tests.learn.patches import discs

PATCHES = discs(5, size=32)


@pytest.fixture
def network() -> ResidualUNet:
    return build(ModelSettings(first_filters=2), 1)


def test_counts_are_those_of_a_plain_reference(network: ResidualUNet) -> None:
    counts = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    assert counts.tp.shape == counts.loss_sum.shape == (5, 8)
    assert counts.tp.dtype == np.int64
    for n, k in np.ndindex(5, 8):
        x, y = (
            np.rot90(square[:, ::-1] if k >= 4 else square, k % 4)
            for square in (PATCHES.images[n], PATCHES.labels[n])
        )
        with torch.no_grad():
            logits = network(torch.tensor(x.copy())[None, None])[0].double().numpy()
        odds = np.exp(logits - logits.max(axis=0))
        p = (odds / odds.sum(axis=0))[1]
        found = p > 0.5
        assert counts.tp[n, k] == np.sum(found & (y == 1))
        assert counts.fp[n, k] == np.sum(found & (y == 0))
        assert counts.fn[n, k] == np.sum(~found & (y == 1))
        assert counts.tn[n, k] == np.sum(~found & (y == 0))
        loss = -np.log(np.where(y == 1, p, 1 - p)).sum()
        assert counts.loss_sum[n, k] == pytest.approx(loss, rel=1e-5)
        assert counts.soft_intersection[n, k] == pytest.approx((p * y).sum(), rel=1e-5)
        assert counts.soft_sum[n, k] == pytest.approx(p.sum() + y.sum(), rel=1e-5)


def test_a_tie_is_background(network: ResidualUNet) -> None:
    for parameter in network.final_conv.parameters():
        torch.nn.init.zeros_(parameter)
    counts = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=False)
    assert counts.tp.sum() == counts.fp.sum() == 0
    assert counts.fn.sum() == PATCHES.labels.sum()
    assert counts.loss_sum == pytest.approx(np.log(2) * 32 * 32)


def test_the_first_form_is_the_plain_patch(network: ResidualUNet) -> None:
    plain = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=False)
    every = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    assert plain.tp.shape == (5, 1)
    np.testing.assert_array_equal(plain.tp[:, 0], every.tp[:, 0])


def test_counts_do_not_depend_on_how_many_are_held(
    network: ResidualUNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    monkeypatch.setattr(evaluation, "HELD_PX", 2 * 32 * 32)
    apart = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    np.testing.assert_array_equal(together.tp, apart.tp)
    np.testing.assert_allclose(together.loss_sum, apart.loss_sum, rtol=1e-5)


def test_no_patches_have_no_counts(network: ResidualUNet) -> None:
    counts = evaluate(network, PATCHES.images[:0], PATCHES.labels[:0], in_all_forms=True)
    assert counts.fn.shape == counts.soft_sum.shape == (0, 8)


def test_memory_mapped_patches_count_the_same(network: ResidualUNet, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PATCHES.images)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    counts = evaluate(network, mapped, PATCHES.labels, in_all_forms=False)
    plain = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=False)
    np.testing.assert_array_equal(counts.loss_sum, plain.loss_sum)

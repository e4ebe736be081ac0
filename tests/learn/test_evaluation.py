from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studyspec.errors import PluginError
from studyspec.learn import evaluation
from studyspec.learn.architectures.residual_unet import ResidualUNetSettings
from studyspec.learn.evaluation import evaluate
from studyspec.learn.metrics.rim import BOUNDARY_DICE, RimSettings
from studyspec.learn.unet import ResidualUNet
from studyspec.plugins.contracts import PixelMetric
from studyspec.plugins.settings import Empty
from tests.learn.patches import discs, others
from tests.tolerances import BFLOAT16, PROBABILITY, RELATIVE

PATCHES = discs(5, size=32)


@pytest.fixture
def network() -> ResidualUNet:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        return ResidualUNet(ResidualUNetSettings(first_filters=2))


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
        found, unsure = p > 0.5, int(np.sum(np.abs(p - 0.5) < PROBABILITY))
        assert counts.tp[n, k] == pytest.approx(np.sum(found & (y == 1)), abs=unsure)
        assert counts.fp[n, k] == pytest.approx(np.sum(found & (y == 0)), abs=unsure)
        assert counts.fn[n, k] == pytest.approx(np.sum(~found & (y == 1)), abs=unsure)
        assert counts.tn[n, k] == pytest.approx(np.sum(~found & (y == 0)), abs=unsure)
        loss = -np.log(np.where(y == 1, p, 1 - p)).sum()
        assert counts.loss_sum[n, k] == pytest.approx(loss, rel=RELATIVE)
        assert counts.soft_intersection[n, k] == pytest.approx((p * y).sum(), rel=RELATIVE)
        assert counts.soft_sum[n, k] == pytest.approx(p.sum() + y.sum(), rel=RELATIVE)


def test_in_bfloat16_few_pixels_change_sides(network: ResidualUNet) -> None:
    exact = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    near = evaluate(network, PATCHES.images, PATCHES.labels, True, precision="bfloat16")
    pixels = PATCHES.images[0].size
    for name in ("tp", "fp", "fn", "tn"):
        assert np.abs(getattr(near, name) - getattr(exact, name)).mean() < BFLOAT16 * pixels
    np.testing.assert_allclose(near.loss_sum, exact.loss_sum, rtol=BFLOAT16)


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
    monkeypatch.setitem(evaluation.HELD_PX, "cpu", 2 * 32 * 32)
    apart = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=True)
    np.testing.assert_array_equal(together.tp, apart.tp)
    np.testing.assert_allclose(together.loss_sum, apart.loss_sum, rtol=RELATIVE)


def test_no_patches_have_no_counts(network: ResidualUNet) -> None:
    counts = evaluate(network, PATCHES.images[:0], PATCHES.labels[:0], in_all_forms=True)
    assert counts.fn.shape == counts.soft_sum.shape == (0, 8)


def test_memory_mapped_patches_count_the_same(network: ResidualUNet, tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", PATCHES.images)
    mapped = np.load(tmp_path / "x.npy", mmap_mode="r")
    counts = evaluate(network, mapped, PATCHES.labels, in_all_forms=False)
    plain = evaluate(network, PATCHES.images, PATCHES.labels, in_all_forms=False)
    np.testing.assert_array_equal(counts.loss_sum, plain.loss_sum)


def test_metrics_over_pixels_are_counted_in_every_form(network: ResidualUNet) -> None:
    rim = others(BOUNDARY_DICE, RimSettings(rim_px=3))
    counts = evaluate(network, PATCHES.images, PATCHES.labels, True, metrics=[rim])
    assert set(counts.sums) == set(BOUNDARY_DICE.sums)
    near = counts.sums["boundary_dice_tp"]
    assert near.shape == (5, 8)
    assert ((near <= counts.tp) & (near >= 0)).all()
    there = near + counts.sums["boundary_dice_fn"]
    np.testing.assert_array_equal(there, np.repeat(there[:, :1], 8, axis=1))


class Odd(PixelMetric[Empty]):
    """Counts whatever it is told to."""

    name, settings, sums = "odd", Empty, ("odd_n",)
    label, meaning, better, formula = "Odd", "Odd.", "higher", "odd_n"

    def __init__(self, counted: Any) -> None:
        self._counted = counted

    def describe(self, settings: Empty) -> str:
        return "odd"

    def count(self, probability: Tensor, label: Tensor, settings: Empty) -> Mapping[str, Tensor]:
        found: Mapping[str, Tensor] = self._counted(probability)
        return found


@pytest.mark.parametrize(
    ("counted", "what"),
    [
        (lambda p: {"odd_m": p.sum((1, 2))}, "it counts odd_m, not odd_n"),
        (lambda p: {"odd_n": p.sum()}, r"odd_n of 5 patches is \(\), not \(5,\)"),
        (lambda p: {"odd_n": 3}, r"odd_n of 5 patches is a int"),
        (lambda p: {"odd_n": p.sum((1, 2)) / 0}, "odd_n is no number"),
        (lambda p: p["odd_n"], "IndexError"),
    ],
)
def test_what_a_metric_counts_wrongly_names_its_distribution(
    network: ResidualUNet, counted: Any, what: str
) -> None:
    metric = others(Odd(counted), Empty())
    with pytest.raises(PluginError, match=rf"metric 'odd' of extras 1\.2 failed: .*{what}"):
        evaluate(network, PATCHES.images, PATCHES.labels, False, metrics=[metric])

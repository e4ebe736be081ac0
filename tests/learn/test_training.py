from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.batches import PatchSet
from studyspec.learn.building import build
from studyspec.learn.checkpoints import Checkpoint, Interrupted
from studyspec.learn.devices import precision_on
from studyspec.learn.evaluation import evaluate
from studyspec.learn.metrics.reference import patch_dice
from studyspec.learn.training import Epoch, Trained, train
from studyspec.learn.unet import ResidualUNet
from tests.learn.patches import discs, learning

TRAIN, VALIDATION = discs(10, seed=1), discs(3, seed=2)
NOISY = {"noise": {"rho_max": 0.5}, "dihedral": "random"}


def _losses(trained: Trained) -> list[tuple[float, float]]:
    return [(epoch.train_loss, epoch.validation_loss) for epoch in trained.history]


def _assert_same(a: Trained, b: Trained) -> None:
    assert _losses(a) == _losses(b)
    assert a.best_epoch == b.best_epoch
    assert all(torch.equal(a.state[name], b.state[name]) for name in a.state | b.state)


def test_a_network_learns_discs() -> None:
    asked = learning(
        model={"first_filters": 4},
        training={"epochs": 4, "batch_size": 8},
        augment={"dihedral": "all"},
    )
    trained = train(discs(24, seed=1, size=32), discs(4, seed=2, size=32), asked, 962)
    network = build(asked.model, 0)
    network.load_state_dict(trained.state)
    unseen = discs(8, seed=3, size=32)
    counts = evaluate(network, unseen.images, unseen.labels, False)
    assert patch_dice(counts.tp, counts.fp, counts.fn).mean() > 0.9
    assert trained.precision == precision_on("cpu", "auto")


def test_the_same_seed_gives_the_same_network_and_another_another() -> None:
    asked = learning(augment=NOISY)
    a, b, c = (train(TRAIN, VALIDATION, asked, seed) for seed in (962, 962, 1662))
    _assert_same(a, b)
    assert _losses(a) != _losses(c)


def test_torchs_own_random_numbers_are_neither_read_nor_moved() -> None:
    before = torch.get_rng_state()
    a = train(TRAIN, VALIDATION, learning(augment=NOISY), 962)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    _assert_same(a, train(TRAIN, VALIDATION, learning(augment=NOISY), 962))


def test_the_weights_of_the_lowest_validation_loss_are_kept() -> None:
    opposite = replace(VALIDATION, labels=1 - VALIDATION.labels)
    asked = learning(training={"epochs": 4, "learning_rate": 3e-2})
    trained = train(TRAIN, opposite, asked, 962)
    losses = [epoch.validation_loss for epoch in trained.history]
    assert trained.best_epoch == 1 + int(np.argmin(losses)) < 4
    shorter = learning(
        training={"epochs": trained.best_epoch, "learning_rate": 3e-2},
    )
    until_then = train(TRAIN, opposite, shorter, 962)
    assert all(torch.equal(trained.state[n], until_then.state[n]) for n in trained.state)


def test_a_training_out_of_patience_ends_early_with_its_best_weights() -> None:
    opposite = replace(VALIDATION, labels=1 - VALIDATION.labels)
    numbers = {"epochs": 12, "learning_rate": 3e-2}
    whole = train(TRAIN, opposite, learning(training=numbers), 962)
    short = train(TRAIN, opposite, learning(training=numbers | {"patience": 3}), 962)
    bests = [min(_losses(whole)[: n + 1], key=lambda one: one[1]) for n in range(12)]
    ends = next(n for n in range(3, 12) if bests[n] == bests[n - 3]) + 1
    assert _losses(short) == _losses(whole)[:ends]
    assert short.best_epoch == ends - 3


def test_micro_batches_add_up_to_their_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    def keep_norms_still(network: ResidualUNet, mode: bool = True) -> ResidualUNet:
        nn.Module.train(network, False)
        return network

    monkeypatch.setattr(ResidualUNet, "train", keep_norms_still)
    tables: dict[str, Any] = {"augment": NOISY}
    numbers = {"batch_size": 5, "precision": "float32"}
    whole = train(TRAIN, VALIDATION, learning(training=numbers, **tables), 962)
    micro = {**numbers, "micro_batch": 3}
    parts = train(TRAIN, VALIDATION, learning(training=micro, **tables), 962)
    np.testing.assert_allclose(_losses(parts), _losses(whole), rtol=1e-4)


def test_batch_norm_sees_the_micro_batch() -> None:
    whole = train(TRAIN, VALIDATION, learning(), 962)
    parts = train(TRAIN, VALIDATION, learning(training={"micro_batch": 2}), 962)
    assert _losses(parts) != _losses(whole)


@pytest.mark.parametrize("asks", [1, 3, 6])
def test_a_resumed_training_equals_an_undisturbed_one(tmp_path: Path, asks: int) -> None:
    asked = learning(augment=NOISY, training={"micro_batch": 2})
    answers = iter([False] * (asks - 1) + [True])
    stopped = Checkpoint(tmp_path / "x.pt", should_stop=lambda: next(answers))
    with pytest.raises(Interrupted, match=r"x\.pt is saved"):
        train(TRAIN, VALIDATION, asked, 962, checkpoint=stopped)
    resumed = train(TRAIN, VALIDATION, asked, 962, checkpoint=Checkpoint(tmp_path / "x.pt"))
    _assert_same(resumed, train(TRAIN, VALIDATION, asked, 962))
    assert not list(tmp_path.iterdir())


def test_a_training_goes_on_where_its_listener_ended_it(tmp_path: Path) -> None:
    def end(epoch: Epoch) -> None:
        raise KeyboardInterrupt

    told: list[int] = []
    checkpoint = Checkpoint(tmp_path / "x.pt")
    asked = learning(augment=NOISY, training={"epochs": 3})
    with pytest.raises(KeyboardInterrupt):
        train(TRAIN, VALIDATION, asked, 962, checkpoint=checkpoint, on_epoch=end)
    resumed = train(
        TRAIN,
        VALIDATION,
        asked,
        962,
        checkpoint=checkpoint,
        on_epoch=lambda epoch: told.append(epoch.epoch),
    )
    assert told == [2, 3]
    _assert_same(resumed, train(TRAIN, VALIDATION, asked, 962))


def test_checkpoints_come_in_their_time(tmp_path: Path) -> None:
    path, seen = tmp_path / "x.pt", []

    def look() -> bool:
        seen.append(path.exists())
        return False

    train(TRAIN, VALIDATION, learning(), 1, checkpoint=Checkpoint(path, 0.0, look))
    assert seen == [False] + [True] * 5
    seen.clear()
    train(TRAIN, VALIDATION, learning(), 1, checkpoint=Checkpoint(path, 1e9, look))
    assert seen == [False] * 6


def test_a_checkpoint_that_cannot_be_read_is_as_none(tmp_path: Path) -> None:
    path = tmp_path / "x.pt"
    path.write_bytes(b"half a checkpoi")
    trained = train(TRAIN, VALIDATION, learning(), 962, checkpoint=Checkpoint(path))
    _assert_same(trained, train(TRAIN, VALIDATION, learning(), 962))


RECIPES: dict[str, dict[str, Any]] = {
    "averaged": {"training": {"average": 0.8}},
    "adamw, one cycle": {
        "training": {"optimizer": "adamw", "weight_decay": 0.1, "schedule": {"name": "one_cycle"}}
    },
    "focal, plain, instance norm": {
        "training": {"loss": {"name": "focal"}},
        "model": {"name": "plain_unet", "norm": "instance", "levels": 2},
    },
    "dropout": {
        "model": {
            "name": "monai:UNet",
            "arguments": {"channels": [4, 8], "strides": [2], "dropout": 0.5},
        }
    },
}


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_resumes_bit_for_bit(tmp_path: Path, name: str) -> None:
    if name == "dropout":
        pytest.importorskip("monai")
    asked = learning(augment=NOISY, **RECIPES[name])
    answers = iter([False] * 3 + [True])
    stopped = Checkpoint(tmp_path / "x.pt", should_stop=lambda: next(answers))
    with pytest.raises(Interrupted):
        train(TRAIN, VALIDATION, asked, 962, checkpoint=stopped)
    torch.rand(3)
    resumed = train(TRAIN, VALIDATION, asked, 962, checkpoint=Checkpoint(tmp_path / "x.pt"))
    whole = train(TRAIN, VALIDATION, asked, 962)
    _assert_same(resumed, whole)
    assert _losses(whole) != _losses(train(TRAIN, VALIDATION, learning(augment=NOISY), 962))


@pytest.mark.parametrize("every", [3, 5])
def test_a_training_by_steps_goes_on_where_epochs_would_end(every: int) -> None:
    by_epochs = train(TRAIN, VALIDATION, learning(augment=NOISY), 962)  # 3 batches of 10 patches
    numbers = {"steps": 6, "validate_every": every}
    by_steps = train(TRAIN, VALIDATION, learning(augment=NOISY, training=numbers), 962)
    assert len(by_steps.history) == 2
    assert (_losses(by_steps) == _losses(by_epochs)) is (every == 3)


def test_a_training_by_steps_resumes_between_validations(tmp_path: Path) -> None:
    numbers = {"steps": 7, "validate_every": 4, "schedule": {"name": "one_cycle"}}
    asked = learning(augment=NOISY, training=numbers)
    answers = iter([False] * 5 + [True])
    stopped = Checkpoint(tmp_path / "x.pt", should_stop=lambda: next(answers))
    with pytest.raises(Interrupted, match=r"x\.pt is saved"):
        train(TRAIN, VALIDATION, asked, 962, checkpoint=stopped)
    resumed = train(TRAIN, VALIDATION, asked, 962, checkpoint=Checkpoint(tmp_path / "x.pt"))
    _assert_same(resumed, train(TRAIN, VALIDATION, asked, 962))


def test_the_average_is_what_is_validated_and_kept() -> None:
    plain, averaged = (
        train(TRAIN, VALIDATION, learning(training={"average": share, "epochs": 1}), 962)
        for share in (None, 0.9)
    )
    assert plain.history[0].train_loss == averaged.history[0].train_loss
    assert plain.history[0].validation_loss != averaged.history[0].validation_loss
    assert averaged.state.keys() == plain.state.keys()
    assert not torch.equal(
        averaged.state["downs.0.bn1.running_var"], plain.state["downs.0.bn1.running_var"]
    )


def test_a_schedule_multiplies_the_learning_rate_of_each_step() -> None:
    falling = {"name": "one_cycle", "warm_up": 0, "last": 0}
    one = {"epochs": 1, "batch_size": 10}
    constant, cycled = (
        train(TRAIN, VALIDATION, learning(training=one | more), 962)
        for more in ({}, {"schedule": falling})
    )
    _assert_same(constant, cycled)  # the only step is the peak
    two = learning(training={"epochs": 2, "batch_size": 10, "schedule": falling})
    slept = train(TRAIN, VALIDATION, two, 962)  # the second step has the rate 0
    assert torch.equal(slept.state["final_conv.weight"], constant.state["final_conv.weight"])


def test_what_an_augmentation_reads_comes_with_its_patch() -> None:
    asked = learning(augment={"thinning": {"dose_e_per_A2": 20}, "dihedral": "all"})
    ones = np.ones(10, np.float32)
    told = {"dose_e_per_A2": 400 * ones, "relative_sd": 0.2 * ones}
    camera = {"electrons": 16.0, "half": 0.24, "shot": 1.1, "white": 0.006, "read": 0.1}
    told |= {f"thinning.{name}": value * ones for name, value in camera.items()}
    few = {name: values[:3] for name, values in told.items()}
    trained = train(replace(TRAIN, values=told), replace(VALIDATION, values=few), asked, 962)
    plain = train(TRAIN, VALIDATION, learning(augment={"dihedral": "all"}), 962)
    assert _losses(trained) != _losses(plain)


def test_patches_that_the_network_cannot_halve_are_an_error() -> None:
    asked = learning(model={"name": "plain_unet", "levels": 5})
    with pytest.raises(LearnError, match=r"16 x 16 pixels do not suit the network 'plain_unet'"):
        train(TRAIN, VALIDATION, asked, 962)


def test_no_patches_to_validate_with_is_an_error() -> None:
    empty = PatchSet(VALIDATION.images[:0], VALIDATION.labels[:0])
    with pytest.raises(LearnError, match=r"no validation patches; widen the dataset's filter"):
        train(TRAIN, empty, learning(), 962)


def test_a_batch_of_one_smallest_patch_is_an_error() -> None:
    asked = learning(training={"batch_size": 3})
    with pytest.raises(LearnError, match="one 16 x 16 patch leaves batch norm a single pixel"):
        train(TRAIN, VALIDATION, asked, 962)


def test_a_training_without_a_finite_loss_is_an_error() -> None:
    nothing = replace(VALIDATION, images=VALIDATION.images * np.float32("nan"))
    with pytest.raises(LearnError, match=r"no epoch of 2 had a finite validation loss; lower"):
        train(TRAIN, nothing, learning(), 962)


def test_a_training_reads_memory_mapped_patches(tmp_path: Path) -> None:
    np.save(tmp_path / "images.npy", TRAIN.images)
    np.save(tmp_path / "labels.npy", TRAIN.labels)
    mapped = PatchSet(
        np.load(tmp_path / "images.npy", mmap_mode="r"),
        np.load(tmp_path / "labels.npy", mmap_mode="r"),
    )
    _assert_same(
        train(mapped, VALIDATION, learning(), 962), train(TRAIN, VALIDATION, learning(), 962)
    )


def test_bfloat16_learns_as_float32_does() -> None:
    half, full = (
        train(TRAIN, VALIDATION, learning(training={"precision": precision}), 1662)
        for precision in ("bfloat16", "float32")
    )
    assert (half.precision, full.precision) == ("bfloat16", "float32")
    assert _losses(half) != _losses(full)
    np.testing.assert_allclose(_losses(half), _losses(full), rtol=0.05)


@pytest.mark.gpu
def test_a_gpu_trains_in_bfloat16_to_the_same_dice() -> None:
    asked = learning(model={"first_filters": 4}, training={"epochs": 6, "batch_size": 8})
    patches, unseen = discs(24, seed=1, size=32), discs(8, seed=3, size=32)
    dice = []
    for device in ("cuda:0", "cpu"):
        trained = train(patches, discs(4, seed=2, size=32), asked, 962, device)
        network = build(asked.model, 0)
        network.load_state_dict(trained.state)
        counts = evaluate(network, unseen.images, unseen.labels, False, device)
        dice.append(float(patch_dice(counts.tp, counts.fp, counts.fn).mean()))
    assert dice[0] == pytest.approx(dice[1], abs=0.02)

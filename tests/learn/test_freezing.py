from __future__ import annotations

import pytest
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.building import build, count_parameters
from studyspec.learn.freezing import freeze
from tests.learn.patches import model

SMALL = model(first_filters=2)
WHOLE = ["bottleneck", "downs", "final_conv", "ups"]


def trained_in(network: nn.Module) -> set[str]:
    return {name for name, weights in network.named_parameters() if weights.requires_grad}


def test_a_part_is_named_as_its_weights_begin() -> None:
    network = build(SMALL, 0)
    kept = freeze(network, ["downs.0", "final_conv.bias"])
    frozen = {name for name, _ in network.named_parameters()} - trained_in(network)
    assert {name.rpartition(".")[0] for name in frozen} >= {"downs.0.conv1", "final_conv"}
    assert all(name.startswith(("downs.0.", "final_conv.bias")) for name in frozen)
    assert kept == (network.get_submodule("downs.0"),)


def test_frozen_parameters_are_not_counted() -> None:
    parts = [count_parameters(SMALL) - count_parameters(SMALL, [part]) for part in WHOLE]
    assert sum(parts) == count_parameters(SMALL)
    assert all(parts)


@pytest.mark.parametrize(
    ("part", "hint"),
    [("down", "did you mean 'downs'"), ("x", "expected bottleneck, downs, final_conv or ups")],
)
def test_an_unknown_part_is_told_with_the_right_ones(part: str, hint: str) -> None:
    with pytest.raises(LearnError, match=f"the network has no part '{part}' to freeze; {hint}"):
        freeze(build(SMALL, 0), [part])


def test_a_network_with_nothing_left_to_train_is_refused() -> None:
    with pytest.raises(LearnError, match="every part of the network is frozen; leave a part"):
        freeze(build(SMALL, 0), WHOLE)

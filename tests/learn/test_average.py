from __future__ import annotations

import torch

from studyspec.learn.average import Average
from studyspec.learn.building import Promised, build, promised
from tests.learn.patches import model

NORM = "downs.0.bn1"


def network(seed: int = 1) -> Promised:
    use = model(first_filters=2)
    return promised(build(use, seed), use)


def test_it_begins_with_the_weights_of_the_first_step() -> None:
    here = network()
    average = Average(here, 0.9)
    torch.nn.init.ones_(here.network.get_parameter("final_conv.weight"))
    average.update(here, 0)
    assert torch.equal(
        average.network.network.get_parameter("final_conv.weight"),
        here.network.get_parameter("final_conv.weight"),
    )


def test_each_step_adds_its_share_of_weights_and_statistics() -> None:
    here = network()
    average = Average(here, 0.75)
    average.update(here, 0)
    for name in (f"{NORM}.weight", f"{NORM}.running_var", f"{NORM}.num_batches_tracked"):
        here.network.state_dict()[name].fill_(5)
    average.update(here, 1)
    state = average.network.network.state_dict()
    assert torch.allclose(state[f"{NORM}.weight"], torch.tensor(0.75 * 1 + 0.25 * 5))
    assert torch.allclose(state[f"{NORM}.running_var"], torch.tensor(0.75 * 1 + 0.25 * 5))
    assert state[f"{NORM}.num_batches_tracked"] == 5
    assert here.network.state_dict()[f"{NORM}.weight"].eq(5).all()

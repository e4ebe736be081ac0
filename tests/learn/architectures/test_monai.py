from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
import torch

from studyspec.errors import LearnError
from studyspec.learn.architectures.monai import MONAI, MonaiSettings
from studyspec.learn.building import build, promised, shrinkage
from studyspec.learn.training import train
from tests.learn.patches import discs, learning, model

SMALL = {"channels": [4, 8, 16], "strides": [2, 2]}
NETWORKS: dict[str, dict[str, Any]] = {
    "UNet": SMALL,
    "BasicUNet": {"features": [4, 4, 8, 8, 16, 4]},
    "BasicUNetPlusPlus": {"features": [4, 4, 8, 8, 16, 4]},
    "AttentionUnet": SMALL,
    "DynUNet": {
        "kernel_size": [3, 3, [3, 3]],
        "strides": [1, 2, [2, 2]],
        "upsample_kernel_size": [2, 2],
        "filters": [4, 8, 16],
        "norm_name": ["group", {"num_groups": 2}],
    },
    "SegResNet": {"init_filters": 8, "blocks_down": [1, 1], "blocks_up": [1]},
}


@pytest.fixture(autouse=True)
def monai() -> None:
    pytest.importorskip("monai")


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_is_built_by_its_name_and_trains(name: str) -> None:
    asked = learning(
        model={"name": f"monai:{name}", "arguments": NETWORKS[name]}, training={"epochs": 1}
    )
    trained = train(discs(4, seed=1, size=32), discs(2, seed=2, size=32), asked, 962)
    network = build(asked.model, 0)
    network.load_state_dict(trained.state)
    assert promised(network.eval(), asked.model)(torch.zeros(1, 1, 48, 64)).shape[1] == 2


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("UNett", {}, r"^model\.name: MONAI has no network 'UNett'; did you mean 'UNet'\?"),
        ("UNet", {}, r"^model\.arguments: monai:UNet needs channels, strides; see its arguments"),
        ("UNet", SMALL | {"chanels": 1}, r"^model\.arguments\.chanels: .*mean 'channels'\?"),
        ("UNet", SMALL | {"in_channels": 3}, r"in_channels: in_channels is 1 .*; leave it out"),
        ("UNet", SMALL | {"act": "nosuch"}, r"monai:UNet cannot be made: \w+Error: "),
        ("FlexibleUNet", {"backbone": "resnet18", "pretrained": True}, r"would be fetched"),
    ],
)
def test_what_cannot_be_made_is_told_in_one_line(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(LearnError, match=message) as told:
        build(model(name=f"monai:{name}", arguments=arguments), 1)
    assert "\n" not in told.value.text


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("DynUNet", NETWORKS["DynUNet"] | {"deep_supervision": True}, "gives several outputs"),
        ("DenseNet121", {}, r"monai:DenseNet121 gives \(2, 2\) for images \(2, 1, 32, 32\)"),
        ("UNet", SMALL | {"strides": [2, 3]}, r"UNet (failed on|gives).* images \(2, 1, 32, 32\)"),
    ],
)
def test_what_is_no_segmentation_is_told(
    name: str, arguments: dict[str, Any], message: str
) -> None:
    network = build(model(name=f"monai:{name}", arguments=arguments), 1).train()
    with pytest.raises(LearnError, match=message):
        network(torch.zeros(2, 1, 32, 32))


@pytest.mark.parametrize(
    ("arguments", "edge"),
    [
        ({}, 16),
        ({"strides": [2, 2]}, 16),
        ({"strides": [1, [2, 2], 2, 2, 2, 2]}, 32),
        ({"blocks_down": [1, 2, 2, 4, 4, 4]}, 32),
        ({"strides": ["x"]}, 16),
    ],
)
def test_images_are_multiples_of_its_strides(arguments: dict[str, Any], edge: int) -> None:
    assert shrinkage(model(name="monai:UNet", arguments=arguments)) == edge


def test_it_says_what_it_is() -> None:
    settings = MonaiSettings(name="monai:UNet", arguments={"channels": [4, 8]})
    assert MONAI.describe(settings) == "UNet of MONAI (channels = [4, 8])"


def test_without_monai_it_says_how_to_have_it() -> None:
    code = (
        "import sys; sys.modules['monai'] = None\n"
        "from tests.learn.patches import model\n"
        "from studyspec.learn.building import build\n"
        "build(model(name='monai:UNet'), 1)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "not installed; pip install 'studyspec[monai]'" in found.stderr

"""Networks of others: every format gives what the same network of ours gives."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.conversion import convert
from studyspec.learn.evaluation import evaluate
from studyspec.learn.given import GivenNetwork, identify, load_given
from studyspec.learn.network import ResidualUNet, build
from studyspec.learn.weights import Description, load_network, save
from studyspec.spec.given import NetworkOfOthers
from studyspec.spec.settings import ModelSettings, PreprocessSettings, RescaleSettings

IMAGES = torch.from_numpy(np.random.default_rng(0).normal(size=(2, 1, 32, 32)).astype(np.float32))
FACTORY = """
import torch
from torch import nn

class Threshold(nn.Module):
    def forward(self, x):
        return {}

def build(weights=None):
    return {}
"""


def ours() -> ResidualUNet:
    return build(ModelSettings(), 0).eval()


def scripted(network: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(network, IMAGES).save(str(path))  # type: ignore[no-untyped-call]


def small() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))


def given(folder: Path, **table: object) -> GivenNetwork:
    return identify("theirs", NetworkOfOthers.model_validate(table), folder)


def logits(folder: Path, **table: object) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = load_given(given(folder, **table).place())(IMAGES)
    return found


def expected() -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = ours()(IMAGES)
    return found


def test_safetensors_are_our_own_network(tmp_path: Path) -> None:
    sha = save(ours().state_dict(), tmp_path / "n.safetensors")
    assert torch.equal(logits(tmp_path, weights="n.safetensors"), expected())
    assert given(tmp_path, weights="n.safetensors").sha256 == sha


def test_a_network_of_ours_says_how_its_images_are_prepared(tmp_path: Path) -> None:
    told = Description(preprocess=PreprocessSettings(rescale=RescaleSettings(method="normalize")))
    save(ours().state_dict(), tmp_path / "n.safetensors", told)
    study = PreprocessSettings()
    found = given(tmp_path, weights="n.safetensors").prepared_as(study)
    assert found.rescale.method == "normalize"
    assert found.patch == study.patch
    declared = {"rescale": {"method": "histogram"}}
    changed = given(tmp_path, weights="n.safetensors", preprocess=declared)
    assert changed.prepared_as(study).rescale.method == "histogram"


def test_torchscript_gives_the_same(tmp_path: Path) -> None:
    network = small()
    scripted(network, tmp_path / "n.pt")
    assert torch.allclose(logits(tmp_path, weights="n.pt"), network(IMAGES), atol=1e-5)


def test_onnx_gives_the_same(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper = onnx.helper
    kind = onnx.TensorProto.FLOAT
    weight = np.random.default_rng(1).normal(size=(2, 1, 3, 3)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1])],
        "one layer",
        [helper.make_tensor_value_info("x", kind, ["b", 1, "h", "w"])],
        [helper.make_tensor_value_info("y", kind, ["b", 2, "h", "w"])],
        [onnx.numpy_helper.from_array(weight, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(model, tmp_path / "n.onnx")
    plain = torch.nn.functional.conv2d(IMAGES, torch.from_numpy(weight), padding=1)
    assert torch.allclose(logits(tmp_path, weights="n.onnx"), plain, atol=1e-5)


@pytest.mark.parametrize(
    ("forward", "output"),
    [("x", "logits"), ("torch.sigmoid(x)", "probabilities"),
     ("torch.softmax(torch.cat([0 * x, x], 1), 1)", "probabilities")],
)  # fmt: skip
def test_a_factory_is_called_and_its_output_understood(
    tmp_path: Path, forward: str, output: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"theirs_{abs(hash((forward, tmp_path)))}"
    (tmp_path / f"{name}.py").write_text(FACTORY.format(forward, "Threshold()"))
    monkeypatch.syspath_prepend(str(tmp_path))
    found = logits(tmp_path, factory=f"{name}:build", output=output)
    assert torch.allclose(found[:, 1:] - found[:, :1], IMAGES, atol=1e-3)


def test_a_given_network_is_evaluated_like_ours(tmp_path: Path) -> None:
    network = small()
    scripted(network, tmp_path / "n.pt")
    theirs = load_given(given(tmp_path, weights="n.pt").place())
    labels = (IMAGES[:, 0].numpy() > 0).astype(np.uint8)
    mine = evaluate(network, IMAGES[:, 0].numpy(), labels, in_all_forms=True)
    found = evaluate(theirs, IMAGES[:, 0].numpy(), labels, in_all_forms=True)
    assert np.array_equal(mine.tp, found.tp)
    assert np.allclose(mine.loss_sum, found.loss_sum, rtol=1e-4)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"weights": "gone.safetensors"}, "cannot be read: No such file"),
        ({"weights": "n.h5"}, "'n.h5' is no known kind of network; expected .safetensors"),
        ({"factory": "no_such_module:build"}, "there is no module 'no_such_module'"),
    ],
)
def test_what_is_not_there_is_named(tmp_path: Path, table: dict[str, object], message: str) -> None:
    with pytest.raises(LearnError, match=message.replace(".", r"\.")):
        given(tmp_path, **table)


@pytest.mark.parametrize("name", ["n.pt", "n.onnx", "n.safetensors"])
def test_a_file_that_is_no_network_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(LearnError, match=r"not an? "):
        load_given(given(tmp_path, weights=name).place())


def test_a_network_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    save(ours().state_dict(), tmp_path / "n.safetensors")
    place = given(tmp_path, weights="n.safetensors").place()
    save(build(ModelSettings(), 1).state_dict(), tmp_path / "n.safetensors")
    with pytest.raises(LearnError, match="changed since the run was planned"):
        load_given(place)


def test_an_output_of_another_shape_is_told(tmp_path: Path) -> None:
    wide = nn.Conv2d(1, 5, 3, padding=1)
    scripted(wide, tmp_path / "n.pt")
    with pytest.raises(LearnError, match=r"gives \(2, 5, 32, 32\) for images \(2, 1, 32, 32\)"):
        logits(tmp_path, weights="n.pt")


@pytest.mark.parametrize("key", [None, "model_state_dict"])
def test_pickled_weights_become_safetensors(tmp_path: Path, key: str | None) -> None:
    state = ours().state_dict()
    torch.save(state if key is None else {key: state, "epoch": 3}, tmp_path / "n.h5")
    sha = convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert sha == given(tmp_path, weights="n.safetensors").sha256
    found = load_network(tmp_path / "n.safetensors").state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in state.items())


class Bomb:
    """Writes a file where it is unpickled by anything that runs what it reads."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.place,)


@pytest.mark.parametrize("writer", ["torch", "pickle"])
def test_nothing_in_a_pickle_is_run(tmp_path: Path, writer: str) -> None:
    bomb = {"weights": Bomb(tmp_path / "exploded")}
    if writer == "torch":
        torch.save(bomb, tmp_path / "n.h5")
    else:
        (tmp_path / "n.h5").write_bytes(pickle.dumps(bomb))
    with pytest.raises(LearnError):
        convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert not (tmp_path / "exploded").exists()
    assert not (tmp_path / "n.safetensors").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    torch.save(nn.Conv2d(1, 2, 3).state_dict(), tmp_path / "n.h5")
    with pytest.raises(LearnError, match="do not fit this network"):
        convert(tmp_path / "n.h5", tmp_path / "n.safetensors")
    assert list(tmp_path.iterdir()) == [tmp_path / "n.h5"]

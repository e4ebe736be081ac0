from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from studyspec.errors import LearnError
from studyspec.learn.building import build
from studyspec.learn.evaluation import evaluate
from studyspec.learn.networks import Description, NetworkFile, identify
from studyspec.learn.segmenters import load
from studyspec.learn.weights import save
from studyspec.spec.foreign import ForeignNetwork
from tests.learn.patches import model
from tests.tolerances import RELATIVE

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


def ours(seed: int = 0) -> nn.Module:
    return build(model(), seed).eval()


def scripted(network: nn.Module, path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.trace(network, IMAGES).save(str(path))  # type: ignore[no-untyped-call]


def small() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 2, 1))


def foreign(folder: Path, **table: object) -> NetworkFile:
    return identify("theirs", ForeignNetwork.model_validate(table), folder)


def logits(folder: Path, **table: object) -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = load(foreign(folder, **table))(IMAGES)
    return found


def expected() -> torch.Tensor:
    with torch.no_grad():
        found: torch.Tensor = ours()(IMAGES)
    return found


def test_safetensors_are_our_own_network(tmp_path: Path) -> None:
    sha = save(ours().state_dict(), tmp_path / "n.safetensors")
    torch.testing.assert_close(
        logits(tmp_path, weights="n.safetensors"), expected(), rtol=1e-4, atol=1e-4
    )
    assert foreign(tmp_path, weights="n.safetensors").sha256 == sha


@pytest.mark.parametrize("table", [{"name": "plain_unet", "levels": 3}, {"norm": "group"}])
def test_weights_of_any_architecture_are_a_network(tmp_path: Path, table: dict[str, Any]) -> None:
    network = build(model(**table), 3).eval()
    save(network.state_dict(), tmp_path / "n.safetensors", Description(model=model(**table)))
    with torch.no_grad():
        torch.testing.assert_close(
            logits(tmp_path, weights="n.safetensors"), network(IMAGES), rtol=1e-4, atol=1e-4
        )


def test_a_trained_network_needs_no_more_than_its_file(tmp_path: Path) -> None:
    sha = save(ours().state_dict(), tmp_path / "n", Description(model=model()))
    with torch.no_grad():
        found = load(NetworkFile(name="mine", sha256=sha, file=str(tmp_path / "n")))(IMAGES)
    torch.testing.assert_close(found, expected(), rtol=1e-4, atol=1e-4)


def test_torchscript_gives_the_same(tmp_path: Path) -> None:
    network = small()
    scripted(network, tmp_path / "n.pt")
    assert torch.allclose(
        logits(tmp_path, weights="n.pt", trust=True), network(IMAGES), atol=RELATIVE
    )


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
    assert torch.allclose(logits(tmp_path, weights="n.onnx"), plain, atol=RELATIVE)


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
    found = logits(tmp_path, factory=f"{name}:build", trust=True, output=output)
    assert torch.allclose(found[:, 1:] - found[:, :1], IMAGES, atol=1e-3)


def test_a_foreign_network_is_evaluated_like_ours(tmp_path: Path) -> None:
    network = small()
    scripted(network, tmp_path / "n.pt")
    theirs = load(foreign(tmp_path, weights="n.pt", trust=True))
    labels = (IMAGES[:, 0].numpy() > 0).astype(np.uint8)
    mine = evaluate(network, IMAGES[:, 0].numpy(), labels, in_all_forms=True)
    found = evaluate(theirs, IMAGES[:, 0].numpy(), labels, in_all_forms=True)
    assert np.array_equal(mine.tp, found.tp)
    assert np.allclose(mine.loss_sum, found.loss_sum, rtol=1e-4)


@pytest.mark.parametrize("name", ["n.pt", "n.onnx", "n.safetensors"])
def test_a_file_that_is_no_network_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"nothing of the kind")
    with pytest.raises(LearnError, match=r"not an? "):
        load(foreign(tmp_path, weights=name, trust=True))


def test_a_network_that_changed_since_the_plan_is_refused(tmp_path: Path) -> None:
    save(ours().state_dict(), tmp_path / "n.safetensors")
    file = foreign(tmp_path, weights="n.safetensors")
    save(ours(1).state_dict(), tmp_path / "n.safetensors")
    with pytest.raises(LearnError, match="changed since the run was planned"):
        load(file)


def test_an_output_of_another_shape_is_told(tmp_path: Path) -> None:
    wide = nn.Conv2d(1, 5, 3, padding=1)
    scripted(wide, tmp_path / "n.pt")
    with pytest.raises(LearnError, match=r"gives \(2, 5, 32, 32\) for images \(2, 1, 32, 32\)"):
        logits(tmp_path, weights="n.pt", trust=True)


class Writes(nn.Module):
    """A network that leaves a file behind, as any TorchScript can."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        torch.save(x, "written")
        return torch.cat([x, x], dim=1)


def test_torchscript_is_code_and_runs_only_if_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.script(Writes()).save("n.pt")  # type: ignore[no-untyped-call]
    with pytest.raises(LearnError, match=r"n\.pt: TorchScript is code.*trust = true.*ONNX"):
        logits(tmp_path, weights="n.pt")
    known = foreign(tmp_path, weights="n.pt", trust=True)
    with pytest.raises(LearnError, match="TorchScript is code"):
        load(known.model_copy(update={"trusted": False}))
    assert not Path("written").exists()
    logits(tmp_path, weights="n.pt", trust=True)
    assert Path("written").exists()


def test_no_module_around_a_factory_is_imported_before_it_is_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "untrusted_package"
    package.mkdir()
    (package / "__init__.py").write_text(f"open({str(tmp_path / 'written')!r}, 'w')")
    (package / "inner.py").write_text("def build(): pass")
    with pytest.raises(LearnError, match="a factory is code"):
        foreign(tmp_path / "elsewhere", factory="untrusted_package.inner:build")
    assert not (tmp_path / "written").exists()

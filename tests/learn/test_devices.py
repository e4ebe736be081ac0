from __future__ import annotations

import pytest
import torch

from studyspec.errors import OutOfMemory
from studyspec.learn.devices import available, memory_watch, precision_on
from studyspec.spec.sections import TrainingNumbers


def _training(**values: int) -> TrainingNumbers:
    return TrainingNumbers.model_validate(values)


def test_there_is_always_a_device() -> None:
    assert available() == ["cpu"] or available()[0] == "cuda:0"


@pytest.mark.parametrize(
    ("capabilities", "precision"),
    [({"avx512_bf16": True}, "bfloat16"), ({"avx2": True, "avx512_bf16": False}, "float32")],
)
def test_auto_is_bfloat16_where_the_processor_computes_in_it(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool], precision: str
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities)
    assert precision_on("cpu", "auto") == precision
    assert precision_on("cpu", "bfloat16") == "bfloat16"
    assert precision_on("cpu", "float32") == "float32"


def test_too_large_a_tensor_proposes_half_the_batch() -> None:
    with (
        pytest.raises(OutOfMemory, match=r"32 samples at once; set training\.micro_batch = 16$"),
        memory_watch(_training(batch_size=32)),
    ):
        torch.empty(2**60)


@pytest.mark.parametrize("error", [MemoryError(), torch.OutOfMemoryError("CUDA out of memory")])
def test_a_micro_batch_is_halved_too(error: Exception) -> None:
    with (
        pytest.raises(OutOfMemory, match=r"set training\.micro_batch = 3$"),
        memory_watch(_training(batch_size=32, micro_batch=7)),
    ):
        raise error


def test_one_sample_cannot_be_halved() -> None:
    with (
        pytest.raises(OutOfMemory, match=r"with one sample; lower preprocess\.patch\.size"),
        memory_watch(_training(micro_batch=1)),
    ):
        raise MemoryError


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="a bug"), memory_watch():
        raise RuntimeError("a bug")

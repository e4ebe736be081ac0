"""Devices: what there is to compute on, in which precision, and when memory ran out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch

from studyspec.errors import LearnError, OutOfMemory
from studyspec.spec.sections import TrainingNumbers

CPU = "cpu"


def available() -> list[str]:
    """All CUDA devices, or the CPU where there is none."""
    return [f"cuda:{i}" for i in range(torch.cuda.device_count())] or [CPU]


def device_name(device: str) -> str:
    """The maker's name of a device."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_name(device)
    return torch.backends.cpu.get_cpu_capability()


def reset_peak_memory(device: str) -> None:
    """Begin to measure a CUDA device's peak of memory anew; nothing on the CPU."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_bytes(device: str) -> int | None:
    """The most memory that tensors took on a CUDA device [bytes]; None on the CPU."""
    return torch.cuda.max_memory_allocated(device) if device.startswith("cuda") else None


def precision_on(device: str, asked: str) -> str:
    """float32 or bfloat16; "auto" is bfloat16 where the device computes in it.

    A processor that has no bfloat16 can be asked for it all the same, and is slow.

    Raises
    ------
    LearnError
        If bfloat16 is asked of a CUDA device without it.
    """
    cuda = device.startswith("cuda")
    has = torch.cuda.get_device_capability(device) >= (8, 0) if cuda else _has_bfloat16()
    if asked == "auto":
        return "bfloat16" if has else "float32"
    if asked == "bfloat16" and cuda and not has:
        raise LearnError(f"{device} has no bfloat16", hint="set training.precision = 'float32'")
    return asked


def _has_bfloat16() -> bool:
    """Whether this processor has instructions for bfloat16."""
    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name) for name in ("avx512_bf16", "amx_bf16"))


def autocast(device: str, precision: str) -> AbstractContextManager[object]:
    """The context in which a network computes in a precision."""
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.partition(":")[0], dtype=torch.bfloat16)


@contextmanager
def memory_watch(settings: TrainingNumbers | None = None) -> Iterator[None]:
    """Turn a lack of memory into OutOfMemory, which proposes a smaller micro-batch.

    Raises
    ------
    OutOfMemory
        In place of what torch or Python raise.
    """
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise _out_of_memory(settings) from error
    except RuntimeError as error:
        if "can't allocate memory" in str(error) or "not enough memory" in str(error):
            raise _out_of_memory(settings) from error
        raise


def _out_of_memory(settings: TrainingNumbers | None) -> OutOfMemory:
    if settings is None:
        return OutOfMemory("out of memory", hint="use a device with more memory")
    held = settings.micro_batch or settings.batch_size
    if held == 1:
        return OutOfMemory("out of memory with one sample", hint="lower preprocess.patch.size")
    return OutOfMemory(
        f"out of memory with {held} samples at once",
        hint=f"set training.micro_batch = {held // 2}",
    )


@contextmanager
def one_thread(device: str) -> Iterator[None]:
    """On a CPU compute with one thread, as workers do: sums in another order are other sums."""
    before = torch.get_num_threads()
    if device == CPU:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)

"""How far a training step is from what the machine can do, and where its time goes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from studyspec.learn.building import build, default_model
from studyspec.learn.devices import autocast
from tests.benchmarks.speed_rows import BATCH, SEED, SIZE

EDGE, COPIED_MB, STEPS, TOP = 1024, 256, 5, 10


def least(work: Callable[[], object], times: int = 7) -> float:
    """The least wall time of some calls [s]."""
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(time.perf_counter() - start)
    return min(spent)


def matrix_peak(precision: str) -> float:
    """Operations a second of a product of matrices of 1024 x 1024 [GFLOP/s]."""
    kind = torch.bfloat16 if precision == "bfloat16" else torch.float32
    a, b = torch.ones(EDGE, EDGE, dtype=kind), torch.ones(EDGE, EDGE, dtype=kind)
    return 2 * EDGE**3 / least(lambda: a @ b) / 1e9


def memory_peak() -> float:
    """Bytes read and written a second by a copy that no cache holds [GB/s]."""
    source = torch.ones(COPIED_MB * 2**18)
    target = torch.empty_like(source)
    return 2 * source.nbytes / least(lambda: target.copy_(source)) / 1e9


class Traffic(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of what operations read and write, as if none stayed in a cache."""

    total = 0

    def __torch_dispatch__(  # Any: as torch declares it
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        if not getattr(func, "is_view", False):
            self.total += sum(
                one.nbytes for one in tree_leaves((args, found)) if isinstance(one, Tensor)
            )
        return found


def step(precision: str) -> Callable[[], None]:
    """A step of a batch, ready to be called."""
    network = build(default_model(), SEED).train()
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    x, y = torch.randn(BATCH, 1, SIZE, SIZE), torch.ones(BATCH, SIZE, SIZE, dtype=torch.int64)

    def work() -> None:
        optimizer.zero_grad(set_to_none=True)
        with autocast("cpu", precision):
            logits = network(x)
        F.cross_entropy(logits.float(), y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    work()
    return work


def limits(precision: str) -> dict[str, float]:
    """What a step does, how long it takes and what the machine can do, by name."""
    work = step(precision)
    with FlopCounterMode(display=False) as counted:
        work()
    with Traffic() as traffic:  # type: ignore[no-untyped-call]
        work()
    return {
        "gflop": counted.get_total_flops() / 1e9 / BATCH,
        "mb": traffic.total / 1e6 / BATCH,
        "seconds": least(work) / BATCH,
        "peak_gflops": matrix_peak(precision),
        "peak_gbs": memory_peak(),
    }


def operations(precision: str) -> list[tuple[str, float, float]]:
    """The ten operations that take most of a step: name, share of the time, ms a patch."""
    work = step(precision)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        for _ in range(STEPS):
            work()
    found = sorted(seen.key_averages(), key=lambda one: -one.self_cpu_time_total)
    total = sum(one.self_cpu_time_total for one in found)
    return [
        (one.key, one.self_cpu_time_total / total, one.self_cpu_time_total / STEPS / BATCH / 1e3)
        for one in found[:TOP]
    ]

"""Every row of `tests/benchmarks/README.md`: ours beside the plain way, in the same run.

Run: python tests/benchmarks/bench_speed.py [ROUNDS]

As many processes as there are cores run side by side, one thread each, as workers do. Each of them
does ours and the plain way in turns, so that whatever else the machine does befalls both.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from studyspec.run.process import environment
from tests.benchmarks.speed_limits import limits, operations
from tests.benchmarks.speed_rows import ROWS, Work

PAGE = Path(__file__).with_name("README.md")
ROUNDS = 7
WAYS = ("ours", "plain")
Told = dict[str, Any]  # Any: JSON of a process of this same file


def timed(name: str, rounds: int) -> dict[str, list[float]]:
    """Seconds of each round of a row, by way; the first round of each is not counted."""
    pair = ROWS[name].make()
    works: dict[str, Work] = {way: work for way, work in zip(WAYS, pair, strict=True) if work}
    spent: dict[str, list[float]] = {way: [] for way in works}
    for turn in range(rounds + 1):
        for way, work in works.items():
            start = time.perf_counter()
            work()
            if turn:
                spent[way].append((time.perf_counter() - start) / ROWS[name].parts)
    return spent


def memory(name: str, way: str) -> float:
    """How much the peak of memory grows in one call, above what was there before [MB]."""
    work = ROWS[name].make()[WAYS.index(way)]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    if work:
        work()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024


def child(*arguments: str) -> subprocess.Popen[str]:
    """This file in a process of its own, which prints JSON."""
    command = [sys.executable, __file__, "--child", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment("cpu"))


def answer(process: subprocess.Popen[str]) -> Told:
    """What a child printed."""
    out, _ = process.communicate()
    if process.returncode:
        raise SystemExit(process.returncode)
    found: Told = json.loads(out.splitlines()[-1])
    return found


def beside(name: str, rounds: int, processes: int) -> dict[str, list[float]]:
    """The times of a row in several processes at once, together."""
    answers = [answer(one) for one in [child("time", name, str(rounds)) for _ in range(processes)]]
    return {way: [s for one in answers for s in one[way]] for way in answers[0]}


def row(name: str, times: dict[str, list[float]]) -> str:
    """A line of the table: least and median of both ways, and the ratios of both."""
    cells = [ROWS[name].title]
    figures = {way: (min(s), statistics.median(s)) for way, s in times.items()}
    cells += [_ms(*figures[way]) if way in figures else "-" for way in WAYS]
    if "plain" in figures:
        ratios = [p / o for p, o in zip(figures["plain"], figures["ours"], strict=True)]
        cells.append(f"{ratios[0]:.1f} / {ratios[1]:.1f}")
    else:
        cells.append("-")
    return _line(cells)


def _ms(*seconds: float) -> str:
    return " / ".join(f"{s * 1e3:.1f}" if s < 0.1 else f"{s * 1e3:.0f}" for s in seconds)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def machine() -> str:
    """Processor, cores, memory and versions."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if sys.platform == "linux" else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    memory_gb = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return (
        f"{names[0] if names else platform.processor()}, {os.cpu_count()} cores, "
        f"{torch.backends.cpu.get_cpu_capability()}, {memory_gb:.0f} GB, {platform.system()}; "
        f"Python {platform.python_version()}, torch {torch.__version__}"
    )


def limits_section(found: dict[str, Told]) -> list[str]:
    """What share of the machine a training step reaches."""
    lines = [
        "| a step, a patch | GFLOP | of the matrix peak | MB | of the memory peak |",
        "|---|---|---|---|---|",
    ]
    for precision, one in found.items():
        matrix = one["gflop"] / one["seconds"] / one["peak_gflops"]
        traffic = one["mb"] / 1e3 / one["seconds"] / one["peak_gbs"]
        matrix_told = f"{matrix:.0%} of {one['peak_gflops']:.0f} GFLOP/s"
        told = f"{traffic:.0%} of {one['peak_gbs']:.1f} GB/s"
        cells = [precision, f"{one['gflop']:.3f}", matrix_told, f"{one['mb']:.0f}", told]
        lines.append(_line(cells))
    return lines


def profile_section(found: dict[str, Told]) -> list[str]:
    """Where the time of a step goes."""
    lines = []
    for precision, one in found.items():
        lines += ["", f"A step in {precision}:", ""]
        lines += ["| operation | share | ms a patch |", "|---|---|---|"]
        for name, share, ms in one["operations"]:
            lines.append(_line([f"`{name}`", f"{share:.0%}", f"{ms:.2f}"]))
    return lines


def page(rounds: int) -> str:
    """The whole page."""
    processes = os.cpu_count() or 1
    rows = [row(name, beside(name, rounds, processes)) for name in ROWS]
    peaks = [f"{answer(child('memory', 'prepare', way))['mb']:.0f} MB" for way in WAYS]
    found = {p: answer(child("limits", p)) for p in ("float32", "bfloat16")}
    lines = [
        "# Speed",
        "",
        "Made by `make bench`. " + machine() + ".",
        "",
        f"{processes} processes side by side, one thread each, {rounds} rounds of ours and the "
        "plain way in turns: least / median, in ms. The plain way is [plain.py](plain.py): numpy, "
        "scipy and a torch DataLoader, in float32. The ratios are plain to ours, of the least and "
        "of the medians. Patches are of 128 px, the network is the published one (4 filters).",
        "",
        "| what | ours [ms] | plain [ms] | ratio |",
        "|---|---|---|---|",
        *rows,
        "",
        f"Preprocessing takes {peaks[0]} beside the image and its label (64 MB of it "
        f"a copy of the image), the plain way {peaks[1]}. "
        "The twin has no plain way: it is its own method.",
        "",
        "## What the machine could do",
        "",
        "The peaks are a product of matrices of 1024 x 1024 and a copy of 256 MB, on one core in "
        "the same run. MB are what operations read and write, as if nothing stayed in a cache: "
        "caches can make the share larger than all.",
        "",
        *limits_section(found),
        "",
        "## Where the time of a step goes",
        *profile_section(found),
        "",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> None:
    """Write the page; or, as a child, print what was asked for."""
    if not arguments or arguments[0] != "--child":
        PAGE.write_text(page(int(arguments[0]) if arguments else ROUNDS))
        print(f"written: {PAGE}")
        return
    torch.set_num_threads(1)
    what, name, *rest = arguments[1:]
    if what == "time":
        told: Told = timed(name, int(rest[0]))
    elif what == "memory":
        told = {"mb": memory(name, rest[0])}
    else:
        told = {**limits(name), "operations": operations(name)}
    print(json.dumps(told))


if __name__ == "__main__":
    main(sys.argv[1:])

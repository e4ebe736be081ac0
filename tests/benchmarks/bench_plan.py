"""Planning: seconds to expand and judge 100,000 jobs, and to write down their plan.

Run: python tests/benchmarks/bench_plan.py
"""

from __future__ import annotations

import time

from studyspec.plan.states import judge
from studyspec.spec.sections import StageSettings
from tests.plan.studies import dataset, expansion, record, variant

SETS = 40
VARIANTS = 13


def main() -> None:
    """Print the figures."""
    data = {f"d{i}": dataset(f"d{i}", 12) for i in range(SETS)}
    pairs = tuple((a, b) for a in data for b in data)
    settings = [
        StageSettings.model_validate({"training": {"epochs": i + 1}}) for i in range(VARIANTS)
    ]
    variants = [variant(pairs, f"v{i}", s) for i, s in enumerate(settings)]
    start = time.perf_counter()
    jobs = expansion(data, *variants).jobs
    expanded = time.perf_counter()
    judge(jobs, {}, lambda _: True, lambda _: "")
    judged = time.perf_counter()
    print(f"{len(jobs)} jobs: expanded {expanded - start:.1f} s, judged {judged - expanded:.1f} s")
    record(data, *variants)
    print(f"plan record (expanding once more): {time.perf_counter() - judged:.1f} s")


if __name__ == "__main__":
    main()

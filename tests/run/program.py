"""A runner as a program of its own, for tests that kill it: python -m tests.run.program ..."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from studyspec.run.runner import run
from studyspec.store.folder import Results
from tests.run.engines import options_of
from tests.run.workloads import study


def main() -> int:
    """Run a study: DATA RESULTS EPOCHS ENGINE NAMES; exit as the command line does."""
    # A shell that starts the tests in the background has them ignore this signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data, results, epochs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    options = options_of(sys.argv[4])
    try:
        summary = run(study(data, sys.argv[5], epochs=epochs), Results(results), options)
    except KeyboardInterrupt:
        return 130
    print(summary.done)
    return 1 if summary.failed or summary.blocked else 0


if __name__ == "__main__":
    sys.exit(main())

"""A runner as a program of its own, for tests that kill it: python -m tests.run.program ..."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

from studyspec.run.runner import Options, run
from studyspec.store.folder import Results
from tests.run.workloads import study


def main() -> int:
    """Run the study of DATA in RESULTS with EPOCHS on ENGINE; exit as the command line does."""
    # A shell that starts the tests in the background has them ignore this signal.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    data, results, epochs = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    options = Options(engine=sys.argv[4], workers=2 if sys.argv[4] == "local" else None)
    try:
        summary = run(study(data, epochs=epochs), Results(results), options)
    except KeyboardInterrupt:
        return 130
    print(summary.done)
    return 1 if summary.failed or summary.blocked else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a command does not need it does not import: a check takes no seconds for torch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

STUDY = Path(__file__).parents[2] / "studies" / "material.toml"


@pytest.mark.parametrize("command", ["check", "plan", "status"])
def test_what_only_looks_at_a_study_imports_no_torch_and_no_charts(
    command: str, tmp_path: Path
) -> None:
    code = (
        "import sys; from studyspec import api\n"
        f"api.{command}({str(STUDY)!r}, None, api.Workplace({str(tmp_path)!r}))\n"
        "print(sorted({'torch', 'altair', 'scipy.stats', 'tifffile'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"

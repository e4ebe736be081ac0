"""Throw-away environments: the packages of this one, and distributions of plug-ins beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Environment:
    """A virtual environment that sees the packages of the one that runs the tests."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, *packages: str) -> Environment:
        """An environment with some of the packages in this folder installed."""
        venv.create(folder, with_pip=False)
        made = cls(folder)
        outer = sysconfig.get_path("purelib")
        inner = next(folder.glob("lib/python*/site-packages"))
        (inner / "outer.pth").write_text(f"import site; site.addsitedir({outer!r})\n")
        for package in packages:
            source = folder / "source" / package
            shutil.copytree(HERE / package, source)
            made.pip("install", "--no-deps", "--no-build-isolation", str(source))
        return made

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.folder / "bin" / "python"

    def pip(self, *arguments: str) -> None:
        """Run pip on it."""
        command = [sys.executable, "-m", "pip", "--python", str(self.python), *arguments]
        subprocess.run([*command, "--quiet"], check=True, capture_output=True)

    def run(self, script: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run a line of Python in it."""
        command = [str(self.python), "-c", script]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)

    def studyspec(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        """Run the command line in it."""
        return subprocess.run(
            [str(self.python), "-m", "studyspec", *arguments],
            cwd=cwd,
            env={**os.environ, "COLUMNS": "200"},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )

"""Records are signed and verified by the real `ssh-keygen`."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from studyspec.errors import StoreError
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.signatures import sign, verify
from tests.cli.projects import studyspec
from tests.store.results_folders import dataset, variant, write_study

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="want of ssh-keygen")


def new_key(folder: Path, name: str) -> Path:
    """A key without a passphrase; the public one ends on .pub."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True)
    return path


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "keys", "ada")


@pytest.fixture
def allowed(key: Path) -> Path:
    path = key.parent / "allowed"
    path.write_text(f"ada@lab {key.with_suffix('.pub').read_text()}")
    return path


@pytest.fixture
def signed(results: Results, key: Path) -> Results:
    for name in ("one", "two"):
        write_study(results, [dataset("Au")], variant(["Au"]), name=name)
    assert sign(results, key) == 2
    return results


def test_a_signed_record_is_its_signers(signed: Results, allowed: Path, key: Path) -> None:
    assert [(s.standing, s.signer) for s in verify(signed, allowed)] == [("signed", "ada@lab")] * 2
    assert sign(signed, key) == 0
    assert ingest(signed) == 2


def test_a_changed_record_and_one_of_another_signature_are_broken(
    signed: Results, allowed: Path
) -> None:
    one, two = sorted(signed.records.glob("*.json"))
    one.write_text(one.read_text().replace("small", "large") + "\n")
    shutil.copy(f"{one}.sig", f"{two}.sig")
    assert {found.standing for found in verify(signed, allowed)} == {"broken"}


def test_who_is_not_allowed_is_unknown_and_what_is_not_signed_is_told(
    signed: Results, allowed: Path, tmp_path: Path
) -> None:
    other = new_key(tmp_path / "keys", "eve")
    write_study(signed, [dataset("Ag")], variant(["Ag"]), name="eves")
    assert sign(signed, other) == 1
    write_study(signed, [dataset("Pt")], variant(["Pt"]), name="nobodys")
    told = studyspec(
        tmp_path, "records", "verify", "--allowed", str(allowed), "--results", str(signed.folder),
        expect=1,
    )  # fmt: skip
    lines = [line.split() for line in told.stdout.splitlines()[2:]]
    assert lines == [["signed", "ada@lab", "2"], ["unknown", "1"], ["unsigned", "1"]]


def test_what_cannot_be_used_is_named(signed: Results, tmp_path: Path) -> None:
    write_study(signed, [dataset("Ag")], variant(["Ag"]), name="three")
    with pytest.raises(StoreError, match=r"no-key: records cannot be signed: .*name a private SSH"):
        sign(signed, tmp_path / "no-key")
    with pytest.raises(StoreError, match="nobody: no file of allowed signers"):
        verify(signed, tmp_path / "nobody")

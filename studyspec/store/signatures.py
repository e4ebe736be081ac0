"""Signatures of records by SSH keys, made and verified by `ssh-keygen -Y`, as git does.

A signature lies beside its record, as `RECORD.sig`, and travels with it. No cryptography is done
here. Who may sign is told by a file of allowed signers, one a line: a name, and a public key.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from studyspec.errors import StoreError
from studyspec.store.folder import Results
from studyspec.store.records import record_names

NAMESPACE = "studyspec"
"""Signatures of this tool are no signatures of mails or commits."""
PART = 200
SUFFIX = ".sig"

Standing = Literal["signed", "unsigned", "unknown", "broken"]


@dataclass(frozen=True)
class Signature:
    """How a record is signed.

    Attributes
    ----------
    record
        The name of its file.
    standing
        `signed` by an allowed signer, `unknown`: by another, `broken`: it is of another record or
        another content, or `unsigned`.
    signer
        The name of the allowed signer.
    """

    record: str
    standing: Standing
    signer: str = ""


def sign(results: Results, key: Path) -> int:
    """Sign every record that bears no signature yet; how many.

    Parameters
    ----------
    key
        A private SSH key, or the public one of a key that the agent holds.

    Raises
    ------
    StoreError
        If the key cannot be used, or there is no `ssh-keygen`.
    """
    names = sorted(record_names(results))
    bare = [name for name in names if not _signature(results, name).exists()]
    for start in range(0, len(bare), PART):
        paths = [str(results.records / name) for name in bare[start : start + PART]]
        done = _ssh_keygen("sign", ["-f", str(key), *paths])
        if done.returncode:
            why = done.stderr.decode(errors="replace").strip().splitlines()
            raise StoreError(
                f"records cannot be signed: {why[-1] if why else 'ssh-keygen failed'}",
                where=str(key),
                hint="name a private SSH key, as ~/.ssh/id_ed25519",
            )
    return len(bare)


def verify(results: Results, allowed: Path) -> tuple[Signature, ...]:
    """How each record is signed, by those whom a file of allowed signers names.

    Raises
    ------
    StoreError
        If that file is not there, or there is no `ssh-keygen`.
    """
    if not allowed.is_file():
        raise StoreError(
            "no file of allowed signers",
            where=str(allowed),
            hint="write one: a name and a public SSH key a line",
        )
    return tuple(_verified(results, name, allowed) for name in sorted(record_names(results)))


def _verified(results: Results, name: str, allowed: Path) -> Signature:
    signature = _signature(results, name)
    if not signature.exists():
        return Signature(name, "unsigned")
    seal = ["-f", str(allowed), "-s", str(signature)]
    found = _ssh_keygen("find-principals", seal)
    if found.returncode:
        return Signature(name, "unknown")
    signer = found.stdout.decode(errors="replace").splitlines()[0]
    content = (results.records / name).read_bytes()
    done = _ssh_keygen("verify", [*seal, "-I", signer], content)
    return Signature(name, "broken" if done.returncode else "signed", signer)


def _signature(results: Results, name: str) -> Path:
    return results.records / f"{name}{SUFFIX}"


def _ssh_keygen(
    what: str, words: Sequence[str], content: bytes = b""
) -> subprocess.CompletedProcess[bytes]:
    space = [] if what == "find-principals" else ["-n", NAMESPACE]
    command = ["ssh-keygen", "-Y", what, *space, *words]
    try:
        return subprocess.run(command, input=content, capture_output=True, check=False)
    except FileNotFoundError:
        hint = "install OpenSSH, 8.2 at least"
        raise StoreError("there is no `ssh-keygen` here", hint=hint) from None

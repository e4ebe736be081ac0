"""Signing records, and telling whose they are."""

from __future__ import annotations

from pathlib import Path

from studyspec.api.workplace import RESULTS, AnyPath, results_in
from studyspec.store import signatures
from studyspec.store.signatures import Signature

__all__ = ["Signature", "sign", "verify"]


def sign(key: AnyPath, results: AnyPath = RESULTS) -> int:
    """Sign every record that bears no signature yet with an SSH key; how many.

    Raises
    ------
    StoreError
        If the key cannot be used, or there is no `ssh-keygen`.
    """
    return signatures.sign(results_in(results), Path(key).expanduser())


def verify(allowed: AnyPath, results: AnyPath = RESULTS) -> tuple[Signature, ...]:
    """How each record is signed, by those whom a file of allowed signers names.

    Raises
    ------
    StoreError
        If that file is not there, or there is no `ssh-keygen`.
    """
    return signatures.verify(results_in(results), Path(allowed).expanduser())

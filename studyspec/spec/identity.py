"""Identity: canonical JSON and its SHA-256. The same values always give the same key."""

from __future__ import annotations

import hashlib
import json

ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)
"""Made once: `json.dumps` makes one at each call."""


def canonical_json(value: object) -> str:
    """JSON with sorted keys, no spaces and no NaN; numbers as Python prints them."""
    return ENCODER.encode(value)


def digest(value: object) -> str:
    """SHA-256 (hex, 64 characters) of the canonical JSON of `value`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()

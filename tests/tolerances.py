"""Tolerances: they follow from the precision, so that tests pass on every processor."""

from __future__ import annotations

PROBABILITY = 1e-4
"""Of a probability that a network computes in float32, in whatever order it adds."""
RELATIVE = 1e-4
"""Of a sum or a logit computed in float32, relative to its size."""
BFLOAT16 = 1e-2
"""Of a mean over pixels that a network computes in bfloat16, of 8 bits, relative to its size."""

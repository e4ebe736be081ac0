"""A small network on disk that says at which scale it was trained, and images for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from studyspec.learn.building import build, default_model
from studyspec.learn.conditions import Conditions
from studyspec.learn.networks import Description, NetworkFile, identify
from studyspec.learn.weights import save
from studyspec.spec.foreign import ForeignNetwork


def network(folder: Path, seed: int = 0, scale_nm: float | None = 0.02) -> NetworkFile:
    """An untrained network of the published layout."""
    model = default_model()
    scales = () if scale_nm is None else (scale_nm,)
    said = Description(model=model, conditions=Conditions(pixel_scale_nm=scales, material=("Au",)))
    path = folder / f"net{seed}.safetensors"
    save(build(model, seed).state_dict(), path, said)
    return identify(path.stem, ForeignNetwork(weights=str(path)), Path("/"))


def image(folder: Path, size: int = 96, seed: int = 0) -> Path:
    """Counts around 100."""
    path = folder / f"image{seed}.npy"
    np.save(path, np.random.default_rng(seed).poisson(100, (size, size)).astype(np.uint16))
    return path

"""Arguments as a study file: what `studyspec test` was asked, as a person would have written it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from pydantic import JsonValue

from studyspec.api.preparing import Preparation
from studyspec.api.tested_images import TestImages
from studyspec.learn.networks import NetworkFile
from studyspec.store.folder import Results

PREFIX = "test-"
"""Names of studies that were written from arguments begin with it."""


def as_study(
    images: TestImages,
    networks: Mapping[str, NetworkFile],
    prepared: Mapping[str, Preparation],
    results: Results,
) -> str:
    """The study of a test; its project is the folder that holds the results."""
    name = images.name
    wanted = images.filter.model_dump(mode="json", by_alias=True, exclude_none=True)
    dataset = name if name not in networks else f"{name} (images)"
    lines = [
        f"# Written by `studyspec test`, which replaces it: networks on {name}.",
        "[study]",
        f"name = {_text(PREFIX + name)}",
        f"question = {_text(f'Which of these networks find the particles of {name}?')}",
        "",
        "[catalog]",
        f"path = {_text(_below(images.catalog.absolute(), results.folder.parent))}",
        f"collection = {_text(str(images.filter.collection))}",
        "",
        f"[datasets.{_text(dataset)}]",
        *(f"{_text(key)} = {_value(value)}" for key, value in wanted.items()),
    ]
    for network, file in networks.items():
        lines += [
            "",
            f"[networks.{_text(network)}]",
            f"weights = {_text(str(file.file))}",
            f"preprocess = {_value(dict(prepared[network].tables))}",
        ]
    lines += [
        "",
        "[preprocess]",
        "patch = { min_particle_px = 0, empty = true }",
        "",
        "[matrix]",
        f"train = {_value(list(networks))}",
        f"test = {_value([dataset])}",
        "",
        "[evaluation]",
        "dihedral = false",
        "false_particles = {}",
        "particles = {}",
    ]
    return "\n".join(lines) + "\n"


def _below(path: Path, folder: Path) -> str:
    """A path relative to a folder that it lies below, else whole."""
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)


def _text(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _value(value: JsonValue) -> str:
    """A value as TOML."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{_text(k)} = {_value(v)}' for k, v in value.items())} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return _text(value) if isinstance(value, str) else repr(value)

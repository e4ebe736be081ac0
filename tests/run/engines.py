"""Engines as tests use them: each with settings that suit this machine."""

from __future__ import annotations

from studyspec.plugins.contracts import EngineKind
from studyspec.plugins.registry import ENGINES
from studyspec.plugins.settings import Settings
from studyspec.run.runner import Options
from tests.slurm_cluster import SETTINGS

CHOSEN: dict[str, Settings] = {"slurm": SETTINGS}
"""Settings of those that need any."""


def options_of(name: str, devices: tuple[str, ...] = ()) -> Options:
    """Options for an engine: two workers at most."""
    workers = 2 if name == "local" and not devices else None
    return Options(engine=name, workers=workers, devices=devices, settings=CHOSEN.get(name))


def kind_of(name: str) -> EngineKind:
    """The kind of an engine, with its settings."""
    kind = ENGINES.get(name)
    return kind.configured(CHOSEN[name]) if name in CHOSEN else kind

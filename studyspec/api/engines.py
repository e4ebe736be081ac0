"""Engines as a user has set them up, and the workers that they have started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from studyspec.api.workplace import RESULTS, AnyPath, results_in
from studyspec.errors import PluginError, RunError
from studyspec.plugins.registry import ENGINES
from studyspec.run import runner, runners
from studyspec.run.guarded import engine_kind
from studyspec.run.queue import published, withdraw
from studyspec.run.runner import Options
from studyspec.run.workforce import hired
from studyspec.spec.loading import load
from studyspec.spec.site import FILE, engine_settings
from studyspec.store.folder import Results


@dataclass(frozen=True)
class Cancelled:
    """What `cancel` did: how many jobs it took back, how many workers it stopped."""

    jobs: int
    workers: int


def equipped(options: Options, studies: Sequence[tuple[AnyPath, str | None]]) -> Options:
    """Options with the settings of their engine, as `studyspec.toml` has them.

    That is one beside the catalog of the first study, over one in the user's configuration folder.

    Raises
    ------
    SpecError
        If such a file says what cannot be.
    RunError, PluginError
        If there is no such engine, or it cannot do what is asked for.
    """
    from platformdirs import user_config_path

    if options.settings is None:
        kind = engine_kind(options.engine).plugin
        files = [user_config_path("studyspec") / FILE]
        for study, profile in studies[:1]:
            loaded = load(Path(study), profile)
            files.append((loaded.root / loaded.study.catalog.path).parent / FILE)
        settings = engine_settings(options.engine, kind.settings, files, ENGINES.names)
        options = replace(options, settings=settings)
    runner.engine_of(options)
    return options


def workers(results: Results) -> tuple[str, ...]:
    """How the workers of a results folder are, in their engines' words: a line for each kind."""
    told: Counter[str] = Counter()
    by_engine: dict[str, list[str]] = {}
    for worker in hired(results):
        by_engine.setdefault(worker.place.partition("@")[0], []).append(worker.handle)
    for engine, handles in by_engine.items():
        try:
            looks = engine_kind(engine).plugin.look(handles)
        except (RunError, PluginError):
            continue
        told.update(f"{engine}: {text}" for text in looks.values())
    return tuple(f"{n} {text}" if n > 1 else text for text, n in told.items())


def cancel(results: AnyPath = RESULTS) -> Cancelled:
    """Take back every published job of a results folder, and stop the workers that do them.

    Raises
    ------
    RunError
        If a run goes on there: it would start others.
    """
    place = results_in(results)
    if runners.any_alive(place):
        raise RunError(
            "a run goes on here", where=str(place.folder), hint="stop it with Ctrl-C where it runs"
        )
    jobs = published(place)
    withdraw(place, jobs)
    runners.forget(place)
    stopped = 0
    for name in {worker.place.partition("@")[0] for worker in hired(place)}:
        engine = engine_kind(name).plugin.make()
        ours = [worker for worker in hired(place) if worker.place == engine.place]
        alive = engine.alive([worker.handle for worker in ours])
        engine.cancel(alive)
        stopped += len(alive)
    return Cancelled(len(jobs), stopped)

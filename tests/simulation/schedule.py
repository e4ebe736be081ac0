"""Schedules: what befalls a world, drawn from its seed, and what must be true at its end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from studyspec.errors import DatabaseBusy, StudySpecError
from studyspec.jobs.stages import Job
from studyspec.run.events import Event, Summary
from studyspec.store.folder import Results
from studyspec.store.records import record_names
from tests.simulation.actors import FOLDER, result_of, runner
from tests.simulation.world import Killed, Node, World

TROUBLE_S = 60.0
"""So long things go wrong; then a run must come to its end [s]."""
TROUBLES = ("kill", "kill", "pause", "interrupt", "clock", "disk clock", "full", "power")
PLACE = Results(FOLDER)


@dataclass
class Story:
    """What happened in a world, as far as its end is judged by it."""

    world: World
    jobs: Sequence[Job]
    kept: set[str] = field(default_factory=set)
    taken_in: set[str] = field(default_factory=set)
    lost_power: bool = False
    troubles: Counter[str] = field(default_factory=Counter)


def simulate(seed: int, jobs: Sequence[Job]) -> Story:
    """Let a world run to its end, and check what must be true.

    Raises
    ------
    AssertionError
        If it is not, or the world does not end.
    """
    story = Story(World(seed), jobs)
    try:
        _live(story)
        _check(story)
    except AssertionError as error:
        told = ", ".join(f"{n} {what}" for what, n in story.troubles.items())
        raise AssertionError(f"seed {seed} ({told}): {error}") from error
    finally:
        story.world.end()
    return story


def _live(story: Story) -> None:
    """A user who runs the study, and runs it again whenever that ended before all was done."""
    world = story.world
    state = {"next": world.rng.uniform(0.5, 6.0)}

    def take_in(results: Results, _patience_s: float) -> int:
        if world.now < TROUBLE_S and world.rng.random() < 0.2:
            raise DatabaseBusy("held")
        names = record_names(results)
        story.taken_in |= names
        return len(names)

    def told(_event: Event) -> None:
        story.kept |= {name for name in _records(story) if _whole(story, name)}

    def meanwhile() -> None:
        if world.now > state["next"]:
            state["next"] = world.now + world.rng.uniform(0.5, 8.0)
            if world.disk.full:
                world.disk.full = False
            elif world.now < TROUBLE_S:
                _befall(story)

    rest = (story.jobs, take_in, told)
    after_s = 0.0
    while True:
        run = runner(world, world.rng.choice(world.hosts), *rest, after_s)
        running = [run]
        if world.rng.random() < 0.2:
            running.append(runner(world, world.rng.choice(world.hosts), *rest))
        world.run(running, meanwhile)
        for node in running:
            _expected(node)
        ended = run.answer
        if isinstance(ended, Summary) and not ended.failed and not ended.blocked:
            return
        after_s = world.rng.uniform(1.0, 20.0)


def _expected(node: Node) -> None:
    """A process ends as it should, is killed, or fails for want of its disk."""
    if isinstance(node.answer, BaseException):
        fine = (Killed, KeyboardInterrupt, OSError, StudySpecError)
        assert isinstance(node.answer, fine), repr(node.answer)


def _befall(story: Story) -> None:
    """Something goes wrong."""
    world, rng = story.world, story.world.rng
    what = rng.choice(TROUBLES)
    living = world.live()
    if what == "power" and rng.random() < 0.6:
        return
    story.troubles[what] += 1
    if what == "power":
        for node in living:
            world.kill(node)
        world.disk.lose_power()
        story.lost_power = True
    elif what == "kill" and living:
        world.kill(rng.choice(living))
    elif what == "pause" and living:
        rng.choice(living).stopped_until = world.now + rng.choice((3.0, 30.0))
    elif what == "interrupt":
        for node in living:
            if node.name == "runner":
                node.signal = _interrupt
    elif what == "clock":
        rng.choice(world.hosts).off_s += rng.choice((-1, 1)) * rng.uniform(1, 1e6)
    elif what == "disk clock":
        world.disk_off_s += rng.choice((-1, 1)) * rng.uniform(1, 1e5)
    elif what == "full":
        world.disk.full = True


def _interrupt() -> None:
    raise KeyboardInterrupt


def _records(story: Story) -> list[str]:
    folder = f"{PLACE.records}/"
    names = [p.removeprefix(folder) for p in story.world.disk.paths() if p.startswith(folder)]
    return sorted(name for name in names if not name.startswith("."))


def _whole(story: Story, name: str) -> bool:
    return story.world.disk.content(PLACE.records / name).endswith(b"}\n")


def _check(story: Story) -> None:
    """Every result is there, none is lost or invented, and none was come by twice for nothing.

    Twice it may be where a process was silent for so long that its job was given to another, where
    a result was not yet to be seen from another host, and where power was lost: it counts once, by
    the rule that chooses among records.
    """
    wanted = {job.key: job for job in story.jobs}
    done: Counter[str] = Counter()
    for name in _records(story):
        assert _whole(story, name), f"{name} is cut short"
        record = json.loads(story.world.disk.content(PLACE.records / name))
        key = record["key"]
        assert name == f"{key}.{record['uuid']}.json", f"{name} is of another job"
        assert key in wanted, f"{name} is of no job"
        if record["status"] == "done":
            done[key] += 1
            expected = json.loads(json.dumps(result_of(wanted[key]).written()))
            assert record["result"] == expected, f"{name} holds another result"
    for key, job in wanted.items():
        assert done[key] > 0, f"{job.title} is not done"
    again = [wanted[key].title for key, n in done.items() if n > 1]
    excused = story.lost_power or story.troubles["pause"] or story.world.disk.delay_s
    assert not again or excused, f"done twice: {again}"
    told = story.world.written | (set() if story.lost_power else story.kept)
    gone = told - set(_records(story))
    assert not gone, f"lost: {sorted(gone)}"

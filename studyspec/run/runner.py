"""The runner: a loop that publishes jobs, keeps workers alive and collects what they record.

It holds nothing that the records and the `run/` folder do not hold too: it can be killed at any
moment and started again, and several may serve one results folder. Knows no study and no torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from studyspec.errors import BudgetOver, Interrupted, RunError, StoreError
from studyspec.jobs.stages import Job
from studyspec.jobs.task import Result
from studyspec.plugins.contracts import Engine, EngineKind
from studyspec.plugins.registry import Found
from studyspec.plugins.settings import Settings
from studyspec.run import leases, runners
from studyspec.run.attempts import Attempt, Outcome, has_record, write_lost, write_outcome
from studyspec.run.board import Board
from studyspec.run.events import Event, Kind, Listener, Summary
from studyspec.run.guarded import GuardedEngine, devices_of, engine_kind
from studyspec.run.intake import Intake, TakeIn
from studyspec.run.interrupts import heeded
from studyspec.run.queue import publish, published, ticket_of, withdraw
from studyspec.run.watch import Sign, Watch
from studyspec.run.workforce import Workforce
from studyspec.store.folder import Results
from studyspec.store.ingest import ingest
from studyspec.store.record_file import read_record
from studyspec.store.records import KeyStatus, RecordIndex

POLL_S = 0.1
CARE_S = 1.0
"""Workers, leases and job files are looked after this often [s]."""
PARTING_S = 4.0
"""Idle workers end by themselves; the runner waits for its own no longer than this [s]."""


@dataclass(frozen=True)
class Options:
    """How to run.

    Parameters
    ----------
    engine
        Name of the engine that starts workers.
    workers
        How many; default: as the engine says.
    devices
        The devices to use, one worker each; default: as the engine says.
    retry_failed
        Try again what failed in earlier runs.
    time_limit_s
        Longest time for one attempt at one job [s].
    redo
        Keys of done jobs whose artifact is missing and needed.
    deadline
        When to stop with what is done, by the clock `time.monotonic` [s].
    settings
        Of the engine, if it has any; default: its defaults.
    max_running
        How many workers run at once, where the engine has more of them waiting.
    detach
        Leave as soon as there are workers: they go on by themselves.
    """

    engine: str = "local"
    workers: int | None = None
    devices: tuple[str, ...] = ()
    retry_failed: bool = False
    time_limit_s: float | None = None
    redo: frozenset[str] = field(default_factory=frozenset)
    deadline: float | None = None
    settings: Settings | None = None
    max_running: int | None = None
    detach: bool = False


def run(
    jobs: Sequence[Job],
    results: Results,
    options: Options | None = None,
    on_event: Listener | None = None,
    index: RecordIndex | None = None,
) -> Summary:
    """Do every job that is not done yet, needed ones first.

    Parameters
    ----------
    jobs
        The jobs of a plan, in its order.
    results
        Where records and artifacts go.
    options
        Engine, workers, devices, time limit, what to do with earlier failures.
    on_event
        Is told what happens.
    index
        Of the records of `results`, if there is one already.

    Raises
    ------
    RunError
        If the engine or a device is unknown, the engine cannot do what is asked for, or the workers
        cannot work.
    PluginError
        If the engine is another package's and fails.
    BudgetOver
        At the deadline, as after an interrupt.
    Interrupted
        After a Ctrl-C, SIGTERM or SIGHUP, when the own workers have saved their checkpoints and
        given back their jobs; it names those that nothing could end.
    """
    options = options or Options()
    kind = engine_of(options)
    one = Run(jobs, index or RecordIndex(results), options, on_event or (lambda _: None))
    if not one.open:
        return one.finish()
    return one.go(GuardedEngine(kind), devices_of(kind, options.devices, options.workers))


def engine_of(options: Options) -> Found[EngineKind]:
    """The kind of engine that the options name.

    Raises
    ------
    RunError
        If there is none, or it cannot do what is asked for.
    PluginError
        If it was left out, or fails.
    """
    kind = _configured(engine_kind(options.engine), options)
    if options.detach and not kind.plugin.lasting:
        raise RunError(
            f"workers of the engine '{options.engine}' end with their runner",
            hint="leave --detach out, or run on another engine",
        )
    if options.time_limit_s is not None and not kind.plugin.limits_time:
        raise RunError(
            f"the engine '{options.engine}' stops no job for its time",
            hint="leave --time-limit out, or run on another engine",
        )
    if options.devices:
        devices_of(kind, options.devices, options.workers)
    return kind


def _configured(kind: Found[EngineKind], options: Options) -> Found[EngineKind]:
    """The kind with its settings, and what the options change of them."""
    settings = options.settings or kind.plugin.settings()
    if options.max_running is not None:
        if "max_running" not in type(settings).model_fields:
            raise RunError(
                f"the engine '{options.engine}' has no queue to hold workers back in",
                hint="leave --max-running out; --workers says how many there are",
            )
        settings = settings.model_copy(update={"max_running": options.max_running})
    return replace(kind, plugin=kind.plugin.configured(settings))


class Run:
    """One run: the board of its jobs, and what has been told of them.

    `take_in` brings the database up to date.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        index: RecordIndex,
        options: Options,
        on_event: Listener,
        take_in: TakeIn = ingest,
    ) -> None:
        self._results, self._options, self._on_event = index.results, options, on_event
        self._machine = self._results.machine
        self._began = self._machine.monotonic()
        self._index = index
        self._hearing = leases.Hearing(self._machine)
        self._intake = Intake(self._results, take_in)
        self._board = Board(self._index.holds)
        self._jobs: dict[str, Job] = {}
        self._failures: dict[str, int] = {}
        self._blocked: set[str] = set()
        self._worked: set[str] = set()
        self._settled = 0
        self._put_up(jobs, self._index.statuses())
        self._judge()

    @property
    def open(self) -> list[str]:
        """Keys of the jobs that are ready or may become so, in the order of the plan."""
        states = self._board.states
        return [key for key in self._jobs if states[key] in ("waiting", "ready")]

    def go(self, engine: Engine, devices: Sequence[str]) -> Summary:
        """Run until every job has ended."""
        workforce = Workforce(self._results, engine, devices)
        with heeded():
            try:
                with runners.present(self._results):
                    if self._options.detach:
                        self._leave(workforce)
                    else:
                        self._loop(workforce)
            except BaseException as reason:
                withdraw(self._results, self._jobs)
                left = workforce.dismiss()
                self._give_back()
                if isinstance(reason, KeyboardInterrupt | BudgetOver):
                    self._intake.end()
                if isinstance(reason, KeyboardInterrupt):
                    raise Interrupted(left) from None
                raise
        return self.finish()

    def finish(self) -> Summary:
        """Bring the database up to date and count."""
        self._intake.end()
        states = Counter(self._board.states.values())
        seconds = self._machine.monotonic() - self._began
        return Summary(states["done"], states["failed"], states["blocked"], seconds)

    def _put_up(self, jobs: Sequence[Job], statuses: Mapping[str, KeyStatus]) -> None:
        """Put on the board what is not known, and what has to be done again."""
        for number, job in enumerate(jobs):
            status = statuses.get(job.key)
            known = status is not None and status.done
            if known and job.key not in self._options.redo:
                continue
            failures = 0 if status is None else status.failures
            mended = status is not None and status.mended
            forgiven = failures if known or mended or self._options.retry_failed else 0
            self._jobs[job.key] = job
            self._failures[job.key] = failures
            self._board.add(ticket_of(job, number, forgiven, self._options.time_limit_s))

    def _loop(self, workforce: Workforce) -> None:
        watch = Watch(self._results)
        cared = float("-inf")
        while still_open := self.open:
            now = self._machine.monotonic()
            if self._options.deadline is not None and now > self._options.deadline:
                raise BudgetOver("the budget is over", hint="what is done is kept")
            if now - cared > CARE_S:
                cared = now
                self._care(still_open, workforce)
            self._intake.tend()
            for sign in watch.news(self._jobs.keys()):
                self._tell_sign(sign)
            self._machine.sleep(POLL_S)
            workforce.tend()
            self._judge()
            workforce.praise(self._worked)
            self._worked.clear()
        withdraw(self._results, self._jobs)
        workforce.part(PARTING_S)

    def _leave(self, workforce: Workforce) -> None:
        """See to it that there are workers for what is published, and wait for nothing."""
        for lease in leases.expire(self._results, self._hearing):
            write_lost(self._results, lease)
        still_open = self.open
        publish(self._results, ((self._jobs[k], self._board.tickets[k]) for k in still_open))
        runners.leave(self._results, still_open)
        workforce.keep(len(still_open))

    def _care(self, still_open: Sequence[str], workforce: Workforce) -> None:
        """Bury the leases of the dead, see to the workers, publish what is not there."""
        for lease in leases.expire(self._results, self._hearing):
            write_lost(self._results, lease)
            workforce.end(lease.owner)
        workforce.keep(len(still_open))
        there = published(self._results)
        missing = [key for key in still_open if key not in there]
        publish(self._results, ((self._jobs[k], self._board.tickets[k]) for k in missing))

    def _give_back(self) -> None:
        """What workers of this run held that had to be ended was not their failure."""
        for lease in leases.expire(self._results, self._hearing):
            if lease.key in self._jobs and not has_record(self._results, lease):
                attempt = Attempt.of(lease, self._jobs[lease.key])
                write_outcome(self._results, attempt, Outcome("preempted"))
            else:
                write_lost(self._results, lease)

    def _tell_sign(self, sign: Sign) -> None:
        if sign.idle_s is not None:
            event = replace(self._event("hung", sign.key), seconds=sign.idle_s)
        else:
            if sign.progress:
                self._worked.add(sign.device)
            kind: Kind = "progress" if sign.progress else "started"
            event = replace(self._event(kind, sign.key), progress=sign.progress)
        self._on_event(replace(event, device=sign.device))

    def _judge(self) -> None:
        """Look at the records; tell what is new in them."""
        statuses = self._index.statuses()
        settled = self._board.update(statuses)
        self._settled = len(self._jobs) - len(self.open)
        for ticket in settled:
            status = statuses[ticket.key]
            if self._board.states[ticket.key] == "done":
                self._tell_done(ticket.key, status)
            else:
                self._tell_failure("failed", ticket.key, status)
        for key, state in self._board.states.items():
            if state in ("waiting", "ready") and key in statuses:
                if statuses[key].failures > self._failures[key]:
                    self._tell_failure("again", key, statuses[key])
            elif state == "blocked" and key not in self._blocked:
                self._blocked.add(key)
                event = self._event("blocked", key)
                self._on_event(replace(event, message=self._hindrance(key)))

    def _hindrance(self, key: str) -> str:
        for need in self._jobs[key].needs:
            if self._board.states.get(need) in ("failed", "blocked"):
                return f"it needs '{self._jobs[need].title}'"
        return "it needs a result that is neither here nor planned"

    def _tell_done(self, key: str, status: KeyStatus) -> None:
        assert status.path is not None
        seconds: float | None = None
        result: Result | None = None
        with suppress(StoreError):  # deleted meanwhile: it is done all the same
            record = read_record(status.path, self._machine)
            seconds, result = record.head.seconds, record.parsed(self._jobs[key].task.result)
            self._worked |= {record.head.device or ""}
        self._on_event(replace(self._event("done", key), seconds=seconds, result=result))

    def _tell_failure(self, kind: Kind, key: str, status: KeyStatus) -> None:
        self._failures[key] = status.failures
        log = self._results.folder / status.last_log if status.last_log else None
        self._on_event(replace(self._event(kind, key), message=status.last_message, log=log))

    def _event(self, kind: Kind, key: str) -> Event:
        return Event(kind, self._jobs[key], self._settled, len(self._jobs))

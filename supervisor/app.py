"""App: the composition root. One thread, one poller, one tick; it performs what the pure cores decide.

Order of start: folders (0700, checked) -> locks -> store -> sockets -> READY -> workers. Locks come before sockets,
because binding an ipc path takes it away from a living supervisor without a word.
"""

import contextlib
import logging
import os
import secrets
import signal
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from msgspec import structs

from ..protocol.addresses import CONTROL, EVENTS, INGEST, SNAPSHOT, address
from ..protocol.channel import Poll
from ..protocol.event import Snapshot
from .aggregator.aggregator import Aggregator
from .aggregator.health import HealthBook
from .aides import Aide
from .answers import Answers
from .clock import EARLY_SECONDS, Moment, Ticks
from .config import Config
from .control import Control
from .crew.crew import Crew
from .crew.guard import Guard
from .crew.logbook import Logbook
from .crew.roster import Roster
from .enrol import Enrolment
from .errors import SupervisorError
from .hire import STORAGE_RETRY_SECONDS, Hiring
from .intake import Intake
from .keeper import Keeper
from .premises import Premises
from .reload import compare
from .service.notify import Notify
from .signals import Signals, has_terminal
from .store import Store
from .voice import GATHER_SECONDS, Voice

log = logging.getLogger("bellboard")

SOCKETS = (EVENTS, INGEST, SNAPSHOT, CONTROL)

TICK_SECONDS = 0.25
"""Between two ticks while anything is under way, and after anything came in. Else there is one with each heartbeat."""
STAGGER_SECONDS = 0.05
MEASURE_SECONDS = 2.0
PENDING_SECONDS = 0.01
"""While somebody waits for pages of a snapshot that could not be sent at once."""


class Supervisor:
    """A whole board: `open`, then `run` until told to stop, then `close`. Also a context manager.

    `reread` reads the configuration again, for a reload; without it there is none. `notify` tells the service manager.
    """

    def __init__(
        self,
        config: Config,
        reread: Callable[[], Config] | None = None,
        notify: Notify | None = None,
        aides: Sequence[Aide] = (),
    ) -> None:
        self.config = config
        self._reread = reread
        self._notify = notify or Notify({})
        self._aides = aides
        self._terminal = has_terminal()
        self.book = HealthBook(config.thresholds, os.path.expanduser("~"), config.privacy)
        self.aggregator = Aggregator(secrets.token_hex(8), config.rules)
        self.roster = Roster(config.policy, config.patience)
        self._ticks = Ticks(time.monotonic())
        self._premises = Premises(config.runtime_dir, config.state_dir)
        self._held = contextlib.ExitStack()
        self._held.callback(self._premises.close)
        self._leaving = False
        self._measure_at = self._storage_retry_at = 0.0

    def open(self) -> None:
        """Make folders, take the locks, load the store, bind. Raises SupervisorError or AddressError."""
        config = self.config
        addresses = {name: address(config.runtime_dir, name) for name in SOCKETS}
        self._premises.claim()
        self._store = Store(config.state_dir, kept=config.privacy == "full")
        self._held.callback(self._store.close)
        self._keeper = Keeper(self._store, self.aggregator, self.book, self.roster, self._premises.claim_state)
        self._enrolment = Enrolment(self._store, self.aggregator, self.book, self.roster)
        self._load()
        self._poll = Poll()
        self._held.callback(self._premises.clear, SOCKETS)
        before = os.umask(0o177)
        try:
            self._voice = Voice(addresses[EVENTS])
            self._held.callback(self._voice.channel.close)
            lasting = None if config.state_dir is None else self._store
            self._intake = Intake(
                addresses[INGEST], self.aggregator, lasting, self.book, self.roster, self._voice, config.work.credit
            )
            self._held.callback(self._intake.channel.close)
            logbook = Logbook(None if config.state_dir is None else os.path.join(config.state_dir, "logs"))
            self._crew = Crew(
                self.roster, self._poll, self._intake.say, self._intake.parted, config.runtime_dir, logbook
            )
            self._held.callback(self._crew.close)
            self._hiring = Hiring(self._store, self.book, self.roster, self._intake, self._crew)
            self._guard = Guard(self._crew, self.book, config.memory, self._intake.say)
            control = Control(self._crew, self._guard, self._store, self.book, self._ticks, self._leave, self._reload)
            self._answers = Answers(config.runtime_dir, self.aggregator, self.book, control.obey)
            self._held.callback(self._answers.close)
        finally:
            os.umask(before)
        for aide in self._aides:
            self._held.callback(aide.close)
        for channel in (self._voice.channel, self._intake.channel, self._answers.snapshot, self._answers.control):
            self._poll.add(channel)

    def run(self, until: Callable[[], bool] | None = None) -> bool:
        """Work until `until`, or until a signal or a drain command and then until all workers have ended.

        Returns whether `until` came true.
        """
        with Signals() as signals:
            self._poll.add(signals.fd)
            self._notify.ready()
            ticked = next_tick = 0.0
            busy = done = False
            while not (self._leaving and self.roster.empty):
                rest = 0.0 if busy else max(0.0, min(next_tick, self._voice.due) - time.monotonic())
                rest = min(rest, PENDING_SECONDS) if self._answers.pending else rest
                found = self._poll.wait(rest)
                now = self._now(rest)
                clock = now.clock
                self._heed(signals.taken(), clock)
                busy = (busy or self._intake.channel in found) and self._intake.drain(now)
                if self._answers.pending or self._answers.asked(found):
                    busy = self._answers.serve() or busy
                self._greet(now)
                if self._intake.stirred() or found - {self._intake.channel}:
                    next_tick = min(next_tick, ticked + TICK_SECONDS)
                if self._reap(clock):
                    next_tick = 0.0  # whoever ended may be started again at once
                self._crew.read_logs(clock)
                if time.monotonic() >= next_tick - GATHER_SECONDS:
                    self._tick(now)
                    ticked = time.monotonic()
                    next_tick = ticked + (TICK_SECONDS if until is not None else self._pause(clock))
                if until is not None and not self._leaving and until():
                    done = True
                    break
            self._poll.drop(signals.fd)
        return done

    def snapshot(self) -> Snapshot:
        """Return the board as it is now."""
        return self._answers.take()

    def close(self) -> None:
        """Give everything back, whatever becomes of one part of it."""
        self._held.close()

    def __enter__(self) -> Self:
        try:
            self.open()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _now(self, rest: float = 0.0) -> Moment:
        now = Moment(datetime.now(UTC), self._ticks.advance(time.monotonic(), rest))
        if self._ticks.was_away:
            self.roster.vigil.grace(now.clock)
        return now

    def _load(self) -> None:
        now = self._now()
        # What belongs to a source that does not run stays stored: nobody could say how it is doing.
        self._enrolment.admit(self.config.sources, now)
        self._enrolment.tell_places(self.config.sources)
        if self._store.rebuilt is not None:
            log.warning("%s; everything is read again from the agents' files", self._store.rebuilt)
            self.book.rebuilt(f"{self._store.rebuilt}; everything is read again from the agents' files", now.wall)

    def _tick(self, now: Moment) -> None:
        clock = now.clock
        if self._notify.wanted:
            self._notify.tick(time.monotonic(), self.book.summary())
        self._keeper.tick(now)
        self._crew.push(self.roster.insist(clock))
        self._guard.look(clock)
        for aide in () if self._leaving else self._aides:
            aide.tend(clock)
        self._crew.look_for_agents(clock)
        for source in self.roster.due(clock):
            self._hiring.start(self.config, source, clock)
            break  # one at a time: starting is work, and the machine may be busy
        else:
            if not self._leaving:
                self._crew.tend(clock)
        if clock >= self._storage_retry_at:
            plan = self.aggregator.tick(now)
            if plan.changes and not self._intake.perform(plan, now):
                self.aggregator.retry(plan, now)
                self._storage_retry_at = clock + STORAGE_RETRY_SECONDS
        if clock >= self._measure_at - EARLY_SECONDS:
            self._measure_at = clock + MEASURE_SECONDS
            self._guard.measure(clock)
        self._voice.say([self.aggregator.health_event(state, now) for state in self.book.news(now.wall)])

    def _pause(self, clock: float) -> float:
        """How long the next tick may wait, unless something happens."""
        if self.roster.due(clock):
            return STAGGER_SECONDS
        calm = max(0.0, self._voice.due - time.monotonic())
        return min(max(TICK_SECONDS, self.roster.rest(clock)), calm, self._notify.beat or calm)

    def _greet(self, now: Moment) -> None:
        """Beat each second, and soon after somebody subscribed: whoever joins waits for it."""
        self._voice.listen()
        if self._voice.heartbeat_due(time.monotonic()):
            self._voice.heartbeat(self.aggregator.heartbeat(now), time.monotonic())

    def _reap(self, clock: float) -> bool:
        """Take note of workers that have ended; returns whether there were any."""
        gone = self._crew.reap(clock)
        for ended in gone:
            self._intake.forget(ended.source, ended.inc)
            self._guard.parted(ended, clock)
            self._dismiss_unwanted(ended.source)
        return bool(gone)

    def _dismiss_unwanted(self, source: str) -> None:
        """Take a source off the board that was taken out of the settings, once its worker has ended."""
        if source not in self.roster.members:
            self._voice.say(self._enrolment.dismiss(source, self._now()))

    def _heed(self, taken: list[int], clock: float) -> None:
        for number in taken:
            if number == signal.SIGCHLD:
                continue
            if number == signal.SIGHUP and self._reread is not None and self._terminal == has_terminal():
                self._reload_by_signal()
                continue
            if self._leaving:
                log.warning("second signal: ending at once")
                self._crew.kill_all()
            else:
                log.warning("%s: ending when the workers have (once more ends at once)", signal.Signals(number).name)
                self._leave(clock)

    def _reload_by_signal(self) -> None:
        try:
            log.warning("SIGHUP: %s", self._reload())
        except SupervisorError as error:
            log.error("SIGHUP: nothing was changed: %s", error)  # noqa: TRY400 - a sentence for the operator

    def _reload(self) -> str:
        """Read the configuration again and change only what differs; returns a sentence. Raises SupervisorError."""
        if self._reread is None:
            raise SupervisorError("this supervisor has no configuration to read again")
        old, new, now = self.config, self._reread(), self._now()
        clock = now.clock
        changes = compare(old, new)
        self._voice.say(self._enrolment.admit(changes.added, now))
        self._enrolment.tell_places(new.sources)
        self.config = structs.replace(new, state_dir=old.state_dir, runtime_dir=old.runtime_dir, privacy=old.privacy)
        self.aggregator.rule(new.rules, now)
        self._intake.credit = new.work.credit
        self.roster.policy, self.roster.vigil.patience = new.policy, new.patience
        self.book.thresholds, self._guard.memory = new.thresholds, new.memory
        for source in changes.removed:
            self._crew.push(self.roster.remove(source, clock))
            self._dismiss_unwanted(source)
        for source in changes.changed:
            self.roster.reset(source, clock)
            self._crew.push(self.roster.stop(source, clock))
        return changes.sentence()

    def _leave(self, clock: float) -> None:
        self._leaving = True
        self._notify.stopping()
        self._crew.push(self.roster.leave(clock))

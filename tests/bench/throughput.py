"""Throughput: how many updates one board can take in, store, publish and acknowledge, and how many people may listen."""

import contextlib
import os
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime

from bellboard.protocol.addresses import address
from bellboard.protocol.channel import Poll, Publishing
from bellboard.protocol.codec import EVENT, UPWARD
from bellboard.protocol.event import Updated, topic_of
from bellboard.protocol.session import SessionState
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.intake import Intake
from bellboard.supervisor.store import Store
from bellboard.supervisor.voice import Voice

from .board import folder
from .feeder import TOKEN, updates
from .figures import Figure, clean, middle, python
from .trees import Trees

UPDATES = 20_000
EVENTS = 10_000
SESSIONS = 200
CREDIT = 64
TIMES = 3


def throughput(_trees: Trees) -> Iterator[Figure]:
    """Updates for each CPU second of the board's process (the real intake, store and voice, in a loop of its own)."""
    for stored, ears, bar in ((True, 1, ">= 20,000"), (True, 10, ">= 15,000"), (False, 1, ">= 60,000")):
        floors = [bare(ears) for _ in range(TIMES)]
        found = [board(stored=stored, ears=ears) for _ in range(TIMES)]
        yield Figure(
            what=f"aggregator, store {'on' if stored else 'off'}, {ears} subscriber{'s' if ears > 1 else ''}",
            value=middle([cpu for cpu, _ in found]), unit="updates/CPU s", bar=bar,
            detail=f"bare decode + encode + publish {middle(floors):,.0f}/CPU s",
        )  # fmt: skip


def fanout(_trees: Trees) -> Iterator[Figure]:
    """Bare events of 1 kB on the board's own socket, for each CPU second of the publisher with its I/O thread."""
    for ears in (1, 10, 100):
        each, lost = published(ears)
        yield Figure(
            what=f"PUB fan-out, {ears} subscriber{'s' if ears > 1 else ''}", value=each, unit="events/CPU s",
            detail=f"{lost:,} of {ears * EVENTS:,} lost",
        )  # fmt: skip


def published(ears: int) -> tuple[float, int]:
    """Return events of 1 kB for each CPU second of the publisher, and how many were lost on the way to all ears."""
    with folder() as place:
        endpoint = address(str(place), "events.sock")
        with Publishing(endpoint) as channel, _ears(endpoint, ears, channel) as heard:
            cpu = time.process_time()
            data = b"x" * 1000
            for number in range(EVENTS):
                channel.publish(b"session.claude.1", data)
                if number % 200 == 199:
                    time.sleep(0.01 + ears * 0.002)  # below the high-water mark: nothing is to be lost
            used = time.process_time() - cpu
            return EVENTS / used, sum(EVENTS - count for count in heard())


def bare(ears: int = 1) -> float:
    """Return updates for each CPU second of a loop that only decodes an update, encodes an event and publishes it."""
    with folder() as place:
        endpoint = address(str(place), "events.sock")
        made = updates(5000, SESSIONS)
        state = SessionState(id="x", source="feed", title="Add an export button to the report page", model="m")
        event = Updated(
            epoch="e", seq=1, source="feed", source_seq=1, id="x", version=1, at=datetime.now(UTC), session=state
        )
        with Publishing(endpoint) as channel, _ears(endpoint, ears, channel):
            cpu = time.process_time()
            for number, data in enumerate(made):
                UPWARD.decode(data)
                channel.publish(topic_of(event), EVENT.encode(event))
                if number % 500 == 499:
                    time.sleep(0.02)
            return len(made) / (time.process_time() - cpu)


def board(
    *, stored: bool, ears: int, count: int = UPDATES, sessions: int = SESSIONS, rate: int = 0
) -> tuple[float, float]:
    """Return updates for each second of the board's CPU, and of wall time."""
    with folder() as place, contextlib.ExitStack() as stack:
        store = stack.enter_context(contextlib.closing(Store(str(place)))) if stored else None
        voice = Voice(address(str(place), "events.sock"))
        stack.callback(voice.channel.close)
        book = HealthBook(Thresholds())
        book.open("feed")
        roster = Roster(Policy())
        roster.add("feed")
        aggregator = Aggregator("e", Rules())
        intake = Intake(address(str(place), "ingest.sock"), aggregator, store, book, roster, voice, CREDIT)
        stack.callback(intake.channel.close)
        intake.expect("feed", 1, TOKEN)
        poll = Poll()
        poll.add(intake.channel)
        stack.enter_context(_ears(address(str(place), "events.sock"), ears, voice.channel))
        words = [str(number) for number in (count, sessions, CREDIT, rate)]
        feeder = subprocess.Popen(
            python("-m", "tests.bench.feeder", address(str(place), "ingest.sock"), *words),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=clean(),
        )  # fmt: skip
        stack.callback(feeder.wait)
        stack.callback(feeder.kill)
        return _measured(feeder, intake, poll, count, aggregator)


def _measured(
    feeder: subprocess.Popen[str], intake: Intake, poll: Poll, updates: int, aggregator: Aggregator
) -> tuple[float, float]:
    assert feeder.stdin is not None
    assert feeder.stdout is not None
    os.set_blocking(feeder.stdout.fileno(), False)
    while "ready" not in (feeder.stdout.readline() or ""):
        poll.wait(0.05)
        intake.drain(_now())
    feeder.stdin.write("\n")
    feeder.stdin.flush()
    began, cpu = time.monotonic(), time.process_time()
    busy = False
    while aggregator.seq < updates:
        if not busy:
            poll.wait(1.0)
        busy = intake.drain(_now())
    return updates / (time.process_time() - cpu), updates / (time.monotonic() - began)


def _now() -> Moment:
    return Moment(datetime.now(UTC), time.monotonic())


@contextlib.contextmanager
def _ears(endpoint: str, count: int, channel: Publishing) -> Generator[Callable[[], list[int]]]:
    """Start subscribers and wait until all have subscribed. Yields how to end them and ask what they heard."""
    ears = [
        subprocess.Popen(python("-m", "tests.bench.ear", endpoint), stdout=subprocess.PIPE, text=True, env=clean())
        for _ in range(count)
    ]

    def heard() -> list[int]:
        while any(ear.poll() is None for ear in ears):
            time.sleep(0.2)
            channel.publish(b"end", b"end")
        return [int(ear.communicate()[0].split()[-1]) for ear in ears]

    try:
        there = 0
        while there < count:
            there += channel.new_subscriptions()
            time.sleep(0.01)
        yield heard
    finally:
        for ear in ears:
            ear.kill()
            ear.wait()
            if ear.stdout is not None:
                ear.stdout.close()

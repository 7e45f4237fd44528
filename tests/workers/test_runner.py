import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from harness import wait_for

from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import DOWNWARD, ORDER, UPWARD, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Ack, Downward, Drain, Fenced, Grant, Nack, Order, Ping, Release
from bellboard.protocol.update import Beat, Bye, Fault, Hello, SourceUpdate, Update, Upward
from bellboard.sources.contract import SessionHandle
from bellboard.workers import outbox, runner
from bellboard.workers.leash import Leash
from bellboard.workers.runner import EXIT_FAILED, EXIT_OK, EXIT_UNAVAILABLE, NESTED, Runner

PATIENCE = 10.0
NEVER = 3600.0
PROOF = "t"
WORKER = b"lines:1"
linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
HERE = os.path.dirname(__file__)

M = TypeVar("M", Hello, Update, Beat, Fault, Bye)


class Board:
    """The board's end of the line: it hears everything, and says what it is told to say."""

    def __init__(self, endpoint: str) -> None:
        self.channel = Answering(endpoint)
        self.heard: list[Upward] = []
        self._told: dict[type[Upward], int] = {}

    @property
    def updates(self) -> list[Update]:
        """All updates that were heard so far."""
        self.listen()
        return [message for message in self.heard if isinstance(message, Update)]

    def say(self, *messages: Downward) -> None:
        assert self.channel.send(WORKER, [DOWNWARD.encode(message) for message in messages])

    def grant(self, credit: int = 8, **fields: Any) -> None:
        """Wait for the worker and let it begin."""
        self.hear(Hello)
        self.say(Grant(inc=1, epoch="e", credit=credit, **fields))

    def hear(self, kind: type[M]) -> M:
        """Return the next message of this kind, waiting for it if need be."""
        deadline = time.monotonic() + PATIENCE
        while True:
            for number in range(self._told.get(kind, 0), len(self.heard)):
                message = self.heard[number]
                if isinstance(message, kind):
                    self._told[kind] = number + 1
                    return message
            self._told[kind] = len(self.heard)
            assert time.monotonic() < deadline, f"no {kind.__name__} came, only {self.heard}"
            self.listen(0.05)

    def listen(self, seconds: float = 0) -> None:
        """Take what has come; wait at most so long for something to come."""
        poll = Poll()
        poll.add(self.channel)
        poll.wait(seconds)
        while (received := self.channel.receive()) is not None:
            peer, frames = received
            assert peer == WORKER
            for frame in frames:
                message = UPWARD.decode(frame)
                assert not isinstance(message, DecodeFault)
                self.heard.append(message)

    def settle(self) -> Beat:
        """Wait until the worker has got round its loop a few times; returns what it said last of its progress."""
        return [self._ping() for _ in range(3)][-1]

    def _ping(self) -> Beat:
        self.listen()
        self._told[Beat] = len(self.heard)
        self.say(Ping())
        return self.hear(Beat)

    def beat(self, passes: int) -> Beat:
        """Wait for the beat that ends this pass."""
        while (beat := self.hear(Beat)).passes < passes:
            pass
        return beat


class Slack(Leash):
    """A leash that ties nobody: the parent of these tests is not to be followed to its end."""

    def __init__(self) -> None:
        self.renewed = 0

    def renew(self) -> None:
        self.renewed += 1


class Worker(threading.Thread):
    """A real runner in a thread."""

    def __init__(self, order: Order) -> None:
        super().__init__(name="worker", daemon=True)
        self.leash = Slack()
        self.runner: Runner | None = None
        self._order = order
        self._code: int | None = None

    def run(self) -> None:
        self.runner = Runner(self._order, self.leash)
        self._code = self.runner.run()

    def exit(self) -> int | None:
        """Wait for the end; returns the exit code."""
        self.join(PATIENCE)
        assert not self.is_alive(), "the worker did not end"
        return self._code


@pytest.fixture
def endpoint(folder: str) -> str:
    return f"ipc://{folder}/ingest.sock"


@pytest.fixture
def board(endpoint: str) -> Iterator[Board]:
    board = Board(endpoint)
    yield board
    board.channel.close()


@pytest.fixture
def sessions(tmp_path: Path) -> Path:
    """Make the folder in which each file is a session and each line a step (see line_source.py)."""
    sessions = tmp_path / "sessions"
    sessions.mkdir()
    return sessions


@pytest.fixture
def order(endpoint: str, sessions: Path) -> Callable[..., Order]:
    """Write orders for a worker that does nothing by itself: it looks once, and beats only when it is asked to."""

    def make(**fields: Any) -> Order:
        facts: dict[str, Any] = {
            "source": "lines",
            "inc": 1,
            "token": PROOF,
            "endpoint": endpoint,
            "parent_pid": os.getpid(),
            "factory": "line_source:Lines",
            "options": {"folder": str(sessions)},
            "sweep": NEVER,
            "sweep_watched": NEVER,
            "pulse": NEVER,
            "beat": math.inf,
            "watch": False,
        }
        return Order(**{**facts, **fields})

    return make


@pytest.fixture
def work(board: Board, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Worker]]:
    """Start workers; those that still work after the test are fenced."""
    monkeypatch.setattr(sys, "path", [HERE, *sys.path])
    workers: list[Worker] = []

    def start(**fields: Any) -> Worker:
        workers.append(Worker(order(**fields)))
        workers[-1].start()
        return workers[-1]

    yield start
    for worker in workers:
        if worker.is_alive():
            board.say(Fenced())
        worker.exit()


def write(path: Path, *lines: str) -> None:
    """Add lines to a session, all at once."""
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))


def update(seq: int, name: str, read: int, line: str) -> Update:
    """The update of one line, after so many others."""
    return Update(
        inc=1,
        seq=seq,
        handle=name,
        before=digest(str(read) if read else ""),
        after=str(read + 1),
        facts=SourceUpdate(session_id=name, title=line, message_count_delta=1),
    )


def test_a_worker_says_hello_and_works_when_it_may(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one", "quiet", "three")
    worker = work()
    assert board.hear(Hello) == Hello(v=1, source="lines", inc=1, token=PROOF, pid=os.getpid())
    assert board.updates == []
    board.say(Grant(inc=1, epoch="e", credit=8))
    assert board.hear(Update) == update(1, "a", 0, "one")
    assert board.hear(Update) == Update(inc=1, seq=2, handle="a", before=digest("1"), after="2")
    assert board.hear(Update) == update(3, "a", 2, "three")
    assert board.settle() == Beat(progress=5, phase="watching")
    board.say(Ack(seq=1, also=(3,)), Ack(seq=2))
    assert board.beat(1) == Beat(progress=5, phase="watching", passes=1)
    assert len(board.updates) == 3
    assert worker.leash.renewed > 0


def test_an_idle_worker_says_nothing_new_pass_after_pass(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one")
    work(sweep=0.01)
    board.grant()
    board.say(Ack(seq=board.hear(Update).seq))
    assert board.beat(5).backlog == 0
    assert len(board.updates) == 1


def test_what_is_written_later_is_found_by_the_next_sweep(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    work(sweep=0.01)
    board.grant()
    board.beat(2)
    write(sessions / "a", "one")
    assert board.hear(Update) == update(1, "a", 0, "one")
    board.say(Ack(seq=1))
    write(sessions / "a", "two")
    assert board.hear(Update) == update(2, "a", 1, "two")


def test_a_worker_beats_by_itself(board: Board, work: Callable[..., Worker]) -> None:
    worker = work(beat=0.01)
    board.grant()
    before = worker.leash.renewed
    assert [board.hear(Beat).passes for _ in range(5)][1:] == [1, 1, 1, 1]
    assert worker.leash.renewed > before


def test_a_reborn_worker_goes_on_where_the_board_is(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one", "two")
    write(sessions / "b", "one", "two")
    write(sessions / "c", "one")
    work()
    board.grant(cursors={"a": "1"}, more=True)
    board.say(Grant(inc=1, epoch="e", credit=8, cursors={"b": "2"}, quarantined={"c": "?"}))
    assert board.hear(Update) == update(1, "a", 1, "two")
    board.settle()
    assert len(board.updates) == 1


def test_what_was_not_touched_for_long_is_not_read(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    work(factory="line_source:OldLines", since=60.0)
    board.grant()
    assert board.beat(1) == Beat(progress=1, phase="watching", passes=1, left_out=1)
    assert board.updates == []


def test_never_more_is_under_way_than_there_is_credit(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    for name in ("a", "b", "c"):
        write(sessions / name, *(str(number) for number in range(5)))
    work()
    board.grant(credit=3)
    acknowledged = 0
    while acknowledged < 15:
        beat = board.settle()
        assert len(board.updates) == min(15, acknowledged + 3)
        assert beat.phase == ("reading" if beat.backlog else "watching")
        acknowledged += 1
        board.say(Ack(seq=acknowledged))
    assert board.beat(1).backlog == 0
    assert sorted((each.handle, each.after) for each in board.updates) == [
        (name, str(number)) for name in ("a", "b", "c") for number in range(1, 6)
    ]


def test_what_the_board_refuses_is_read_again_from_where_the_board_is(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one", "two", "three")
    work()
    board.grant(cursors={"a": "1"})
    assert [board.hear(Update) for _ in range(2)] == [update(1, "a", 1, "two"), update(2, "a", 2, "three")]
    board.say(Nack(seq=1, code="stale_cursor", handle="a", have=""))
    board.say(Nack(seq=2, code="stale_cursor", handle="a", have=""))
    again = [board.hear(Update) for _ in range(3)]
    assert again == [update(3, "a", 0, "one"), update(4, "a", 1, "two"), update(5, "a", 2, "three")]
    board.say(Ack(seq=3), Ack(seq=4), Ack(seq=5))
    board.beat(1)
    assert len(board.updates) == 5


def test_a_refusal_in_one_session_is_none_in_another(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    write(sessions / "b", "one")
    work()
    board.grant()
    seqs = {each.handle: each.seq for each in (board.hear(Update), board.hear(Update))}
    board.say(Nack(seq=seqs["a"], code="stale_cursor", handle="a", have="0"))
    again = board.hear(Update)
    assert (again.seq, again.handle, again.before) == (3, "a", digest("0"))
    board.say(Ack(seq=3), Ack(seq=seqs["b"]))
    board.beat(1)
    assert len(board.updates) == 3


def test_what_is_not_acknowledged_is_said_again(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "RESEND_SECONDS", 0.05)
    write(sessions / "a", "one")
    work(pulse=0.01)
    board.grant()
    assert [board.hear(Update) for _ in range(3)] == [update(1, "a", 0, "one")] * 3
    board.say(Ack(seq=1))
    board.beat(1)
    said = len(board.updates)
    board.settle()
    assert len(board.updates) == said


def test_answers_that_cannot_be_read_are_passed_over(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    work()
    board.hear(Hello)
    board.channel.send(WORKER, [b"", b"\x02?", b"\x01?", DOWNWARD.encode(Grant(inc=1, epoch="e", credit=8))])
    assert board.hear(Update) == update(1, "a", 0, "one")


def test_hello_is_repeated_until_somebody_answers(
    board: Board, work: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "HELLO_SECONDS", 0.01)
    worker = work()
    assert board.hear(Hello) == board.hear(Hello)
    assert worker.leash.renewed > 0
    board.say(Grant(inc=1, epoch="e", credit=8))
    board.beat(1)


def test_a_worker_waits_for_a_board_that_comes_later(
    endpoint: str, order: Callable[..., Order], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [HERE, *sys.path])
    worker = Worker(order())
    worker.start()
    deadline = time.monotonic() + PATIENCE
    while not worker.leash.renewed:
        assert time.monotonic() < deadline
    board = Board(endpoint)
    board.grant()
    board.beat(1)
    board.say(Fenced())
    assert worker.exit() == EXIT_OK
    board.channel.close()


def test_a_drained_worker_waits_for_its_acknowledgements_and_reads_no_more(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one", "two", "three")
    worker = work()
    board.grant(credit=2)
    assert [board.hear(Update), board.hear(Update)] == [update(1, "a", 0, "one"), update(2, "a", 1, "two")]
    board.say(Drain(deadline=PATIENCE))
    board.say(Ack(seq=1))
    assert board.settle().phase == "draining"
    assert worker.is_alive()
    board.say(Ack(seq=2))
    assert board.hear(Bye) == Bye(reason="drained")
    assert worker.exit() == EXIT_OK
    assert len(board.updates) == 2


def test_a_drained_worker_does_not_wait_for_ever(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    worker = work()
    board.grant()
    board.hear(Update)
    board.say(Drain(deadline=0.05))
    assert board.hear(Bye) == Bye(reason="drained")
    assert worker.exit() == EXIT_OK


def test_a_worker_with_nothing_under_way_is_drained_at_once(board: Board, work: Callable[..., Worker]) -> None:
    worker = work()
    board.grant()
    board.beat(1)
    board.say(Drain(deadline=PATIENCE))
    assert board.hear(Bye) == Bye(reason="drained")
    assert worker.exit() == EXIT_OK


def test_a_draining_worker_does_not_spin(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Counting(Poll):
        def wait(self, seconds: float) -> set[Any]:
            waits.append(seconds)
            return super().wait(seconds)

    monkeypatch.setattr(runner, "Poll", Counting)
    write(sessions / "a", "one", "two")
    work(sweep=0.01, pulse=0.01)
    board.grant(credit=1)
    board.hear(Update)
    board.say(Drain(deadline=0.2))
    board.settle()
    before = len(waits)
    board.hear(Bye)
    assert len(waits) - before < 10


@pytest.mark.parametrize("granted", [False, True])
def test_a_fenced_worker_ends(board: Board, work: Callable[..., Worker], *, granted: bool) -> None:
    worker = work()
    if granted:
        board.grant()
        board.beat(1)
    else:
        board.hear(Hello)
    board.say(Fenced())
    assert board.hear(Bye) == Bye(reason="fenced")
    assert worker.exit() == EXIT_OK


def test_a_session_that_cannot_be_parsed_is_a_fault_and_its_siblings_go_on(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one")
    write(sessions / "b", "raise")
    write(sessions / "c", "one")
    work()
    board.grant()
    fault = board.hear(Fault)
    assert (fault.scope, fault.handle, fault.code) == ("handle", "b", "ValueError")
    assert fault.detail.startswith("ValueError at line_source.py:")
    said = [board.hear(Update), board.hear(Update)]
    assert {each.handle for each in said} == {"a", "c"}
    board.say(*(Ack(seq=each.seq) for each in said))
    assert board.beat(1).failing == 1


def test_a_session_that_is_mended_goes_on(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one", "raise")
    work(sweep=0.01)
    board.grant()
    board.say(Ack(seq=board.hear(Update).seq))
    board.hear(Fault)
    board.hear(Fault)
    (sessions / "a").write_text("one\ntwo\n")
    assert board.hear(Update) == update(2, "a", 1, "two")
    board.say(Ack(seq=2))
    while board.hear(Beat).failing:
        pass


@pytest.mark.parametrize(
    ("line", "code", "detail"),
    [
        ("huge", "too_big", "300"),
        ("byteless", "not encodable", "UnicodeEncodeError at"),
        ("unreadable", "malformed", "Expected `int`, got `str` - at `$.facts.message_count_delta`"),
    ],
)
def test_an_update_that_cannot_be_sent_is_a_fault_and_its_siblings_go_on(
    board: Board, work: Callable[..., Worker], sessions: Path, line: str, code: str, detail: str
) -> None:
    write(sessions / "a", "one", line, "three")
    write(sessions / "b", "one")
    work()
    board.grant()
    fault = board.hear(Fault)
    assert (fault.scope, fault.handle, fault.code) == ("handle", "a", code)
    assert fault.detail.startswith(detail)
    board.settle()
    assert sorted((each.handle, each.after) for each in board.updates) == [("a", "1"), ("b", "1")]
    board.say(Ack(seq=1), Ack(seq=2))
    assert board.beat(1).failing == 1


def test_a_session_whose_name_has_no_bytes_is_a_fault(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    try:
        write(sessions / "bad\udcff", "one")
    except OSError:
        pytest.skip("names of files are always text here")
    write(sessions / "good", "one")
    work()
    board.grant()
    fault = board.hear(Fault)
    assert (fault.scope, fault.handle, fault.code) == ("handle", "bad?", "not encodable")
    assert board.hear(Update) == update(1, "good", 0, "one")


def test_a_discover_that_fails_is_a_fault_and_polling_goes_on(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one")
    write(sessions / "!discover")
    work(sweep=0.01)
    board.grant()
    denied = Fault(scope="discover", code="PermissionError", detail="PermissionError: Permission denied")
    assert [board.hear(Fault), board.hear(Fault)] == [denied, denied]
    assert board.settle().discover_failures >= 2
    (sessions / "!discover").unlink()
    assert board.hear(Update) == update(1, "a", 0, "one")
    board.say(Ack(seq=1))
    while board.hear(Beat).discover_failures:
        pass


def test_an_agent_that_is_not_installed_is_no_failure(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "!discover unavailable")
    worker = work()
    board.grant()
    assert board.hear(Bye) == Bye(reason="unavailable", looked=(str(sessions),))
    assert worker.exit() == EXIT_UNAVAILABLE == 69
    assert not any(isinstance(message, Fault) for message in board.heard)


@pytest.mark.parametrize("where", ["discover", "watch", "pulse"])
def test_an_agent_may_be_removed_while_its_worker_works(
    board: Board, work: Callable[..., Worker], sessions: Path, where: str
) -> None:
    worker = work(factory="line_source:WatchedLines", sweep=0.01, pulse=0.01)
    board.grant()
    board.beat(1)
    write(sessions / f"!{where} unavailable")
    assert board.hear(Bye) == Bye(reason="unavailable", looked=(str(sessions),))
    assert worker.exit() == EXIT_UNAVAILABLE


@pytest.mark.parametrize(
    ("factory", "detail"),
    [
        ("no_such_module:Lines", "ModuleNotFoundError: there is no module no_such_module where Python looks"),
        ("line_source:Nobody", "module line_source has no Nobody"),
        ("line_source", "factory 'line_source': write it as package.module:callable"),
        ("line_source:broken", "ValueError at line_source.py:"),
        ("line_source:nothing", "str has no discover() and parse(): it is not a source"),
        (None, "no installed package offers a source called 'lines' (entry point group bellboard.sources)"),
    ],
)
def test_a_source_that_cannot_be_loaded_is_a_fault_of_the_source(
    board: Board, work: Callable[..., Worker], factory: str | None, detail: str
) -> None:
    worker = work(factory=factory)
    board.grant()
    fault = board.hear(Fault)
    assert (fault.scope, fault.code, fault.handle) == ("source", "not loadable", None)
    assert fault.detail.startswith(detail)
    assert board.hear(Bye) == Bye(reason="failed")
    assert worker.exit() == EXIT_FAILED == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_watched_change_is_seen_without_a_sweep(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    write(sessions / "a", "one")
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    assert board.hear(Update) == update(1, "a", 0, "one")
    board.say(Ack(seq=1))
    board.beat(1)
    write(sessions / "a", "two")
    assert board.hear(Update) == update(2, "a", 1, "two")
    write(sessions / "new", "one")
    assert board.hear(Update) == update(3, "new", 0, "one")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_where_all_is_watched_a_sweep_is_rare(board: Board, work: Callable[..., Worker]) -> None:
    work(factory="line_source:WatchedLines", watch=True, sweep=0.0)
    board.grant()
    board.beat(1)
    assert board.settle().passes == 1


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_new_folder_is_a_reason_to_sweep(board: Board, work: Callable[..., Worker], sessions: Path) -> None:
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    board.beat(1)
    (sessions / "!project").mkdir()
    assert board.beat(2).passes == 2


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_what_comes_between_the_listing_and_the_watch_is_found(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "!late", "one")
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    assert board.hear(Update) == update(1, "late", 0, "one")


def test_what_moves_without_a_change_is_found_by_the_pulse(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    work(factory="line_source:WatchedLines", pulse=0.01)
    board.grant()
    board.beat(1)
    write(sessions / "a", "one")
    board.settle()
    assert board.updates == []
    write(sessions / "!stirring")
    assert board.hear(Update) == update(1, "a", 0, "one")


@pytest.fixture
def deeds(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done with a resting source, in order."""
    monkeypatch.setattr(sys, "path", [HERE, *sys.path])
    from line_source import RestingLines

    monkeypatch.setattr(RestingLines, "deeds", [])
    return RestingLines.deeds


@linux
def test_what_changed_last_is_told_before_folders_are_watched(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    write(sessions / "a", "one")
    work(factory="line_source:RestingLines", watch=True)
    board.grant()
    assert board.hear(Update).facts is not None
    board.settle()
    assert deeds.index("parse") < deeds.index("watch")


def test_news_do_not_wait_for_all_sessions_in_which_there_are_none(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from line_source import Lines

    monkeypatch.setattr(runner, "BATCH_SECONDS", NEVER)
    monkeypatch.setattr(runner, "NEWS_SECONDS", 0.0)
    told = threading.Event()
    parse = Lines.parse

    def patient(self: Lines, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:
        if handle.id == "a":
            assert told.wait(PATIENCE), "the update of c was not sent before a was read"
        return parse(self, handle, cursor)

    monkeypatch.setattr(Lines, "parse", patient)
    for name in "abc":
        write(sessions / name, "one")  # the last one listed is the first one read
    work()
    board.grant(cursors={"a": "1", "b": "1"})
    assert board.hear(Update) == update(1, "c", 0, "one")
    told.set()
    board.say(Ack(seq=1))
    board.beat(1)


def test_sessions_are_listed_while_the_grant_is_on_its_way(
    board: Board, work: Callable[..., Worker], sessions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from line_source import Lines

    listed = threading.Event()
    discover = Lines.discover

    def noted(self: Lines) -> Iterable[SessionHandle]:
        found = discover(self)
        listed.set()
        return found

    monkeypatch.setattr(Lines, "discover", noted)
    write(sessions / "a", "one")
    work()
    board.hear(Hello)
    assert listed.wait(PATIENCE)
    board.say(Grant(inc=1, epoch="e", credit=8))
    assert board.hear(Update) == update(1, "a", 0, "one")


def test_a_release_that_comes_with_the_grant_is_obeyed(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    write(sessions / "a", "one")
    work()
    board.hear(Hello)
    board.say(Grant(inc=1, epoch="e", credit=8, quarantined={"a": ""}), Release(handle="a"))
    assert board.hear(Update) == update(1, "a", 0, "one")


@linux
def test_a_source_that_rests_is_not_pulsed_before_something_stirs(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    work(factory="line_source:RestingLines", watch=True, pulse=0.01)
    board.grant()
    board.settle()
    time.sleep(0.1)  # ten pulses long
    board.settle()
    assert deeds.count("pulse") == 1
    write(sessions / "a", "one")
    board.hear(Update)
    wait_for(lambda: deeds.count("pulse") == 2, what="a pulse")


def test_one_that_cannot_say_how_long_it_rests_is_pulsed_as_ever(
    board: Board, work: Callable[..., Worker], sessions: Path, deeds: list[str]
) -> None:
    write(sessions / "!rest", "")
    work(factory="line_source:RestingLines", watch=sys.platform.startswith("linux"), pulse=0.01)
    board.grant()
    if sys.platform.startswith("linux"):
        assert board.hear(Fault).scope == "discover"
    wait_for(lambda: deeds.count("pulse") > 3, what="several pulses")


@pytest.mark.parametrize("where", ["watch", "pulse"])
def test_a_source_that_cannot_say_where_to_look_is_a_fault_and_its_sessions_go_on(
    board: Board, work: Callable[..., Worker], sessions: Path, where: str
) -> None:
    write(sessions / "a", "one")
    write(sessions / f"!{where}")
    work(factory="line_source:WatchedLines", watch=True, sweep=0.01, pulse=0.01)
    board.grant()
    denied = Fault(scope="discover", code="PermissionError", detail="PermissionError: Permission denied")
    assert [board.hear(Fault), board.hear(Fault)] == [denied, denied]
    assert board.hear(Update) == update(1, "a", 0, "one")


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux only")
def test_a_source_that_stumbles_over_a_change_is_a_fault_and_goes_on(
    board: Board, work: Callable[..., Worker], sessions: Path
) -> None:
    work(factory="line_source:WatchedLines", watch=True)
    board.grant()
    board.beat(1)
    write(sessions / "!touched")
    assert board.hear(Fault).scope == "discover"
    (sessions / "!touched").unlink()
    write(sessions / "a", "one")
    assert board.hear(Update) == update(1, "a", 0, "one")


@pytest.fixture
def spawn(order: Callable[..., Order]) -> Iterator[Callable[..., "subprocess.Popen[bytes]"]]:
    """Start workers as the supervisor does: a process, its order over a line, and a pipe that says that we live."""
    processes: list[subprocess.Popen[bytes]] = []
    lives: list[int] = []

    def start(**fields: Any) -> "subprocess.Popen[bytes]":
        theirs, ours = socket.socketpair()
        life_read, life_write = os.pipe()
        lives.append(life_write)
        processes.append(
            subprocess.Popen(
                [sys.executable, "-m", "bellboard.workers", str(theirs.fileno()), str(life_read)],
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(), life_read),
                start_new_session=True,
                cwd="/",
                env={**os.environ, "PYTHONPATH": os.pathsep.join([HERE, os.environ.get("PYTHONPATH", "")])},
            )
        )
        theirs.close()
        os.close(life_read)
        with ours:
            ours.sendall(ORDER.encode(order(**fields)))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.wait()
    for life in lives:
        os.close(life)


def test_a_worker_process_works_and_ends_when_it_is_told(
    board: Board, spawn: Callable[..., "subprocess.Popen[bytes]"], sessions: Path
) -> None:
    write(sessions / "a", "one")
    process = spawn()
    assert board.hear(Hello) == Hello(v=1, source="lines", inc=1, token=PROOF, pid=process.pid)
    board.say(Grant(inc=1, epoch="e", credit=8))
    assert board.hear(Update) == update(1, "a", 0, "one")
    board.say(Ack(seq=1))
    board.beat(1)
    board.say(Drain(deadline=PATIENCE))
    assert board.hear(Bye) == Bye(reason="drained")
    assert process.wait(PATIENCE) == 0


@pytest.mark.parametrize(
    ("trouble", "factory", "last", "code"),
    [
        ("!discover unavailable", "line_source:Lines", "unavailable", 69),
        ("!nothing", "no_such_module:Lines", "failed", 1),
    ],
)
def test_a_worker_process_that_ends_by_itself_says_why_and_exits_accordingly(
    board: Board,
    spawn: Callable[..., "subprocess.Popen[bytes]"],
    sessions: Path,
    trouble: str,
    factory: str,
    last: str,
    code: int,
) -> None:
    write(sessions / trouble)
    process = spawn(factory=factory)
    board.grant()
    assert board.hear(Bye).reason == last
    assert process.wait(PATIENCE) == code


def test_a_worker_process_that_was_killed_is_followed_by_one_that_loses_and_repeats_nothing(
    board: Board, spawn: Callable[..., "subprocess.Popen[bytes]"], sessions: Path
) -> None:
    write(sessions / "a", "one", "two")
    first = spawn()
    board.grant(credit=1)
    assert board.hear(Update) == update(1, "a", 0, "one")
    first.kill()
    assert first.wait(PATIENCE) == -9
    write(sessions / "a", "three")
    spawn()
    board.grant(cursors={"a": "1"})
    assert [board.hear(Update) for _ in range(2)] == [update(1, "a", 1, "two"), update(2, "a", 2, "three")]


def test_a_worker_process_whose_parent_has_gone_before_never_says_hello(
    board: Board, spawn: Callable[..., "subprocess.Popen[bytes]"]
) -> None:
    process = spawn(parent_pid=os.getppid())
    assert process.wait(PATIENCE) == 75
    board.listen()
    assert board.heard == []


class _Nested:
    """Watches under which a folder appears inside the one that was just watched, some times."""

    def __init__(self, times: int) -> None:
        self.left = times
        self.asked = 0

    def sync(self, _folders: Iterable[str]) -> bool:
        self.asked += 1
        self.left -= 1
        return self.left >= 0


class _Looks:
    """Counts how often everything was looked for."""

    def __init__(self) -> None:
        self.looks = 0

    def discover(self, _now: float) -> None:
        self.looks += 1

    def watch(self) -> list[str]:
        return []


@pytest.mark.parametrize(("deep", "looks"), [(0, 0), (1, 1), (3, 3), (1000, NESTED)])
def test_folders_that_appear_one_inside_the_other_are_all_watched_at_once(deep: int, looks: int) -> None:
    worker: Any = object.__new__(Runner)
    worker._watches = _Nested(deep)
    work: Any = _Looks()

    assert worker._watch(work, work) is None
    assert work.looks == looks

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime

import pytest
from harness import wait_for

from bellboard.protocol.addresses import CONTROL, SNAPSHOT, address
from bellboard.protocol.ask import Command, Reply, SnapshotPage, SnapshotRequest
from bellboard.protocol.channel import Asking
from bellboard.protocol.codec import COMMAND, REPLY, SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from bellboard.protocol.session import SessionState
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.answers import MOST_REQUESTS, Answers
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.pictures import PAGE_SESSIONS

NOW = Moment(datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), 0.0)


class Counter:
    """The two sockets with a board behind them, and clients in front."""

    def __init__(self, folder: str, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.board = Aggregator("e", Rules(stale_after=None, retention=None))
        self.book = HealthBook(Thresholds())
        self.commands: list[Command] = []
        self.answers = Answers(folder, self.board, self.book, self._obey)
        stack.callback(self.answers.close)

    def _obey(self, command: Command) -> Reply:
        self.commands.append(command)
        return Reply(request=command.request, ok=command.verb != "reset", message=f"{command.verb} {command.source}")

    def client(self, socket: str) -> Asking:
        return self._stack.enter_context(Asking(address(self._folder, socket)))

    def track(self, source: str, count: int) -> list[SessionState]:
        """So many sessions of a source are on the board."""
        made = [SessionState(id=f"{number:04}", source=source) for number in range(count)]
        for state in made:
            self.board.load(state, gone=False, live=False, moved=NOW.wall.timestamp(), now=NOW)
        self.book.open(source)
        return made

    def replies(self, client: Asking, count: int = 1) -> list[bytes]:
        """The next replies to a client."""
        found: list[bytes] = []

        def enough() -> bool:
            self.answers.serve()
            while (frames := client.receive()) is not None:
                found.extend(frames)
            return len(found) >= count

        wait_for(enough, what=f"{count} replie(s)")
        return found

    def ask(self, client: Asking, *frames: bytes, count: int = 1) -> list[bytes]:
        wait_for(lambda: client.send(frames), what="the line")
        return self.replies(client, count)

    def pages(self, request: SnapshotRequest) -> list[SnapshotPage]:
        """Ask for a snapshot; returns its pages."""
        client = self.client(SNAPSHOT)
        wait_for(lambda: client.send([SNAPSHOT_REQUEST.encode(request)]), what="the line")
        pages: list[SnapshotPage] = []
        while not pages or not pages[-1].last:
            for data in self.replies(client):
                page = SNAPSHOT_PAGE.decode(data)
                assert not isinstance(page, DecodeFault)
                pages.append(page)
        return pages


@pytest.fixture
def counter(folder: str) -> Iterator[Counter]:
    with ExitStack() as stack:
        yield Counter(folder, stack)


def reply(data: bytes) -> Reply:
    message = REPLY.decode(data)
    assert isinstance(message, Reply)
    return message


def test_an_empty_board_is_one_empty_page(counter: Counter) -> None:
    assert counter.pages(SnapshotRequest(request=7)) == [
        SnapshotPage(request=7, page=0, last=True, epoch="e", seq=0, source_seqs={})
    ]


def test_a_snapshot_shows_sessions_health_and_numbers_of_one_moment(counter: Counter) -> None:
    sessions = counter.track("claude", 2)
    (health,) = counter.book.news(NOW.wall)
    counter.board.health_event(health, NOW)
    assert counter.pages(SnapshotRequest(request=1)) == [
        SnapshotPage(
            request=1,
            page=0,
            last=True,
            epoch="e",
            seq=1,
            source_seqs={"claude": 1},
            sessions=tuple(sessions),
            health=(health,),
        )
    ]


def test_a_large_board_comes_in_pages_and_health_with_the_first(counter: Counter) -> None:
    sessions = counter.track("claude", 2 * PAGE_SESSIONS + 1)
    pages = counter.pages(SnapshotRequest(request=3))
    assert [(page.page, page.last, len(page.sessions), len(page.health)) for page in pages] == [
        (0, False, PAGE_SESSIONS, 1),
        (1, False, PAGE_SESSIONS, 0),
        (2, True, 1, 0),
    ]
    assert [session for page in pages for session in page.sessions] == sessions
    assert {(page.request, page.epoch, page.seq) for page in pages} == {(3, "e", 0)}


def test_a_board_that_fills_its_last_page_has_no_empty_one_after_it(counter: Counter) -> None:
    counter.track("claude", PAGE_SESSIONS)
    assert [(page.page, page.last) for page in counter.pages(SnapshotRequest(request=1))] == [(0, True)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [(None, {"claude", "codex"}), (("codex",), {"codex"}), (("nobody",), set[str]()), ((), set[str]())],
)
def test_who_asks_for_some_sources_gets_these(
    counter: Counter, wanted: tuple[str, ...] | None, found: set[str]
) -> None:
    counter.track("claude", 1)
    counter.track("codex", 1)
    (page,) = counter.pages(SnapshotRequest(request=1, sources=wanted))
    assert {session.source for session in page.sessions} == found
    assert {state.source for state in page.health} == found
    assert page.source_seqs == {}


@pytest.mark.parametrize("garbage", [b"", b"{", b"{}", b"\xff", b"x" * 65_000], ids=lambda it: f"{len(it)} bytes")
def test_a_snapshot_request_that_cannot_be_read_is_passed_over(counter: Counter, garbage: bytes) -> None:
    client = counter.client(SNAPSHOT)
    wait_for(lambda: client.send([garbage]), what="the line")
    good = SNAPSHOT_REQUEST.encode(SnapshotRequest(request=2))
    pages = [SNAPSHOT_PAGE.decode(data) for data in counter.ask(client, good)]
    assert pages == [SnapshotPage(request=2, page=0, last=True, epoch="e", seq=0, source_seqs={})]


def test_a_command_is_obeyed_and_answered(counter: Counter) -> None:
    client = counter.client(CONTROL)
    pause = Command(request=5, verb="pause", source="claude")
    assert reply(counter.ask(client, COMMAND.encode(pause))[0]) == Reply(request=5, ok=True, message="pause claude")
    reset = Command(request=6, verb="reset")
    assert reply(counter.ask(client, COMMAND.encode(reset))[0]) == Reply(request=6, ok=False, message="reset None")
    assert counter.commands == [pause, reset]


@pytest.mark.parametrize(
    ("garbage", "sentence"),
    [
        (b"", "not understood: empty (no bytes)"),
        (b"{", "not understood: malformed (DecodeError)"),
        (b'{"request": 1}', "not understood: malformed (Object missing required field `verb`)"),
        (b'{"request": 1, "verb": "format"}', "not understood: malformed (ValidationError)"),
    ],
)
def test_a_command_that_cannot_be_read_is_answered_with_what_is_wrong_and_done_nothing_about(
    counter: Counter, garbage: bytes, sentence: str
) -> None:
    client = counter.client(CONTROL)
    assert reply(counter.ask(client, garbage)[0]) == Reply(request=0, ok=False, message=sentence)
    assert counter.commands == []


def test_other_clients_frames_before_the_last_are_an_envelope(counter: Counter) -> None:
    client = counter.client(CONTROL)
    drain = Command(request=1, verb="drain")
    assert reply(counter.ask(client, b"", COMMAND.encode(drain))[0]).ok
    assert counter.commands == [drain]


def test_many_questions_are_answered_a_bounded_number_at_a_time(counter: Counter) -> None:
    client = counter.client(CONTROL)
    for number in range(100):
        data = COMMAND.encode(Command(request=number, verb="drain"))
        wait_for(lambda data=data: client.send([data]), what="the line")
    while len(counter.commands) < 100:
        before = len(counter.commands)
        counter.answers.serve()
        assert len(counter.commands) - before <= MOST_REQUESTS
    assert [reply(data).request for data in counter.replies(client, 100)] == list(range(100))


def test_who_asks_and_goes_hurts_nobody(counter: Counter) -> None:
    counter.track("claude", 3 * PAGE_SESSIONS)
    gone = counter.client(SNAPSHOT)
    wait_for(lambda: gone.send([SNAPSHOT_REQUEST.encode(SnapshotRequest(request=1))]), what="the line")
    gone.flush_and_close(1)
    assert [page.page for page in counter.pages(SnapshotRequest(request=2))] == [0, 1, 2]

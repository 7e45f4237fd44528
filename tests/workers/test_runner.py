import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from worker_board import PATIENCE, PROOF, WORKER, Board, Worker, update, write

from bellboard.protocol.channel import Poll
from bellboard.protocol.codec import DOWNWARD
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Ack, Drain, Fenced, Grant, Nack, Order
from bellboard.protocol.update import Beat, Bye, Fault, Hello, Update
from bellboard.workers import outbox, runner
from bellboard.workers.runner import EXIT_FAILED, EXIT_OK, EXIT_UNAVAILABLE


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


def test_a_worker_waits_for_a_board_that_comes_later(endpoint: str, order: Callable[..., Order]) -> None:
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
    work(factory="line_source:WatchedLines", watch=sys.platform.startswith("linux"), sweep=0.01, pulse=0.01)
    board.grant(credit=1)
    board.hear(Update)
    board.say(Drain(deadline=0.2))
    board.settle()
    write(sessions / "a", "three")  # which nobody reads any more
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

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from worker_board import PATIENCE, PROOF, Board, update, write

from bellboard.protocol.order import Ack, Drain, Grant
from bellboard.protocol.update import Bye, Hello, Update


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

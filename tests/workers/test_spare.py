import fcntl
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bellboard.workers.spare import READY, receive

Line = tuple[socket.socket, socket.socket]


@pytest.fixture
def line() -> Iterator[Line]:
    ours, theirs = socket.socketpair()
    ours.settimeout(10)
    with ours, theirs:
        yield ours, theirs


def test_an_order_that_is_there_is_taken_without_a_word(line: Line) -> None:
    ours, theirs = line
    ours.sendall(b"order " * 20_000)
    ours.shutdown(socket.SHUT_WR)
    assert receive(theirs) == b"order " * 20_000
    theirs.close()
    assert ours.recv(1) == b""


def test_one_without_an_order_imports_says_that_it_is_ready_and_waits(line: Line) -> None:
    ours, theirs = line
    found: list[bytes] = []
    spare = threading.Thread(target=lambda: found.append(receive(theirs)))
    spare.start()
    assert ours.recv(1) == READY
    assert "bellboard.sources.claude.source" in sys.modules
    assert spare.is_alive()
    ours.sendall(b"or")
    ours.sendall(b"der")
    ours.shutdown(socket.SHUT_WR)
    spare.join(10)
    assert found == [b"order"]


def test_the_lock_comes_with_the_order_and_lasts(line: Line, tmp_path: Path) -> None:
    ours, theirs = line
    path = tmp_path / "lock"
    before = set(os.listdir("/dev/fd"))
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        socket.send_fds(ours, [b"order"], [lock.fileno()])
        ours.shutdown(socket.SHUT_WR)
    with open(path) as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # still on its way
        assert receive(theirs) == b"order"
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (held,) = {fd for fd in set(os.listdir("/dev/fd")) - before if os.path.exists(f"/dev/fd/{fd}")} - {
            str(other.fileno())
        }
        assert os.get_inheritable(int(held)), "what the worker starts holds it, too"
        os.close(int(held))
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_supervisor_that_goes_leaves_no_order(line: Line) -> None:
    ours, theirs = line
    ours.close()
    assert receive(theirs) == b""

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import TypeAlias

import pytest

from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import UPWARD
from bellboard.protocol.update import Hello
from bellboard.workers.leash import EXIT_ORPHANED

PATIENCE = 10.0

Child: TypeAlias = "subprocess.Popen[str]"
Start: TypeAlias = Callable[..., Child]

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs PR_SET_PDEATHSIG and pidfds")

TIED = """
import ctypes, os, sys, time
from bellboard.workers.leash import Leash
leash = Leash(int(sys.argv[2]))
leash.bind(int(sys.argv[1]) or os.getppid())
print(os.getpid(), flush=True)
"""
"""A process that ties itself to its parent (or to the process that it is told is its parent) and then says so."""

BUSY = "while True: pass"
STUCK = "ctypes.PyDLL(None).sleep(600)"
"""A call that never gives back the interpreter's lock."""

ELSEWHERE = """
import sys
sys.platform = "elsewhere"
from bellboard.workers import leash
leash.BACKSTOP_SECONDS = float(sys.argv[3])
"""
"""What goes before in a process that pretends to be where there is no PR_SET_PDEATHSIG."""

PARENT = """
import os, subprocess, sys
code, pipe = sys.argv[1], int(sys.argv[2]) or os.pipe()[0]
child = subprocess.Popen([sys.executable, "-c", code, "0", str(pipe), "60"], pass_fds=[pipe], start_new_session=True)
sys.stdin.read()
"""
"""A process whose child reads from the given pipe, or from one that only the parent holds open."""

SUPERVISOR = """
import os, socket, subprocess, sys
from bellboard.protocol.codec import ORDER
from bellboard.protocol.order import Order
theirs, ours = socket.socketpair()
pipe, _ = os.pipe()
proof = "t"
order = Order(source="lines", inc=1, token=proof, endpoint=sys.argv[1], parent_pid=os.getpid())
ours.sendall(ORDER.encode(order))
ours.close()
command = [sys.executable, "-m", "bellboard.workers", str(theirs.fileno()), str(pipe)]
child = subprocess.Popen(command, pass_fds=[theirs.fileno(), pipe], start_new_session=True)
sys.stdin.read()
"""
"""A process that starts a worker as the supervisor does."""


@pytest.fixture
def start() -> Iterator[Start]:
    """Start Python processes, and end after the test what is left of them."""
    children: list[Child] = []

    def run(code: str, *arguments: object, pipe: int | None = None) -> Child:
        child = subprocess.Popen(
            [sys.executable, "-c", code, *(str(each) for each in arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=() if pipe is None else (pipe,),
        )
        children.append(child)
        return child

    yield run
    for child in children:
        child.kill()
        child.communicate()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """Make the pipe that a parent holds open: its reading and its writing end."""
    read, write = os.pipe()
    ends = os.fdopen(read, "rb"), os.fdopen(write, "wb")
    yield read, write
    for end in ends:
        end.close()


def said(child: Child) -> str:
    """Wait for a line."""
    assert child.stdout is not None
    assert select.select([child.stdout], [], [], PATIENCE)[0], "it said nothing"
    return child.stdout.readline().strip()


def gone(pid: int, parent: Child) -> bool:
    """Kill the parent, and wait a second for the end of its child."""
    child = os.pidfd_open(pid)
    try:
        assert not select.select([child], [], [], 0)[0], "it lives as long as its parent does"
        parent.kill()
        return bool(select.select([child], [], [], 1.0)[0])
    finally:
        os.close(child)


@linux
@pytest.mark.parametrize("doing", [BUSY, STUCK], ids=["busy", "holding the lock"])
def test_it_dies_within_a_second_of_its_parent_whatever_it_is_doing(
    start: Start, pipe: tuple[int, int], doing: str
) -> None:
    parent = start(PARENT, TIED + doing, pipe[0], pipe=pipe[0])
    assert gone(int(said(parent)), parent)


@linux
def test_elsewhere_the_end_of_the_pipe_does_the_same(start: Start) -> None:
    parent = start(PARENT, ELSEWHERE + TIED + BUSY, 0)
    assert gone(int(said(parent)), parent)


@linux
def test_a_whole_worker_dies_within_a_second_of_its_supervisor(start: Start, folder: str) -> None:
    endpoint = f"ipc://{folder}/ingest.sock"
    with Answering(endpoint) as board:
        parent = start(SUPERVISOR, endpoint)
        poll = Poll()
        poll.add(board)
        assert poll.wait(PATIENCE) == {board}
        received = board.receive()
        assert received is not None
        hello = UPWARD.decode(received[1][0])
        assert isinstance(hello, Hello)
        assert gone(hello.pid, parent)


def test_the_end_of_the_pipe_is_the_end(start: Start) -> None:
    read, write = os.pipe()
    child = start(TIED + BUSY, 0, read, pipe=read)
    os.close(read)
    assert int(said(child)) == child.pid
    os.write(write, b"what is said on the pipe does not matter")
    assert child.poll() is None
    os.close(write)
    assert child.wait(PATIENCE) == EXIT_ORPHANED


def test_a_parent_that_has_gone_before_is_noticed_at_once(start: Start, pipe: tuple[int, int]) -> None:
    child = start(TIED + BUSY, os.getppid(), pipe[0], pipe=pipe[0])
    assert child.wait(PATIENCE) == EXIT_ORPHANED == 75


def test_where_the_parents_death_is_no_signal_a_stuck_worker_ends_by_itself(
    start: Start, pipe: tuple[int, int]
) -> None:
    child = start(ELSEWHERE + TIED + STUCK, 0, pipe[0], 0.2, pipe=pipe[0])
    output, errors = child.communicate(timeout=PATIENCE)
    assert (child.returncode, output.strip()) == (1, str(child.pid))
    assert "Timeout (0:00:00.200000)!" in errors, "with a traceback of where it stuck"


def test_one_who_gets_round_its_loop_is_not_stuck(start: Start, pipe: tuple[int, int]) -> None:
    rounds = "for _ in range(30):\n    time.sleep(0.05)\n    leash.renew()\nprint('still here', flush=True)"
    child = start(ELSEWHERE + TIED + rounds, 0, pipe[0], 1.0, pipe=pipe[0])
    assert [said(child), said(child)] == [str(child.pid), "still here"]


@linux
def test_where_the_parents_death_is_a_signal_there_is_no_timer(start: Start, pipe: tuple[int, int]) -> None:
    patched = "from bellboard.workers import leash\nleash.BACKSTOP_SECONDS = 0.1\n"
    child = start(patched + TIED + "time.sleep(0.3)\nprint('still here')", 0, pipe[0], pipe=pipe[0])
    assert [said(child), said(child)] == [str(child.pid), "still here"]


def test_a_hung_worker_says_where_when_it_is_aborted(start: Start, pipe: tuple[int, int]) -> None:
    child = start(TIED + STUCK, 0, pipe[0], pipe=pipe[0])
    assert int(said(child)) == child.pid
    child.send_signal(signal.SIGABRT)
    _, errors = child.communicate(timeout=PATIENCE)
    assert child.returncode == -signal.SIGABRT
    assert "Fatal Python error: Aborted" in errors
    assert 'File "<string>", line' in errors

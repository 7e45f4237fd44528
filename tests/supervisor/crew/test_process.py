import os
import signal
import sys
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest
from harness import wait_for

from bellboard.protocol.channel import Answering, Poll
from bellboard.protocol.codec import ORDER, UPWARD
from bellboard.protocol.order import Order
from bellboard.protocol.update import Hello
from bellboard.supervisor.crew.process import LINE_BYTES, LOG_LINES, Process, ending

StandIn = Callable[[str], None]
Start = Callable[[], Process]

TOKEN = "0123456789abcdef0123456789abcdef"


def order(endpoint: str = "ipc:///nowhere", source: str = "mock", **options: Any) -> Order:
    """An order; with options that mock does not know, and so cannot be loaded with, unless others are given."""
    return Order(
        source=source, inc=3, token=TOKEN, endpoint=endpoint, parent_pid=os.getpid(), options=options or {"a": 1}
    )


def begun(words: Order | None = None) -> Process:
    """A process with its order and with a descriptor like that of a lock."""
    process = Process()
    with open(os.devnull, "r+b") as lock:
        process.give(words or order(), lock.fileno())
    return process


@pytest.fixture
def start() -> Iterator[Start]:
    started: list[Process] = []

    def begin() -> Process:
        started.append(begun())
        return started[-1]

    yield begin
    for process in started:
        process.send(signal.SIGKILL)
        assert process.wait(10)
        process.close()


def lines(process: Process, count: int) -> list[str]:
    """The first so many lines that a worker writes."""
    found: list[str] = []

    def enough() -> bool:
        found.extend(process.read_log())
        return len(found) >= count

    wait_for(enough, what=f"{count} line(s) of the log")
    return found


def descriptors() -> set[str]:
    return set(os.listdir("/dev/fd"))


def ended(process: Process) -> int:
    """Wait for the end of a worker; returns its exit code."""
    wait_for(lambda: process.exit() is not None, what="the end of the worker")
    code = process.exit()
    assert code is not None
    return code


def gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_order_comes_through_a_descriptor_and_nothing_of_it_stands_in_argv_or_environment(
    stand_in: StandIn, start: Start
) -> None:
    read = "import socket, sys; print(socket.socket(fileno=int(sys.argv[1])).recv(65536).hex(), flush=True)"
    stand_in(f'{sys.executable} -c "{read}" $3; echo "$@"; env | grep -c "$(printf %s {TOKEN})"')
    process = start()
    words, argv, found = lines(process, 3)
    assert ORDER.decode(bytes.fromhex(words)) == order()
    assert argv.split()[:2] == ["-m", "bellboard.workers"]
    assert TOKEN not in argv
    assert found == "0"


def test_a_worker_has_a_session_of_its_own_no_input_and_no_folder(stand_in: StandIn, start: Start) -> None:
    stand_in("pwd; cat; echo input over; exec sleep 60")
    process = start()
    assert lines(process, 2) == ["/", "input over"]
    assert os.getsid(process.pid) == process.pid
    assert (process.source, process.inc, process.token, process.exit()) == ("mock", 3, TOKEN, None)


def test_a_real_worker_says_hello_with_its_token_and_ends_when_the_pipe_does(folder: str) -> None:
    with Answering(f"ipc://{folder}/ingest.sock") as ingest:
        process = begun(order(f"ipc://{folder}/ingest.sock", home=folder))
        peer, frames = wait_for(ingest.receive, what="the Hello")
        assert peer == b"mock:3"
        assert [UPWARD.decode(frame) for frame in frames] == [
            Hello(v=1, source="mock", inc=3, token=TOKEN, pid=process.pid)
        ]
        process.close()
        assert ended(process) == 75


def test_a_real_worker_writes_a_traceback_of_where_it_hangs_when_it_is_aborted(folder: str) -> None:
    with Answering(f"ipc://{folder}/ingest.sock") as ingest:
        process = begun(order(f"ipc://{folder}/ingest.sock", home=folder))
        wait_for(ingest.receive, what="the Hello")
        process.send(signal.SIGABRT)
        assert ended(process) == -signal.SIGABRT
        assert "Fatal Python error: Aborted" in process.read_log()
        process.close()


@pytest.mark.parametrize(
    ("script", "code"),
    [("exit 0", 0), ("exit 3", 3), ("kill -SEGV $$", -signal.SIGSEGV), ("kill -KILL $$", -signal.SIGKILL)],
)
def test_the_end_of_a_worker_wakes_the_poll_and_says_how(
    stand_in: StandIn, start: Start, script: str, code: int
) -> None:
    stand_in(script)
    process = start()
    if process.pidfd is None:
        pytest.skip("this system has no pidfd")
    poll = Poll()
    poll.add(process.pidfd)
    assert poll.wait(10) == {process.pidfd}
    assert process.exit() == code
    assert process.exit() == code
    process.send(signal.SIGTERM)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit code 0"),
        (75, "exit code 75"),
        (-9, "killed by SIGKILL"),
        (-11, "killed by SIGSEGV"),
        (-100, "killed by signal 100"),
    ],
)
def test_an_end_is_said_in_words(code: int, words: str) -> None:
    assert ending(code) == words


def test_a_signal_goes_to_the_worker_and_a_kill_to_all_that_it_started(stand_in: StandIn, start: Start) -> None:
    stand_in('trap "echo asked" TERM; sleep 60 & echo $!; while :; do wait; done')
    process = start()
    (child,) = lines(process, 1)
    process.send(signal.SIGTERM)
    assert lines(process, 1) == ["asked"]
    assert process.exit() is None
    process.send(signal.SIGKILL)
    assert ended(process) == -signal.SIGKILL
    wait_for(lambda: gone(int(child)), what="the end of the child")


def test_a_log_is_read_in_whole_lines(stand_in: StandIn, start: Start) -> None:
    stand_in("exec sleep 60")
    process = start()
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.dup2(read, process.log_fd)
    os.close(read)

    assert process.read_log() == []
    os.write(write, b"one\ntw")
    assert process.read_log() == ["one"]
    assert process.read_log() == []
    os.write(write, b"o\n\n   \nthr\xffee\nrest")
    assert process.read_log() == ["two", "thr\ufffdee"]
    assert not process.log_ended
    os.close(write)
    assert process.read_log() == ["rest"]
    assert process.log_ended
    assert process.read_log() == []
    assert list(process.log) == ["one", "two", "thr\ufffdee", "rest"]


def test_a_line_without_end_is_cut_and_old_lines_are_forgotten(stand_in: StandIn, start: Start) -> None:
    stand_in("exec sleep 60")
    process = start()
    read, write = os.pipe()
    os.set_blocking(read, False)
    os.dup2(read, process.log_fd)
    os.close(read)

    os.write(write, b"x" * (LINE_BYTES + 1))
    assert process.read_log() == ["x" * LINE_BYTES]
    os.write(write, b"y" * 5000 + b"\n")
    assert process.read_log() == ["y" * LINE_BYTES]
    for number in range(LOG_LINES + 5):
        os.write(write, f"{number}\n".encode())
    process.read_log()
    os.close(write)
    assert list(process.log) == [str(number) for number in range(5, LOG_LINES + 5)]


def test_usage_is_known_while_there_is_a_process(stand_in: StandIn, start: Start) -> None:
    stand_in("exec sleep 60")
    process = start()
    rss, cpu = process.usage()
    assert rss is not None
    assert rss > 0
    assert cpu is not None
    process.send(signal.SIGKILL)
    ended(process)
    assert process.usage() == (None, None)


def test_nothing_is_left_open_behind_a_worker(stand_in: StandIn) -> None:
    stand_in("exit 0")
    before = descriptors()
    process = begun()
    ended(process)
    process.close()
    assert descriptors() == before


def test_a_worker_that_cannot_be_started_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    before = descriptors()
    with pytest.raises(FileNotFoundError):
        begun()
    assert descriptors() == before


def test_a_worker_that_dies_before_its_order_is_written_is_a_worker_that_ended(
    stand_in: StandIn, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies_first(pid: int, _: int = 0) -> int:
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        raise OSError

    stand_in("exit 1")
    monkeypatch.setattr(os, "pidfd_open", dies_first, raising=False)
    process = start()
    assert (process.pidfd, process.exit()) == (None, 1)


def test_a_system_without_pidfds_is_served_too(
    stand_in: StandIn, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    stand_in("exit 4")
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    process = start()
    assert process.pidfd is None
    assert ended(process) == 4


def test_what_an_aborted_worker_started_ends_with_it(stand_in: StandIn, start: Start) -> None:
    stand_in("sleep 60 & echo $!; wait")
    process = start()
    (child,) = lines(process, 1)
    process.send(signal.SIGABRT)
    assert ended(process) == -signal.SIGABRT
    wait_for(lambda: gone(int(child)), what="the end of the child")

import contextlib
import os
import socket
from collections.abc import Iterator

import pytest

from bellboard.supervisor.service.notify import Notify


class Systemd:
    """What listens at the other end."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.setblocking(False)

    def heard(self) -> list[str]:
        found: list[str] = []
        while True:
            try:
                found.append(self.socket.recv(4096).decode())
            except BlockingIOError:
                return found


@pytest.fixture(params=["path", "abstract"])
def line(request: pytest.FixtureRequest, folder: str) -> Iterator[tuple[Systemd, str]]:
    name = f"{folder}/notify.sock" if request.param == "path" else f"@{folder}"
    systemd = Systemd(name.replace("@", "\0"))
    with systemd.socket:
        yield systemd, name


def test_a_life_is_ready_alive_and_stopping(line: tuple[Systemd, str]) -> None:
    systemd, name = line
    environ = {"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": str(os.getpid()), "HOME": "/h"}
    notify = Notify(environ)
    assert environ == {"HOME": "/h"}, "no worker may speak for us"
    assert notify.beat == 15.0
    notify.ready()
    notify.tick(100.0, "2 healthy")
    notify.tick(107.4, "2 healthy")
    notify.tick(114.9, "1 degraded, 1 healthy")
    notify.tick(130.0, "1 degraded, 1 healthy")
    notify.stopping()
    assert systemd.heard() == [
        "READY=1",
        "WATCHDOG=1\nSTATUS=2 healthy",
        "WATCHDOG=1\nSTATUS=1 degraded, 1 healthy",
        "WATCHDOG=1",
        "STOPPING=1\nSTATUS=ending when the workers have",
    ]


@pytest.mark.parametrize("foreign", [{"WATCHDOG_PID": "1"}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}])
def test_a_watchdog_that_is_not_ours_is_not_fed(line: tuple[Systemd, str], foreign: dict[str, str]) -> None:
    systemd, name = line
    notify = Notify({"NOTIFY_SOCKET": name, "WATCHDOG_USEC": "1000", "WATCHDOG_PID": str(os.getpid())} | foreign)
    notify.tick(1.0, "")
    assert (notify.beat, systemd.heard()) == (None, [])


def test_without_systemd_nothing_is_said_and_one_that_went_away_is_no_trouble(folder: str) -> None:
    for environ in ({}, {"NOTIFY_SOCKET": f"{folder}/nobody.sock", "WATCHDOG_USEC": "1000"}):
        notify = Notify(environ)
        notify.ready()
        notify.tick(1.0, "x")
        notify.stopping()


def test_a_systemd_that_does_not_read_holds_nobody_up_and_hears_later_what_it_missed(line: tuple[Systemd, str]) -> None:
    systemd, name = line
    notify = Notify({"NOTIFY_SOCKET": name})
    for number in range(5000):
        notify.tick(1.0, str(number))
    assert len(systemd.heard()) < 5000, "its queue was full"
    notify.tick(2.0, "4999")
    assert systemd.heard() == ["STATUS=4999"]


def test_ready_that_could_not_be_said_is_said_with_the_next_word(line: tuple[Systemd, str]) -> None:
    systemd, name = line
    notify = Notify({"NOTIFY_SOCKET": name})
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as noisy, contextlib.suppress(BlockingIOError):
        noisy.setblocking(False)
        while True:
            noisy.sendto(b"x", name.replace("@", "\0"))
    notify.ready()
    systemd.heard()
    notify.tick(1.0, "2 healthy")
    notify.tick(2.0, "2 healthy")
    assert systemd.heard() == ["READY=1\nSTATUS=2 healthy"]

import os
import select
import signal

import pytest

from bellboard.supervisor.signals import HANDLED, Signals


def readable(fd: int, seconds: float) -> bool:
    return select.select([fd], [], [], seconds)[0] == [fd]


@pytest.mark.parametrize("number", HANDLED, ids=lambda number: number.name)
def test_a_signal_wakes_up_whoever_polls_and_is_told_once(number: signal.Signals) -> None:
    with Signals() as signals:
        assert signals.taken() == []
        assert not readable(signals.fd, 0)
        signal.raise_signal(number)
        assert readable(signals.fd, 5)
        assert signals.taken() == [number]
        assert not readable(signals.fd, 0)
        assert signals.taken() == []


def test_signals_are_told_in_order() -> None:
    with Signals() as signals:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGTERM):
            signal.raise_signal(number)
        assert signals.taken() == [signal.SIGTERM, signal.SIGHUP, signal.SIGTERM]


def test_a_flood_of_signals_neither_blocks_nor_is_lost() -> None:
    with Signals() as signals:
        for _ in range(100_000):
            signal.raise_signal(signal.SIGHUP)
        assert len(signals.taken()) == 100_000
        while readable(signals.fd, 0):
            assert signals.taken() == []


def test_what_was_set_before_is_set_again_and_nothing_stays_open() -> None:
    open_before = os.listdir("/dev/fd")
    handlers = [signal.getsignal(number) for number in HANDLED]
    with Signals():
        assert [signal.getsignal(number) for number in HANDLED] != handlers
    assert [signal.getsignal(number) for number in HANDLED] == handlers
    assert signal.set_wakeup_fd(-1) == -1
    assert os.listdir("/dev/fd") == open_before

"""Faults for system tests, put on PYTHONPATH by them alone.

BELLBOARD_TEST_WIRE=1 makes every worker's line bad: a message may be lost, come twice, or come again much later.
BELLBOARD_TEST_EIO=PATH lets every second statement of the supervisor fail, with the words of that file, while it is there.
BELLBOARD_TEST_RECORD=PATH appends every byte of every worker's line, in both directions, to that file.
BELLBOARD_TEST_LOAD=RATE,SESSIONS lets the worker be a load: so many updates a second, to its sessions in turn (load.py).
BELLBOARD_TEST_LOOSE=1 loosens the ledger: every update is applied, whatever cursor it starts from (negative control).
BELLBOARD_TEST_DIE=0.01 lets a process be killed with this probability before and after each step of the way of the data;
where it died is a line in the file BELLBOARD_TEST_DEATHS.
"""

import os
import random
import signal
import sys
from typing import Any

_WORDS = sys.orig_argv
_RECORD = os.environ.get("BELLBOARD_TEST_RECORD")
_SWITCH = os.environ.get("BELLBOARD_TEST_EIO")


def _bad_wire() -> None:
    from bellboard.protocol.channel import Asking

    send = Asking.send
    kept: list[list[bytes]] = []

    def noisy(self: Asking, frames: list[bytes]) -> bool:
        if random.random() < 0.05:
            return True  # lost: nobody is told
        done = send(self, frames)
        if done:
            kept.append(list(frames))
            if random.random() < 0.3:
                send(self, frames)
            if random.random() < 0.2:
                send(self, kept[random.randrange(len(kept))])
        return done

    Asking.send = noisy  # type: ignore[method-assign]


def _recorded(path: str) -> None:
    from bellboard.protocol.channel import Asking

    send, receive = Asking.send, Asking.receive

    def note(frames: Any) -> None:
        with open(path, "ab") as file:
            file.writelines(frames or ())

    def sending(self: Asking, frames: list[bytes]) -> bool:
        note(frames)
        return send(self, frames)

    def receiving(self: Asking) -> Any:
        frames = receive(self)
        note(frames)
        return frames

    Asking.send, Asking.receive = sending, receiving  # type: ignore[method-assign]


def _loose_ledger() -> None:
    from bellboard.supervisor.aggregator import ledger

    ledger.Ledger.judge = lambda self, source, update, staged: ledger.Verdict("apply")  # type: ignore[method-assign]


def _failpoint(owner: Any, name: str, chance: float) -> None:
    """Let the process be killed before and after each call of a method."""
    method = getattr(owner, name)

    def fatal(self: Any, *words: Any, **named: Any) -> Any:
        _maybe_die(f"before {owner.__name__}.{name}", chance)
        result = method(self, *words, **named)
        _maybe_die(f"after {owner.__name__}.{name}", chance)
        return result

    setattr(owner, name, fatal)


def _maybe_die(where: str, chance: float) -> None:
    if random.random() < chance:
        fd = os.open(os.environ["BELLBOARD_TEST_DEATHS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(fd, f"{where}\n".encode())
        os.kill(os.getpid(), signal.SIGKILL)


def _deadly_worker(chance: float) -> None:
    from bellboard.workers.outbox import Outbox
    from bellboard.workers.round import Round
    from bellboard.workers.runner import Runner

    _failpoint(Round, "step", chance)
    _failpoint(Outbox, "put", chance)
    _failpoint(Outbox, "ack", chance)
    _failpoint(Runner, "_send_due", chance / 10)


def _deadly_supervisor(chance: float) -> None:
    from bellboard.supervisor.aggregator.aggregator import Aggregator
    from bellboard.supervisor.store import Store
    from bellboard.supervisor.voice import Voice

    _failpoint(Store, "commit", chance)
    _failpoint(Store, "next_incarnation", chance)
    _failpoint(Aggregator, "adopt", chance)
    _failpoint(Voice, "say", chance / 4)


if os.environ.get("BELLBOARD_TEST_DIE"):
    if "bellboard.workers" in _WORDS:
        _deadly_worker(float(os.environ["BELLBOARD_TEST_DIE"]))
    elif "bellboard.supervisor" in _WORDS and "run" in _WORDS:
        _deadly_supervisor(float(os.environ["BELLBOARD_TEST_DIE"]) / 2)


def _bad_disk(switch: str) -> None:
    import sqlite3

    class Failing(sqlite3.Connection):
        def execute(self, sql: str, *values: Any) -> sqlite3.Cursor:
            _strike()
            return super().execute(sql, *values)

        def executemany(self, sql: str, *values: Any) -> sqlite3.Cursor:
            _strike()
            return super().executemany(sql, *values)

    def _strike() -> None:
        if os.path.exists(switch) and random.random() < 0.5:
            with open(switch, encoding="utf-8") as file:
                raise sqlite3.OperationalError(file.read())

    connect = sqlite3.connect
    sqlite3.connect = lambda *words, **more: connect(*words, factory=Failing, **more)  # type: ignore[assignment]


if _SWITCH and "bellboard.supervisor" in _WORDS:
    _bad_disk(_SWITCH)
if _RECORD and "bellboard.workers" in _WORDS:
    _recorded(_RECORD)
if os.environ.get("BELLBOARD_TEST_LOAD") and "bellboard.workers" in _WORDS:
    import load

    load.install()
if os.environ.get("BELLBOARD_TEST_WIRE") and "bellboard.workers" in _WORDS:
    _bad_wire()
if os.environ.get("BELLBOARD_TEST_LOOSE") and "bellboard.supervisor" in _WORDS:
    _loose_ledger()

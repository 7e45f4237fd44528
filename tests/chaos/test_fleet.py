"""Many machines on one board through kills of everything and partitions: in the end it says what each machine says.

Machines are mock boards, so that two processors can bear fifty of them, and a few real supervisors whose sources read files.
The exporters of the former run together in one process, those of the latter by the command; a viewer lives through it all.
"""

import contextlib
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Self

import msgspec
import pytest
from chaos.proxy import Proxy
from faulty import append, settle
from harness import COMMAND, House, short_folder, wait_for
from nats_server import NatsServer, nats_server, needs_server
from proof import Proof

from bellboard.protocol import Subscriber, privacy
from bellboard.protocol.session import SessionState
from bellboard.protocol.testing import MockBoard

needs_server()

from bellboard.supervisor.fleet.lodging import Lodging
from bellboard.supervisor.fleet.view import View

EXPORTERS = Path(__file__).parents[1] / "support" / "chaos" / "exporters.py"
MOST_SECONDS = 10.0
SOURCES = ("claude", "codex")

Picture = dict[tuple[str, str, str], SessionState]
"""Sessions by host, source and id, at the level at which machines tell them."""


class Machine:
    """A real supervisor with an exporter of its own; `name` is its host."""

    def __init__(self, name: str, folder: Path, url: str) -> None:
        folder.mkdir()
        self.name, self.house, self._url = name, House(folder), url
        settle(self.house, "load")
        self.supervisor = self.house.start(seconds=30)
        self._log = (folder / "export.log").open("wb")
        self.exporter = self._export()

    def kill_supervisor(self) -> None:
        self.supervisor.kill()
        self.supervisor.wait()
        self.supervisor = self.house.start(seconds=30)

    def kill_exporter(self) -> None:
        self.exporter.kill()
        self.exporter.wait()
        self.exporter = self._export()

    def board(self) -> Subscriber:
        board = Subscriber(str(self.house.runtime))
        board.join()
        return board

    def close(self) -> None:
        self.exporter.terminate()
        self.exporter.wait(10)
        self.house.close()
        self._log.close()

    def _export(self) -> "subprocess.Popen[bytes]":
        words = [*COMMAND, "export", "nats", "--url", self._url, "--host-name", self.name]
        return subprocess.Popen(words, env={**os.environ, **self.house.env}, stdout=self._log, stderr=self._log)


class Crowd:
    """Mock boards, and one process with the exporters of all of them."""

    def __init__(self, count: int, sessions: int, folder: Path, url: str) -> None:
        self.boards = {f"host-{number:02}": MockBoard() for number in range(count)}
        self._folder, self._url = folder, url
        for board in self.boards.values():
            board.put(*[SessionState(id=f"s{n}", source=SOURCES[n % 2], title=f"Secret {n}") for n in range(sessions)])
            for source in SOURCES:
                board.health(source, pid=1)
        self._log = (folder / "exporters.log").open("wb")
        self.exporters = self._export()

    def kill(self) -> None:
        self.exporters.kill()
        self.exporters.wait()
        self.exporters = self._export()

    def sessions(self) -> Picture:
        found: Picture = {}
        for host, board in self.boards.items():
            found |= _told(host, tuple(board.sessions.values()))
        return found

    def close(self) -> None:
        self.exporters.kill()
        self.exporters.wait()
        for board in self.boards.values():
            board.close()
        self._log.close()

    def _export(self) -> "subprocess.Popen[bytes]":
        hosts = [f"{host}={board.runtime_dir}" for host, board in self.boards.items()]
        words = [sys.executable, str(EXPORTERS), self._url, str(self._folder / "outboxes"), *hosts]
        return subprocess.Popen(words, stdout=self._log, stderr=self._log)


class Load:
    """Changes sessions at a steady rate, on all machines; now and then one leaves its board and another one comes."""

    def __init__(self, crowd: Crowd, machines: list[Machine], rate: float, chance: random.Random) -> None:
        self.done = 0
        self._crowd, self._machines, self._rate, self._chance = crowd, machines, rate, chance
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        began = time.monotonic()
        boards = list(self._crowd.boards.values())
        while not self._over.is_set():
            if (behind := int((time.monotonic() - began) * self._rate) - self.done) <= 0:
                self._over.wait(0.005)
                continue
            for _ in range(min(behind, 50)):
                self._change(self._chance.choice(boards))
                self.done += 1

    def _change(self, board: MockBoard) -> None:
        source, name = self._chance.choice(list(board.sessions))
        what = self._chance.random()
        if what < 0.01:
            board.session(source, name, activity="terminal")
            board.remove(source, name)
            board.session(source, f"{name}'", title="New", message_count=1)
        elif what < 0.05:
            machine = self._chance.choice(self._machines)
            append(machine.house, "load", f"f{self._chance.randrange(20)}")
        else:
            count = board.sessions[source, name].message_count + 1
            board.session(source, name, message_count=count, activity=self._chance.choice(("working", "waiting")))


class Nemesis:
    """What happens to them meanwhile."""

    def __init__(
        self,
        server: NatsServer,
        crowd: Crowd,
        machines: list[Machine],
        lines: tuple[Proxy, Proxy],
        chance: random.Random,
    ) -> None:
        self._server, self._crowd, self._machines = server, crowd, machines
        self._lines, self._chance = lines, chance
        self.kills: tuple[Callable[[], None], ...] = (
            self._kill_server,
            crowd.kill,
            lambda: chance.choice(machines).kill_exporter(),
            lambda: chance.choice(machines).kill_supervisor(),
            lambda: chance.choice(list(crowd.boards.values())).restart(empty=False),
            self._stop_server,
        )

    def kill(self, number: int) -> None:
        self.kills[number % len(self.kills)]()
        time.sleep(self._chance.uniform(0.2, 1.5))

    def part(self, number: int) -> None:
        line = self._lines[number % 2]
        line.cut()
        time.sleep(self._chance.uniform(0.5, 6))
        line.heal(broken=number % 3 != 0)

    def _kill_server(self) -> None:
        self._server.kill()
        time.sleep(self._chance.uniform(0.1, 2))
        self._server.start()

    def _stop_server(self) -> None:
        self._server.pause()
        time.sleep(self._chance.uniform(0.5, 4))
        self._server.go_on()


@contextlib.contextmanager
def fleet(
    folder: Path, mocks: int, real: int, sessions: int
) -> Generator[tuple[NatsServer, Crowd, list[Machine], tuple[Proxy, Proxy]]]:
    """Run a server, the machines, and a line for exporters and one for viewers."""
    with contextlib.ExitStack() as held:
        server = held.enter_context(nats_server(folder / "nats"))
        lines = held.enter_context(Proxy(server.port)), held.enter_context(Proxy(server.port))
        url = f"nats://127.0.0.1:{lines[0].port}"
        crowd = Crowd(mocks, sessions, folder, url)
        held.callback(crowd.close)
        machines: list[Machine] = []
        for number in range(real):
            machines.append(Machine(f"real-{number}", folder / f"real-{number}", url))
            held.callback(machines[-1].close)
            append(machines[-1].house, "load", "f0")
        yield server, crowd, machines, lines


@pytest.mark.timeout(900)
def test_in_the_end_every_viewer_says_what_every_machine_says(proof: Proof) -> None:
    chance = random.Random(int(os.environ.get("BELLBOARD_TEST_SEED", "8")))
    real, mocks, sessions = proof.many(1, 3), proof.many(5, 47), proof.many(10, 40)
    kills, partitions, rate = proof.many(6, 30), proof.many(2, 10), float(proof.many(100, 500))
    with short_folder() as folder, fleet(folder, mocks, real, sessions) as (server, crowd, machines, lines):
        url = f"nats://127.0.0.1:{lines[1].port}"
        with Lodging(View(url=url)) as lodging:
            lodging.wait()
            with Subscriber(lodging.folder, patience=30) as viewer:
                viewer.join()
                began = time.monotonic()
                with Load(crowd, machines, rate, chance) as load:
                    nemesis = Nemesis(server, crowd, machines, lines, chance)
                    deeds = [("kill", n) for n in range(kills)] + [("part", n) for n in range(partitions)]
                    chance.shuffle(deeds)
                    for what, number in deeds:
                        (nemesis.kill if what == "kill" else nemesis.part)(number)
                        viewer.receive(0)
                took = time.monotonic() - began
                quiet = time.monotonic()
                with contextlib.ExitStack() as held:
                    boards = {each.name: held.enter_context(each.board()) for each in machines}
                    wait_for(
                        lambda: _shown(_now(viewer)) == _wanted(crowd, boards), 3 * MOST_SECONDS, "the equal board"
                    )
                    settled = time.monotonic() - quiet
                    assert not [state.origin for state in viewer.health.values() if state.status == "offline"]
                    wait_for(lambda: _shown(_asked(server)) == _wanted(crowd, boards), 30, "a new viewer's equal board")
                    count = len(_wanted(crowd, boards))
    proof.figure(
        f"{mocks + real} machines ({real} real supervisors), {count} sessions, {load.done / took:.0f} events/s for "
        f"{took:.0f} s, {kills} kills, {partitions} partitions: 0 differences after {settled:.1f} s"
    )
    assert settled <= MOST_SECONDS


def _wanted(crowd: Crowd, boards: dict[str, Subscriber]) -> Picture:
    """Return what all machines say now."""
    found = crowd.sessions()
    for host, board in boards.items():
        found |= _told(host, _now(board))
    return found


def _now(board: Subscriber) -> tuple[SessionState, ...]:
    board.receive(0.05)
    return tuple(board.sessions.values())


def _asked(server: NatsServer) -> tuple[SessionState, ...]:
    """Return what a viewer says that has only just come."""
    words = [*COMMAND, "sessions", "--fleet", server.url, "--json"]
    done = subprocess.run(words, capture_output=True, check=True, timeout=60)
    return msgspec.convert(json.loads(done.stdout)["sessions"], tuple[SessionState, ...])


def _told(host: str, sessions: tuple[SessionState, ...]) -> Picture:
    """Return what a machine tells the fleet."""
    return {(host, each.source, each.id): privacy.session(each, "names") for each in sessions}


def _shown(sessions: tuple[SessionState, ...]) -> Picture:
    """Return what a viewer shows."""
    return {
        (str(each.host), each.source, each.id): msgspec.structs.replace(each, host=msgspec.UNSET) for each in sessions
    }

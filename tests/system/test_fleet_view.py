"""A fleet as its viewers see it: a real nats-server, two machines with real exporters, and every command that can look."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from harness import COMMAND, House, alive, wait_for
from nats_server import NatsServer, nats_server, needs_server, shipped
from terminal import Terminal, needs_tmux
from web import Web

from bellboard.protocol.testing import MockBoard

needs_server()

HOSTS = ("laptop", "tower")


class Fleet:
    """Two machines that tell their boards to a server, and a house in which it is looked at."""

    def __init__(self, root: Path, server: NatsServer) -> None:
        self.server = server
        self.boards: dict[str, MockBoard] = {}
        self.root = root
        self.house = House(root)
        self._exporters: dict[str, subprocess.Popen[bytes]] = {}

    def join(self, host: str) -> MockBoard:
        """Let a machine be on the fleet."""
        board = self.boards[host] = MockBoard()
        board.health("claude", pid=40, settled=True)
        self.export(host)
        return board

    def export(self, host: str) -> None:
        words = ["export", "nats", "--url", self.server.url, "--host-name", host]
        env = {**os.environ, **self.house.env, "BELLBOARD_RUNTIME_DIR": self.boards[host].runtime_dir}
        state = self.root / f"state-{host}"
        with (self.root / f"{host}.log").open("w") as log:
            self._exporters[host] = subprocess.Popen(
                [*COMMAND, *words, "--state-dir", str(state)], env=env, stdout=log, stderr=log
            )

    def leave(self, host: str) -> None:
        """Let a machine's exporter end in good order."""
        exporter = self._exporters.pop(host)
        exporter.send_signal(signal.SIGTERM)
        exporter.wait(15)

    def look(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command that looks at the fleet."""
        return self.house.command(*words, "--fleet", self.server.url)

    def sessions(self) -> dict[tuple[str, str], dict[str, Any]]:
        done = self.look("sessions", "--json")
        assert done.returncode == 0, done.stderr
        return {(each["host"], each["id"]): each for each in json.loads(done.stdout)["sessions"]}

    def local(self) -> set[tuple[str, str, int]]:
        """What the machines' own boards have: machine, session, version."""
        return {
            (host, each.id, each.version) for host, board in self.boards.items() for each in board.sessions.values()
        }

    def settled(self, sessions: dict[tuple[str, str], dict[str, Any]]) -> bool:
        return {(host, name, each["version"]) for (host, name), each in sessions.items()} == self.local()

    def close(self) -> None:
        for host in list(self._exporters):
            self.leave(host)
        for board in self.boards.values():
            board.close()
        self.house.close()


@pytest.fixture
def fleet(folder: str) -> Iterator[Fleet]:
    with nats_server(Path(folder) / "nats") as server:
        made = Fleet(Path(folder), server)
        try:
            for number, host in enumerate(HOSTS):
                board = made.join(host)
                board.session("claude", "same", title=f"on {host}", working_dir=f"/src/p{number}", activity="working")
            wait_for(lambda: made.settled(made.sessions()), 30, "both machines on the fleet")
            yield made
        finally:
            made.close()


@contextlib.contextmanager
def followed(fleet: Fleet, *words: str) -> Generator[tuple[subprocess.Popen[str], Path]]:
    """Run a command that goes on, its output in a file."""
    out = fleet.root / "followed.txt"
    with out.open("w") as file:
        process = subprocess.Popen(
            [*COMMAND, *words, "--fleet", fleet.server.url],
            env={**os.environ, **fleet.house.env},
            stdout=file,
            stderr=subprocess.STDOUT,
            text=True,
        )
    try:
        yield process, out
    finally:
        process.kill()
        process.wait()


def relays(pid: int) -> list[psutil.Process]:
    found: list[psutil.Process] = []
    for each in psutil.Process(pid).children():
        with contextlib.suppress(psutil.Error):
            found += [each] if "--private" in each.cmdline() else []
    return found


def test_each_session_is_listed_with_its_machine_in_tables_and_documents(fleet: Fleet) -> None:
    assert {key: each["title"] for key, each in fleet.sessions().items()} == {
        ("laptop", "same"): None,  # an exporter tells names only, unless asked for more
        ("tower", "same"): None,
    }
    table = fleet.look("sessions").stdout.splitlines()
    assert table[0].split()[:2] == ["STATE", "HOST"]
    assert sorted(line.split()[2] for line in table[1:]) == ["laptop", "tower"]
    assert fleet.look("health").stdout.split("\n")[0].split()[:2] == ["claude@laptop", "healthy"]
    chosen = fleet.house.command("--fleet", fleet.server.url, "sessions", "--json", "--source", "claude@tower")
    assert ([each["host"] for each in json.loads(chosen.stdout)["sessions"]], chosen.stderr) == (["tower"], "")
    fleet.house.config.write_text(f'[fleet]\nurl = "{fleet.server.url}"\n')
    assert len(json.loads(fleet.house.command("sessions", "--json", "--fleet").stdout)["sessions"]) == 2


def test_a_machine_that_leaves_is_offline_with_its_sessions_and_no_error(fleet: Fleet) -> None:
    fleet.leave("tower")
    done = fleet.look("health", "--json")
    states = {state["host"]: state for state in json.loads(done.stdout)["health"]}
    assert (done.returncode, states["laptop"]["status"], states["tower"]["status"]) == (0, "healthy", "offline")
    assert states["tower"]["reason"].startswith("not heard since ")
    assert fleet.settled(fleet.sessions())
    fleet.export("tower")
    wait_for(lambda: "offline" not in fleet.look("health").stdout, 30, "the machine's return")


def test_a_server_that_is_killed_makes_the_picture_old_and_then_all_is_as_on_the_machines(fleet: Fleet) -> None:
    with followed(fleet, "watch", "--jsonl") as (_, out):
        wait_for(lambda: '"snapshot"' in out.read_text(), 15, "the first picture")
        fleet.server.kill()
        gone = f"the fleet at {fleet.server.url} is not heard any more: waiting for it"
        wait_for(lambda: gone in out.read_text(), 20, "the news of it")
        for board in fleet.boards.values():
            board.session("claude", "same", activity="waiting", waiting_for="permission")
            board.session("claude", "meanwhile", activity="working")
        fleet.server.start()
        wait_for(lambda: "heard again" in out.read_text(), 45, "its return")
        seen = '"id":"meanwhile"'
        wait_for(lambda: out.read_text().count(seen) >= len(HOSTS), 45, "what happened meanwhile")
        wait_for(lambda: fleet.settled(fleet.sessions()), 30, "equality")


def test_a_relay_that_is_killed_is_started_again_and_ends_with_its_command(fleet: Fleet) -> None:
    with followed(fleet, "watch") as (process, out):
        wait_for(lambda: "snapshot" in out.read_text(), 15, "the first picture")
        (first,) = relays(process.pid)
        place = Path(first.cmdline()[first.cmdline().index("--runtime-dir") + 1])
        first.kill()
        again = wait_for(lambda: [each for each in relays(process.pid) if each.pid != first.pid], 20, "another relay")
        fleet.boards["tower"].session("claude", "later", activity="working")
        wait_for(lambda: "later" in out.read_text() or out.read_text().count("snapshot") > 1, 30, "what it says")
        process.kill()
        wait_for(lambda: not alive(again[0]), 15, "its end")
        wait_for(lambda: not place.exists(), 15, "its folder's end")


def test_what_keeps_the_fleet_from_being_seen_is_said_in_a_sentence_with_an_exit_code(fleet: Fleet) -> None:
    fleet.server.kill()
    began = time.monotonic()
    gone = fleet.look("sessions", "--json")
    assert (gone.returncode, gone.stdout, len(gone.stderr.splitlines())) == (3, "", 1)
    assert gone.stderr.startswith("bellboard: the fleet is not heard: 127.0.0.1")
    assert time.monotonic() - began < 20
    told = {
        ("--fleet", "nats://u:p@h:1"): "--creds",
        ("--fleet", "sessions"): "write nats://HOST:PORT",
        ("--fleet",): "which fleet?",
        ("--fleet", fleet.server.url, "--runtime-dir", "x"): "--runtime-dir means nothing",
        ("--fleet", fleet.server.url, "--once"): "--once reads the files of this machine",
        ("--creds", "x"): "--creds means nothing without --fleet",
        ("--fleet", fleet.server.url, "--creds", "/nowhere"): "cannot read the credentials",
    }
    for words, sentence in told.items():
        done = fleet.house.command("sessions", *words)
        assert (done.returncode, sentence in done.stderr) == (2, True), (words, done.stderr)
    assert fleet.house.command("doctor", "--fleet", "nats://h:1").returncode == 2
    named = fleet.house.command("export", "nats", "--url", fleet.server.url, "--host-name", "my box")
    assert (named.returncode, "cannot be the name of a machine" in named.stderr) == (2, True)


def test_a_viewer_that_is_not_known_is_refused_and_one_that_is_may_look(folder: str) -> None:
    root = Path(folder)
    people = root / "creds"
    config = shipped(people)
    place = root / "nats"
    place.mkdir()
    shutil.copy(people / "passwords.conf", place / "passwords.conf")
    wrong = people / "wrong"
    wrong.write_text("viewer:nothing-like-it\n")
    wrong.chmod(0o600)
    with nats_server(place, config) as server:
        house = House(root)

        def run(*words: str) -> subprocess.CompletedProcess[str]:
            return house.command(*words)

        made = run("export", "nats", "--url", server.url, "--creds", str(people / "admin"), "--init")
        assert made.returncode == 0, made.stderr
        refused = run("sessions", "--fleet", server.url, "--creds", str(wrong))
        assert (refused.returncode, len(refused.stderr.splitlines())) == (1, 1), refused.stderr
        seen = run("sessions", "--json", "--fleet", server.url, "--creds", str(people / "viewer"))
        assert (seen.returncode, json.loads(seen.stdout)["sessions"]) == (0, []), seen.stderr


def test_the_gateway_serves_a_fleet_with_its_machines(fleet: Fleet) -> None:
    web = Web(fleet.house, "--fleet", fleet.server.url)
    try:
        wait_for(lambda: web.ask("/readyz").status == 200, 15, "the fleet")
        assert [each["host"] for each in web.ask("/api/v1/sessions?host=tower").json["sessions"]] == ["tower"]
        assert web.ask("/api/v1/sessions/claude@laptop/same").json["session"]["host"] == "laptop"
        assert web.ask("/api/v1/sessions/claude/same").status == 404
        history = web.ask("/api/v1/sessions/claude@laptop/same/history").json["history"]
        assert (history["source"], len(history["marks"])) == ("claude@laptop", 1)
        assert web.ask("/api/v1/sources").json["sources"] == [
            {"source": "claude", "status": "healthy", "sessions": 1, "host": host} for host in HOSTS
        ]
        metrics = web.ask("/metrics").body.decode()
        assert 'bellboard_sessions{activity="working",host="tower",source="claude"} 1.0' in metrics
        assert 'bellboard_source_status{host="tower",source="claude",status="offline"} 0.0' in metrics
    finally:
        web.close()


def test_a_gateway_that_is_started_before_its_engine_waits_for_it(fleet: Fleet) -> None:
    fleet.server.kill()
    web = Web(fleet.house, "--fleet", fleet.server.url)
    try:
        absent = web.ask("/readyz")
        assert (absent.status, "bellboard run" in absent.body.decode()) == (503, False)
        assert f"is the fleet at {fleet.server.url} running" in absent.body.decode()
        fleet.server.start()
        wait_for(lambda: web.ask("/readyz").status == 200, 45, "the fleet")
        wait_for(lambda: len(web.ask("/api/v1/sessions").json["sessions"]) == 2, 45, "its sessions")
    finally:
        web.close()


@needs_tmux
def test_the_board_shows_the_machines_and_says_when_the_engine_is_gone(fleet: Fleet) -> None:
    fleet.boards["tower"].session("claude", "asks", activity="waiting", waiting_for="permission", working_dir="/src/p9")
    board = Terminal([*COMMAND, "--fleet", fleet.server.url], fleet.house.env, size=(110, 30))
    try:
        board.shows("■ laptop  1", "■ tower  2  ▲ 1", "p9 on tower", "● live · 2 machines", "✓ tower up 2")
        fleet.server.kill()
        board.shows("✗ fleet not heard: this picture is", "this board goes on by itself", seconds=30)
        fleet.server.start()
        board.shows("● live · 2 machines", seconds=45)
        board.keys("q")
        board.shows("ended with 0")
    finally:
        board.close()

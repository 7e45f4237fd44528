"""Security: nobody else gets in, nothing of what was said gets out, and no port is opened."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any, cast

import psutil
import pytest
from harness import House, wait_for
from proof import Proof

from bellboard.protocol.addresses import CONTROL, EVENTS, INGEST, SNAPSHOT, address
from bellboard.protocol.ask import Command, SnapshotRequest
from bellboard.protocol.channel import Asking, Listening
from bellboard.protocol.codec import COMMAND, SNAPSHOT_REQUEST

CHAOS = Path(__file__).parents[1] / "support" / "chaos"
DATA = Path(__file__).parents[1] / "data"
SOCKETS = (EVENTS, SNAPSHOT, CONTROL, INGEST)

HEAD, TAIL, TOOL, PATH, LAST, BRANCH = (f"s3cret{word}" for word in ("HEAD", "TAIL", "TOOL", "PATH", "LAST", "BRANCH"))
SAID = f"{HEAD} {'and so on ' * 8}{TAIL}"
PLACE = f"/home/you/{PATH}/{LAST}"
TOOL_KEYS = frozenset(
    (
        "input",
        "arguments",
        "args",
        "toolUseResult",
        "result",
        "output",
        "resultDisplay",
        "response",
        "stdout",
        "metadata",
    )
)
NAMES = ("id", "type", "status", "name", "role", "tool", "kind", "callID", "call_id", "tool_use_id", "timestamp")
NAME_KEYS = frozenset((*NAMES, "agentId", "agentType", "subagent_type"))
"""What names a thing: it is not said by anybody, and sessions would make no sense without it."""


def planted(value: Any, key: str = "", *, tool: bool = False) -> Any:
    """A record of a genuine session with secrets in all that was said, all that tools got and gave, and all paths."""
    if isinstance(value, dict):
        fields = cast("dict[str, Any]", value)
        return {name: planted(each, name, tool=tool or name in TOOL_KEYS) for name, each in fields.items()}
    if isinstance(value, list):
        return [planted(each, key, tool=tool) for each in cast("list[Any]", value)]
    if not isinstance(value, str) or key in NAME_KEYS or value.startswith("<"):
        return value
    if key in {"gitBranch", "branch"}:
        return BRANCH
    if tool:
        return json.dumps({"command": TOOL}) if value.startswith("{") else f"{TOOL} {TOOL}"
    if value.startswith("/") and "\n" not in value:
        return PLACE
    return SAID if " " in value.strip() else value


def plant(path: Path) -> None:
    if path.suffix == ".jsonl":
        rows = [json.dumps(planted(json.loads(row))) for row in path.read_text().splitlines() if row.strip()]
        path.write_text("\n".join(rows) + "\n")
    elif path.suffix == ".json" and path.name != "projects.json":
        path.write_text(json.dumps(planted(json.loads(path.read_text()))))


@pytest.fixture
def homes(house: House) -> dict[str, Path]:
    """Homes of five agents, made of genuine sessions."""
    made = {name: house.homes / name for name in ("claude", "codex", "gemini", "opencode", "pi")}
    cases = {
        "claude": [DATA / "claude" / each for each in ("v1.0.128", "v2.0.37", "v2.1.50", "v2.1.330")],
        "codex": [DATA / "codex" / each for each in ("tools", "interrupted", "legacy_098", "compaction")],
        "gemini": [DATA / "gemini" / each for each in ("tools", "legacy_json")],
        "opencode": [DATA / "opencode" / "tree"],
        "pi": [DATA / "pi" / "tools"],
    }
    for name, folders in cases.items():
        for folder in folders:
            shutil.copytree(folder, made[name], dirs_exist_ok=True)
    for path in house.homes.rglob("*.json*"):
        plant(path)
    for folder in list((made["claude"] / "projects").iterdir()):
        folder.rename(folder.with_name(f"-home-you-{PATH}-{folder.name}"))
    return made


class Ear(threading.Thread):
    """Keeps every byte that the board says to everybody."""

    def __init__(self, runtime: Path) -> None:
        super().__init__()
        self.heard: list[bytes] = []
        self._listening = Listening(address(str(runtime), EVENTS), [b""])
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.01):
            while (data := self._listening.receive()) is not None:
                self.heard.append(data)

    def stop(self) -> bytes:
        self._over.set()
        self.join()
        self._listening.close()
        return b"\n".join(self.heard)


def answers(runtime: Path, name: str, *questions: bytes) -> bytes:
    """Every byte that one socket answers."""
    found: list[bytes] = []
    with Asking(address(str(runtime), name)) as asking:
        for question in questions:
            wait_for(lambda data=question: asking.send([data]), what="the line")
            found += wait_for(asking.receive, what="an answer")
    return b"\n".join(found)


def everything(house: House) -> dict[str, bytes]:
    """What can be read anywhere: sockets, database, logs."""
    commands = [Command(request=1, verb="restart", source=word) for word in ("claude", "nobody")]
    snapshot = answers(house.runtime, SNAPSHOT, SNAPSHOT_REQUEST.encode(SnapshotRequest(request=1)))
    control = answers(house.runtime, CONTROL, b"{", *(COMMAND.encode(each) for each in commands))
    database = b"".join(path.read_bytes() for path in house.state.rglob("*") if path.is_file())
    wire = (house.root / "wire").read_bytes()
    return {"snapshot": snapshot, "control": control, "database": database, "log": house.log().encode(), "wire": wire}


def names_in(data: bytes) -> set[str]:
    return {word for word in (HEAD, TAIL, TOOL, PATH, LAST, BRANCH) if word.encode() in data}


@pytest.mark.parametrize(
    ("level", "allowed"),
    [("full", {HEAD, PATH, LAST, BRANCH}), ("names", {LAST}), ("minimal", set[str]())],
    ids=["full", "names", "minimal"],
)
def test_nothing_that_was_said_gets_out(
    house: House, homes: dict[str, Path], proof: Proof, level: str, allowed: set[str]
) -> None:
    lines = [f'privacy = "{level}"', *(f'[sources.{name}]\nhome = "{home}"' for name, home in homes.items())]
    house.config.write_text("\n".join(lines) + "\n")
    env = {
        "PYTHONPATH": os.pathsep.join([str(CHAOS), house.env["PYTHONPATH"]]),
        "BELLBOARD_TEST_RECORD": str(house.root / "wire"),
    }
    house.runtime.mkdir(mode=0o700)
    ear = Ear(house.runtime)
    ear.start()
    house.start("-vv", env=env)

    def complete() -> bool:
        found = house.sessions()
        return {each["source"] for each in found.values() if each["message_count"]} == set(homes) and len(found) >= 10

    wait_for(complete, 20, "sessions of all five agents")
    sessions = house.sessions()
    found = {**everything(house), "events": ear.stop()}
    assert all(len(data) > 0 for data in found.values())
    assert {name: names_in(data) - allowed for name, data in found.items()} == {name: set[str]() for name in found}
    titles = [each["title"] for each in sessions.values() if each["title"]]
    if level == "full":
        assert any(HEAD in title for title in titles), "the secrets are where titles come from"
        assert max(len(title) for title in titles) <= 80
        assert {PATH, LAST, BRANCH} <= names_in(found["events"] + found["snapshot"])
    else:
        assert titles == []
    if level == "names":
        assert {each["working_dir"] for each in sessions.values()} >= {LAST}
    assert sum(each["message_count"] for each in sessions.values()) > 20
    assert sum(each["tool_call_count"] for each in sessions.values()) > 5
    size = sum(len(data) for data in found.values())
    proof.figure(f"{len(sessions)} sessions of 5 agents, {size:,} bytes searched in {len(found)} places, 0 secrets")


def test_a_narrower_level_takes_away_what_was_stored_before(house: House, homes: dict[str, Path]) -> None:
    words = ["--source", f"claude={homes['claude']}"]
    supervisor = house.start(*words)
    wait_for(house.sessions, what="sessions")
    assert house.command("ctl", "pause", "claude").returncode == 0
    supervisor.terminate()
    supervisor.wait()
    (house.state / "board.sqlite.corrupt-1").write_text(SAID)
    assert HEAD in names_in((house.state / "board.sqlite").read_bytes())
    house.config.write_text('privacy = "names"\n')
    house.start(*words)
    assert names_in(b"".join(path.read_bytes() for path in house.state.iterdir())) == set()
    assert house.health()["claude"]["status"] == "paused", "what an operator said is still known"


@pytest.fixture
def board(house: House) -> House:
    (house.homes / "mock").mkdir()
    house.start("--source", f"mock={house.homes / 'mock'}")
    wait_for(house.workers, what="the worker")
    return house


def test_folders_are_for_this_user_alone_and_sockets_too(board: House) -> None:
    def mode(path: Path) -> int:
        return stat.S_IMODE(path.stat().st_mode)

    assert {folder: mode(folder) for folder in (board.runtime, board.state)} == {
        board.runtime: 0o700,
        board.state: 0o700,
    }
    assert {name: mode(board.runtime / name) for name in SOCKETS} == dict.fromkeys(SOCKETS, 0o600)
    assert {path.name for path in board.state.iterdir() if mode(path) & 0o077} == set()


def test_no_port_is_opened_by_anybody(board: House) -> None:
    processes = list(board.workers())
    processes += [psutil.Process(processes[0].ppid())]
    assert [each.net_connections("inet") for each in processes] == [[], []]


TRY = """
import os, socket, sys
os.setgroups([])
os.setgid(65534)
os.setuid(65534)
for path in sys.argv[1:]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        try:
            line.connect(path)
        except OSError as error:
            print(type(error).__name__)
        else:
            print("connected")
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_another_user_cannot_connect_not_even_where_the_folder_was_opened(board: House) -> None:
    paths = [str(board.runtime / name) for name in SOCKETS]
    board.root.chmod(0o755)
    for folder_mode in (0o700, 0o755):
        board.runtime.chmod(folder_mode)
        done = subprocess.run(
            [sys.executable, "-c", TRY, *paths], capture_output=True, text=True, timeout=30, check=True
        )
        assert done.stdout.split() == ["PermissionError"] * 4
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.connect(paths[0])  # the socket is there, and its owner may


@pytest.mark.parametrize("name", [SNAPSHOT, CONTROL, INGEST])
def test_a_message_that_is_too_long_costs_its_sender_the_line_and_nobody_else_anything(board: House, name: str) -> None:
    with Asking(address(str(board.runtime), name)) as asking:
        wait_for(lambda: asking.send([b"x" * (2 << 20)]), what="the line")
    assert board.command("health").returncode == 0

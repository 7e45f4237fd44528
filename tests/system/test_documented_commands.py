"""Every command of the docs is run as it stands, in a temporary home, with a board that reads genuine sessions.

What is not run is listed with its reason.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from harness import House, short_folder, wait_for

ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"

NOT_RUN = {
    r"pip install |python3 -m venv ": "fetches packages; the clean clone of CI does the same",
    r"python -m (tests|pytest)": "is a test or a benchmark itself",
    r"bellboard service (install|remove)$": "would start or end a service of whoever runs the tests",
    r"bellboard notify( --on .*)?$": "needs a desktop or a terminal; the ways are tested in tests/supervisor/alerts",
    r"bellboard service status": "asks the service manager of whoever runs the tests",
    r"bellboard .*--fleet": "needs a fleet; tests/system/test_fleet_view.py has one",
    r"(export URL=|curl )": "is run against a gateway of its own by tests/system/test_web_docs.py",
    r"ssh ": "needs another machine",
    r"bellboard (export|run --export)": "needs a NATS server; tests/system/test_fleet_export.py has one",
}
if find_spec("starlette") is None:
    NOT_RUN[r"bellboard (serve|run --serve)"] = "needs the extra `web`"
"""What begins so is not run, and why."""

FOLLOWED = r"bellboard (run|watch|demo|notify|serve)\b"
"""What begins so may go on until it is interrupted; it has to say something before."""

CODES = {
    "bellboard ctl release claude 4f": 1,  # nothing is set aside
    'bellboard sessions --needs-you >/dev/null 2>&1; test $? -eq 10 && echo "someone waits for you"': 1,  # nobody waits
}
"""Exit codes that are not 0, and why."""


def commands() -> list[str]:
    """Return the command lines of all `sh` blocks, each once, as they stand in the docs."""
    found: dict[str, None] = {}
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for block in re.findall(r"^```sh\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                command = re.sub(r"\s+# .*$", "", line).strip()
                if command and not command.startswith("#"):
                    found[command] = None
    # What ends the board comes last, so that it is not started for each.
    return sorted(found, key=lambda command: "drain" in command)


def reason(command: str) -> str | None:
    """Say why a command is not run, None if it is."""
    return next((why for pattern, why in NOT_RUN.items() if re.match(pattern, command)), None)


@pytest.fixture(scope="module")
def place() -> Iterator[House]:
    """A house with the homes of several agents, and everything that the docs take to be there."""
    with short_folder() as folder:
        made = House(folder)
        home = made.homes
        claude = home / ".claude"
        shutil.copytree(DATA / "claude" / "v2.1.330", claude)
        for source in ("codex", "gemini"):
            shutil.copytree(DATA / source / "tools", home / f".{source}")
        shutil.copytree(DATA / "pi" / "tools", home / ".pi")
        (transcript,) = claude.rglob("*.jsonl")
        known = "4f" + transcript.stem[2:]
        text = transcript.read_text(encoding="utf-8").replace(transcript.stem, known)
        transcript.with_name(f"{known}.jsonl").write_text(text, encoding="utf-8")
        shutil.copytree(claude, home / "backup" / ".claude")
        shutil.copytree(home / ".codex", home / "other" / ".codex")
        (home / "new.toml").write_text('[board]\nsince = "2h"\n')
        (home / "bin").mkdir()
        program = home / "bin" / "bellboard"
        program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bellboard.supervisor "$@"\n')
        program.chmod(0o700)
        made.config.write_text('[board]\nsince = "all"\n[serve]\nport = 0\n')
        for name in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "PI_CODING_AGENT_DIR", "XDG_DATA_HOME"):
            made.env[name] = ""
        made.env |= {
            "PATH": f"{home / 'bin'}:{os.environ['PATH']}",
            "XDG_CONFIG_HOME": f"{home}/.config",
            "TERM": "dumb",
        }
        try:
            yield made
        finally:
            made.close()


@pytest.fixture
def board(place: House) -> House:
    """A place whose board runs and has read everything."""
    if place.command("health").returncode == 3:
        place.start()
        sources = {"claude", "codex", "gemini", "pi"}
        wait_for(
            lambda: {session["source"] for session in place.sessions().values()} == sources, what="all the sessions"
        )
    return place


def start(place: House, command: str, env: dict[str, str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        ["/bin/bash", "-c", command],
        cwd=place.homes,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, **place.env, **env},
    )


def until_it_speaks(place: House, command: str) -> tuple[int, str]:
    """Run a command that may go on for ever, and interrupt it once it has said something; returns code and words."""
    out = place.root / "said"
    out.write_text("")
    env: dict[str, str] = {}
    if command.startswith("bellboard run"):
        env = {"BELLBOARD_RUNTIME_DIR": f"{place.root}/run2", "BELLBOARD_STATE_DIR": f"{place.root}/state2"}
    process = start(place, f"exec {command} >> {out} 2>&1", env)
    with process:
        try:
            wait_for(lambda: process.poll() is not None or out.stat().st_size, 20, f"a word of `{command}`")
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
            process.wait(20)
    return process.returncode, out.read_text()


@pytest.mark.parametrize("command", [command for command in commands() if reason(command) is None])
def test_a_command_of_the_docs_does_what_it_is_there_for(command: str, board: House) -> None:
    if re.match(FOLLOWED, command):
        code, said = until_it_speaks(board, command)
        assert ("Traceback" in said, code) in {(False, 0), (False, 130)}, said
        return
    process = start(board, command, {})
    said = process.communicate(timeout=40)[0].decode()
    expected = CODES.get(command, 10 if "--needs-you" in command and process.returncode == 10 else 0)
    assert (process.returncode, "Traceback" in said) == (expected, False), said


def test_what_is_not_run_is_in_the_docs_and_most_is_run() -> None:
    found = commands()
    assert [pattern for pattern in NOT_RUN if not any(re.match(pattern, command) for command in found)] == []
    assert {command for command in CODES if command not in found} == set()
    assert sum(reason(command) is None for command in found) > len(found) // 2

"""Settings and flags, and the command itself against a mock board."""

import json
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from harness import COMMAND, command, wait_for

from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.alerts.run import join
from bellboard.supervisor.alerts.settings import Notify
from bellboard.supervisor.config_file import read
from bellboard.supervisor.errors import ConfigError, UsageError

NOTHING: dict[str, Any] = {"on": None, "way": None, "command": None, "titles": None}
PERMISSION: dict[str, Any] = {
    "activity": "waiting",
    "waiting_for": "permission",
    "current_tool": "Bash",
    "working_dir": "/srv/webshop",
    "title": "the secret plan",
}


def test_flags_weigh_more_than_the_file() -> None:
    file = Notify(on=("board",), titles=True)
    assert join(file, NOTHING) == file
    assert join(file, {**NOTHING, "on": ["turn"], "way": "bell"}) == Notify(on=("turn",), way="bell", titles=True)
    assert join(file, {**NOTHING, "command": ["a", "b"]}) == Notify(
        on=("board",), way="command", command=("a", "b"), titles=True
    )


def test_a_way_without_its_command_is_refused() -> None:
    with pytest.raises(UsageError, match="the way `command` needs a command"):
        join(Notify(), {**NOTHING, "way": "command"})
    with pytest.raises(UsageError, match="the way `command` needs a command"):
        join(Notify(), {**NOTHING, "command": []})


def test_the_file_has_a_table_for_it(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('[notify]\non = ["needs-you", "turn"]\nway = "bell"\ncooldown = "2m"\nsettle = 0.5\nlimit = 3\n')
    assert read(str(path)).notify == Notify(on=("needs-you", "turn"), way="bell", cooldown=120, settle=0.5, limit=3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('on = ["permission"]', "line 2: notify.on: there is no `permission` (known: board, needs-you, source, turn)"),
        ('way = "command"', "the way `command` needs a command"),
        ("limit = 0", "`limit` must be more than 0"),
        ("sound = true", "unknown key `sound` in [notify]"),
    ],
)
def test_a_table_that_cannot_be_meant_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text("[notify]\n" + text)
    with pytest.raises(ConfigError) as refused:
        read(str(path))
    assert said in str(refused.value)


def test_without_a_supervisor_the_exit_code_is_3(folder: str) -> None:
    done = command("notify", "--dry-run", env={"BELLBOARD_RUNTIME_DIR": folder, "HOME": folder})
    assert (done.returncode, done.stdout) == (3, "")
    assert "start one with `bellboard run`" in done.stderr


@pytest.fixture
def board() -> Iterator[MockBoard]:
    with MockBoard() as mock:
        yield mock


@contextmanager
def running(board: MockBoard, *words: str, settings: str = "") -> Generator[Callable[[], list[str]]]:
    """Run `bellboard notify` against the board; yields what reads its output."""
    config, out = Path(board.runtime_dir, "config.toml"), Path(board.runtime_dir, "out.txt")
    said = Path(board.runtime_dir, "said.txt")
    config.write_text("[notify]\nsettle = 0.1\ngrace = 0.3\n" + settings)
    with out.open("w") as file, said.open("w") as errors:
        process = subprocess.Popen(
            [*COMMAND, "notify", "--config", str(config), *words],
            stdout=file,
            stderr=errors,
            env={**board.env, "HOME": board.runtime_dir},
        )
    try:
        board.wait_for_subscriber(20)
        yield lambda: out.read_text().splitlines()
    finally:
        process.terminate()
        process.wait(10)


def test_a_day_with_a_gap_and_a_restart_tells_each_thing_once(board: MockBoard) -> None:
    board.session("claude", "first", **PERMISSION)
    board.session("codex", "second", activity="waiting", waiting_for="question")
    with running(board, "--dry-run") as told:

        def after(count: int, what: str) -> list[str]:
            """Wait for so many lines; returns them without their times."""
            wait_for(lambda: len(told()) >= count, 20, what)
            return [line.partition(" ")[2] for line in told()]

        after(1, "the summary")
        with board.losing():
            board.session("claude", "third", **{**PERMISSION, "current_tool": "Edit"})
        after(2, "what was lost on the way")
        board.restart()
        board.wait_for_subscriber(20)
        board.session("claude", "third", activity="working")
        after(3, "what is over after the restart")
        board.session("claude", "first", activity="working")
        board.session("codex", "second", activity="terminal")
        assert after(4, "the end of the summary") == [
            "ring        2 sessions need you - claude: permission in webshop; codex: question",
            "ring        claude needs permission in webshop - Edit, since a time that is not known",
            "over        session/claude/third",
            "over        summary",
        ]


def test_a_program_of_yours_is_told_in_json(board: MockBoard) -> None:
    log = Path(board.runtime_dir, "told.jsonl")
    code = f"import sys; open({str(log)!r}, 'ab').write(sys.stdin.buffer.read())"
    with running(board, "--command", sys.executable, "-c", code):
        board.session("claude", "one", **PERMISSION)
        wait_for(log.exists, 20, "the first call")
        board.session("claude", "one", activity="working")
        told = wait_for(lambda: len(log.read_text().splitlines()) == 2 and log.read_text(), 20, "the second call")
    first, second = (json.loads(line) for line in str(told).splitlines())
    assert (first["action"], first["key"], first["subjects"][0]["title"]) == ("ring", "session/claude/one", None)
    assert (second["action"], second["key"]) == ("retract", "session/claude/one")
    assert "secret" not in str(told)


def test_a_program_that_fails_is_said_once_and_stops_nothing(board: MockBoard) -> None:
    board.session("pi", "one", **PERMISSION)
    said = Path(board.runtime_dir, "said.txt")
    with running(board, "--command", "false", settings="on = ['needs-you', 'turn']\n"):
        wait_for(lambda: len(said.read_text().splitlines()) > 1, 20, "the first complaint")
        board.session("pi", "two", **PERMISSION)
        board.session("pi", "one", activity="working")
        board.stop()
        board.start()
        board.wait_for_subscriber(20)
        board.session("pi", "two", activity="working")
        # It is still there: it subscribed to the second board.
        assert said.read_text().splitlines() == [
            "bellboard: telling of needs-you, turn by command; end with Ctrl-C",
            "bellboard: nobody was told of session/pi/one: false ended with code 1",
        ]

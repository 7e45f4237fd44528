"""What the docs for subscribers show is what the code says: JSON, fields, names and examples."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from harness import wait_for

import bellboard.protocol as face
from bellboard.protocol import HealthState, History, Mark, Pulse, SessionState, Subagent, Subscriber
from bellboard.protocol.addresses import CONTROL, EVENTS, INGEST, SNAPSHOT
from bellboard.protocol.ask import Command, HistoryAnswer, PulsesAnswer, Reply, SnapshotPage, SnapshotRequest
from bellboard.protocol.channel import HIGH_WATER_EVENTS, SUBSCRIPTION_LIMIT
from bellboard.protocol.codec import ANSWER_LIMIT, REQUEST_LIMIT, WIRE_LIMIT
from bellboard.protocol.event import SESSION_EVENTS, Event
from bellboard.protocol.replica import ANSWER_SECONDS, RESYNC_FIRST_SECONDS, RESYNC_MOST_SECONDS, SILENCE_SECONDS
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.alerts.settings import Notify
from bellboard.supervisor.alerts.wording import Notice
from bellboard.supervisor.pictures import PAGE_SESSIONS, PATIENCE_SECONDS

DOCS = Path(__file__).parents[1] / "docs"
EXAMPLES = DOCS / "examples"

KINDS: dict[str, Any] = {
    "event": Event,
    "question": SnapshotRequest,
    "page": SnapshotPage,
    "history": HistoryAnswer,
    "pulses": PulsesAnswer,
    "command": Command,
    "reply": Reply,
    "notice": Notice,
}


def read(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def shown(name: str) -> list[tuple[str, str]]:
    """Return the JSON texts of a document, each with the kind that is written above it."""
    found = re.findall(r"<!-- json: (\w+) -->\n```json\n(.*?)```", read(name), re.DOTALL)
    assert len(found) == read(name).count("```json")
    return found


@pytest.mark.parametrize(
    ("kind", "text"), [pytest.param(*each, id=each[0]) for each in (*shown("protocol.md"), *shown("notify.md"))]
)
def test_each_json_text_has_every_field_of_its_kind_and_no_other(kind: str, text: str) -> None:
    decoded = msgspec.json.decode(text, type=KINDS[kind])
    assert json.loads(msgspec.json.encode(decoded)) == json.loads(text)


def test_each_kind_of_message_is_shown() -> None:
    assert {kind for kind, _ in shown("protocol.md")} == KINDS.keys() - {"notice"}
    assert {json.loads(text)["kind"] for kind, text in shown("protocol.md") if kind == "event"} == {
        *("updated", "health", "heartbeat")
    }
    text = read("protocol.md")
    assert [kind for kind in SESSION_EVENTS if f"`{kind}`" not in text] == []
    assert [name for name in (EVENTS, SNAPSHOT, CONTROL, INGEST) if f"`{name}`" not in text] == []


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (SUBSCRIPTION_LIMIT, "A subscription has at most 4 KiB"),
        (REQUEST_LIMIT, "A question has at most 64 KiB"),
        (ANSWER_LIMIT, "below 16 MiB"),
        (WIRE_LIMIT, "less than 256 KiB"),
        (PAGE_SESSIONS, "50 sessions a page"),
        (HIGH_WATER_EVENTS, "2000, then you lose events"),
        (PATIENCE_SECONDS, "forgotten after 2 s"),
        (ANSWER_SECONDS, "If no page comes\nfor two seconds"),
        (SILENCE_SECONDS, "No heartbeat for five seconds"),
        (RESYNC_FIRST_SECONDS, "up to 0.2 s"),
        (RESYNC_MOST_SECONDS, "up to 30 s"),
    ],
)
def test_each_bound_of_the_wire_is_the_one_of_the_code(number: float, said: str) -> None:
    values = {"two": 2, "five": 5}
    found = re.search(r"(\d+(?:\.\d+)?|two|five) ?(KiB|MiB)?", said)
    assert said in read("protocol.md")
    assert found is not None
    size = {"KiB": 1 << 10, "MiB": 1 << 20}.get(found[2] or "", 1)
    assert float(values.get(found[1], 0) or found[1]) * size == number


def test_the_python_document_names_everything_public() -> None:
    text = read("python.md")
    kinds = (SessionState, Subagent, HealthState, History, Mark, Pulse)
    fields = [name for kind in kinds for name in kind.__struct_fields__]
    members = [name for kind in (Subscriber, MockBoard) for name in vars(kind) if not name.startswith("_")]
    members += ["runtime_dir", "undecodable"]
    assert [name for name in (*face.__all__, *fields) if not re.search(rf"\b{name}\b", text)] == []
    assert [name for name in members if not re.search(rf"`[^`]*\b{name}\b[^`]*`", text)] == []


def test_the_python_document_shows_the_files_that_are_tested() -> None:
    blocks = re.findall(r"```python\n(.*?)```", read("python.md"), re.DOTALL)
    files = {path.read_text(encoding="utf-8").partition('"""\n\n')[2]: path.name for path in EXAMPLES.glob("*.py")}
    assert [files.get(block) for block in blocks] == [
        *("look.py", "follow.py", "kinds.py", "follow_async.py", "loop.py", "test_follow.py")
    ]
    assert [block for block in blocks if len(block.splitlines()) > 17] == []


def test_the_notify_document_names_each_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `notify\.(\w+)` \| ([^|]+) \|", read("notify.md"), re.MULTILINE))
    assert rows.keys() == set(Notify.__struct_fields__)
    default = Notify()
    assert rows == {
        "on": f"`{json.dumps(default.on)}`",
        "way": f"`{json.dumps(default.way)}`",
        "command": "none" if not default.command else "",
        "titles": json.dumps(default.titles),
        **{name: f"{getattr(default, name):g} s" for name in ("settle", "cooldown", "grace", "limit")},
    }


@contextmanager
def running(board: MockBoard, example: str) -> Generator[Callable[[], str]]:
    out = Path(board.runtime_dir, "out.txt")
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / example)], stdout=file, stderr=subprocess.STDOUT, env=board.env
        )
    try:
        yield out.read_text
    finally:
        process.kill()
        process.wait()


@pytest.mark.parametrize(
    ("example", "lines"),
    [
        ("follow.py", ["1 sessions on the board", "Fix the bell waits for permission"]),
        ("follow_async.py", ["snapshot", "updated", "health", "terminal", "resumed"]),
        (
            "kinds.py",
            [
                "the whole picture: 1",
                "4f1 is waiting",
                "claude is degraded slow",
                "4f1 is over: closed",
                "4f1 is working again",
            ],
        ),
    ],
)
def test_the_examples_follow_a_board(example: str, lines: list[str]) -> None:
    with MockBoard() as board:
        board.session("claude", "4f1", activity="working", title="Fix the bell")
        with running(board, example) as printed:
            wait_for(printed, 20, "the first picture")
            board.session("claude", "4f1", activity="waiting", waiting_for="permission")
            board.health("claude", status="degraded", reason="slow")
            board.session("claude", "4f1", activity="terminal", end_reason="closed")
            board.session("claude", "4f1", activity="working")
            wait_for(lambda: len(printed().splitlines()) >= len(lines), 20, f"{lines} in {printed()}")
            assert printed().splitlines()[: len(lines)] == lines


def test_the_example_with_a_loop_of_its_own_says_what_it_sees() -> None:
    with MockBoard() as board:
        board.session("codex", "a", context_utilization=0.42)
        board.session("pi", "not followed")
        with running(board, "loop.py") as printed:
            wait_for(printed, 20, "the first line")
            board.session("claude", "b", activity="working")
            wait_for(lambda: "changed: discovered\n2 sessions" in printed(), 20, "the change")
        assert printed().startswith("1 sessions, fullest context 42%\n")


def test_the_example_that_looks_once_says_why() -> None:
    evidence = {"evidence": face.Evidence(kind="hook")}
    with MockBoard() as board:
        board.session("claude", "4f1", activity="waiting", waiting_for="plan", **evidence)
        words = [sys.executable, str(EXAMPLES / "look.py")]
        done = subprocess.run(words, env=board.env, capture_output=True, text=True, timeout=30, check=False)
        assert (done.returncode, done.stdout) == (10, "claude 4f1: plan (hook)\n")
        board.stop()
        done = subprocess.run(words, env=board.env, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "start one with `bellboard run`" in done.stderr


def test_the_example_of_the_readme_says_without_a_board_how_to_start_one(folder: str) -> None:
    words = [sys.executable, str(EXAMPLES / "follow.py")]
    env = {**os.environ, "BELLBOARD_RUNTIME_DIR": folder}
    done = subprocess.run(words, env=env, capture_output=True, text=True, timeout=30, check=False)
    said = f"no supervisor in {folder}: start one with `bellboard run`\n"
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_the_example_of_a_test_passes(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [*words, str(EXAMPLES / "test_follow.py")],
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
        cwd=tmp_path,
    )
    assert "1 passed" in done.stdout, done.stdout


def test_the_example_of_a_program_to_be_told_reads_a_notice(tmp_path: Path) -> None:
    (kind, text), *_ = shown("notify.md")
    assert kind == "notice"
    words = [sys.executable, str(EXAMPLES / "beep.py")]
    subprocess.run(words, input=text, text=True, timeout=30, check=True, cwd=tmp_path)
    assert (tmp_path / "bells.log").read_text() == ("ring session/claude/4f1c2d claude needs permission in webshop\n")

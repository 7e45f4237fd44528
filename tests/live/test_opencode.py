"""OpenCode, the genuine client: what the board says while it works is what is true, or it says what it cannot know."""

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Any

import live_clients
import pytest
from harness import wait_for
from live_saying import AT_PROMPT, DOUBT, last_detail, true_once, wrote
from live_stage import Screen, Stage, stage_of
from live_timeline import Truth

NEWEST = "1.18.33"
PATTERNS = ("opencode-linux-x64/bin/opencode", "opencode-*/bin/opencode")
QUIET = {
    "OPENCODE_DISABLE_AUTOUPDATE": "1",
    "OPENCODE_DISABLE_MODELS_FETCH": "1",
    "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
    # Without a network it would ask again and again for the library of its plugins before it starts.
    "npm_config_fetch_retries": "0",
}


class OpenCode:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage, self.words = stage, words
        self.data = stage.home / ".local/share/opencode"

    def begin(self, *turns: Any, hooks: bool = False, ask: bool = False, **scenario: Any) -> None:
        """Prepare the home, start the model and the board."""
        stage = self.stage
        self.data.mkdir(parents=True)
        folder = stage.home / ".config/opencode"
        folder.mkdir(parents=True)
        models = stage.home / "models.json"
        models.write_text("{}")
        if hooks:
            stage.hooks()
        served = {"title": "A mock title", "turns": list(turns), **scenario}
        line = stage.serve(live_clients.driver("opencode", "mock_openai.py"), served)
        model = {"name": "Mock One", "tool_call": True, "limit": {"context": 128000, "output": 8192}}
        options = {"baseURL": f"http://127.0.0.1:{line.split()[-1]}/v1", "apiKey": "dummy"}
        provider = {"npm": "@ai-sdk/openai-compatible", "name": "Mock", "options": options, "models": {"mock-1": model}}
        settings = {
            "autoupdate": False, "share": "disabled", "model": "mock/mock-1", "small_model": "mock/mock-1",
            "permission": {"bash": "ask" if ask else "allow"}, "provider": {"mock": provider},
        }  # fmt: skip
        (folder / "opencode.json").write_text(json.dumps(settings))
        subprocess.run(["git", "init", "-q", str(stage.cwd)], check=True)  # noqa: S607 - whichever git there is
        stage.environment |= {**QUIET, "OPENCODE_MODELS_PATH": str(models)}
        stage.watch("--source", f"opencode={self.data}")

    def open(self, *words: str) -> Screen:
        """Start the interactive client and wait until it takes what is typed."""
        screen = self.stage.screen([*self.words, *words])
        screen.see("ctrl\\+p commands|ctrl\\+p", 80)
        logs = self.data / "log"
        wait_for(lambda: any("refresh done" in path.read_text() for path in logs.glob("*.log")), 80, "a client at work")
        time.sleep(3)
        return screen

    def sessions(self, *, children: bool = False) -> list[str]:
        """Return the sessions in the database, those of a person or those of subagents."""
        try:
            with closing(sqlite3.connect(f"file:{self.data}/opencode.db?mode=ro", uri=True)) as store:
                rows = store.execute("SELECT id, parent_id FROM session ORDER BY time_created").fetchall()
        except sqlite3.Error:
            return []
        return [name for name, parent in rows if bool(parent) == children]

    def session(self, *, child: bool = False) -> str:
        """Return the id of the first session."""
        return wait_for(lambda: self.sessions(children=child), 30, "a session in the database")[0]

    def ended(self, session: str, name: str, says: dict[str, Any], number: int, since: float = 0.0) -> None:
        """Note what is true from the end of an answer on: the client notes that time itself, some while after the text.

        `number` counts the answers that were begun after `since`.
        """

        def find() -> list[float]:
            with closing(sqlite3.connect(f"file:{self.data}/opencode.db?mode=ro", uri=True)) as store:
                asked = "SELECT json_extract(data, '$.time.completed') FROM message WHERE session_id = ? "
                asked += "AND time_created > ? AND json_extract(data, '$.role') = 'assistant' ORDER BY time_created"
                times = [at for (at,) in store.execute(asked, (session, int(since * 1000)))]
            return [at / 1000 for at in times[:number] if at] if len(times) >= number and all(times[:number]) else []

        at = wait_for(find, 40, f"the end of answer {number}")[-1]
        self.stage.truths.append(Truth(at=at, session=session, name=name, says=says, written=at))


@pytest.fixture
def opencode(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[OpenCode]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("opencode", version, patterns=PATTERNS)
    with stage_of("opencode", version, live_clients.clean_environment(Path("/"))) as stage:
        yield OpenCode(stage, words)


def shell(line: str) -> dict[str, Any]:
    return {"name": "bash", "args": {"command": line, "description": "work"}}


def test_a_plain_turn(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"text": "Hello from afar.", "delay": 4})
    screen = opencode.open()
    asked = screen.type("Say hello")
    session = opencode.session()
    wrote(stage, "Say hello", asked)
    stage.true(session, "thinking", {"activity": "working"}, at=time.time() - 0.2)
    opencode.ended(session, "answered", {**AT_PROMPT, "messages": 2}, 1)
    stage.hold(3)
    figures("opencode", stage.version, stage.verdict())


def test_a_running_tool_and_an_interrupt(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"calls": [shell("sleep 4")]}, {"text": "slow " * 40, "chunks": 40, "gap": 1})
    screen = opencode.open()
    asked = screen.type("Run it")
    session = opencode.session()
    wrote(stage, '"status":"running"', asked)
    runs = {"activity": "working", "evidence": "tool", "tool": "bash", "calls": 1}
    began = time.time()
    stage.true(session, "tool runs", runs, at=began)
    true_once(stage, session, "model goes on", {"activity": "working", "tool": None}, '"status":"completed"', began)
    stage.hold(3)
    screen.press("Escape")
    time.sleep(0.3)
    stopped = screen.press("Escape")
    true_once(stage, session, "stopped", {**AT_PROMPT, "calls": 1, "messages": 3}, "MessageAbortedError", stopped)
    stage.hold(3)
    assert "interrupted" in last_detail(stage, session)
    figures("opencode", stage.version, stage.verdict())


def test_a_permission_wait_without_our_hook_is_not_pretended_to_be_known(opencode: OpenCode) -> None:
    stage = opencode.stage
    opencode.begin({"calls": [shell("touch made.txt")]}, ask=True)
    screen = opencode.open()
    screen.type("Make a file")
    session = opencode.session()
    screen.see("Allow once", 30)
    stage.hold(2)
    assert "bash has no result yet; it may wait for a permission" in last_detail(stage, session)


def test_a_permission_wait_with_our_hook(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"calls": [shell("sleep 5")]}, {"text": "It is made.", "delay": 2}, hooks=True, ask=True)
    screen = opencode.open()
    asked = screen.type("Make a file")
    session = opencode.session()
    waits = {"activity": "waiting", "waiting_for": "permission", "evidence": "hook"}
    true_once(stage, session, "waits", waits, '"kind":"permission"', asked, 30)
    screen.see("Allow once", 30)
    stage.hold(3)
    allowed = screen.press("Enter")
    given = true_once(stage, session, "runs", {"activity": "working", "tool": "bash"}, '"kind":"working"', allowed)
    wrote(stage, '"status":"completed"', given)
    stage.true(session, "model goes on", {"activity": "working", "tool": None}, at=time.time())
    opencode.ended(session, "answered", {**AT_PROMPT, "messages": 3}, 2)
    stage.hold(3)
    figures("opencode", stage.version, stage.verdict())


def test_a_killed_client_cannot_be_told_from_a_slow_one_and_that_is_said(opencode: OpenCode) -> None:
    stage = opencode.stage
    opencode.begin({"calls": [shell("sleep 30")]})
    client = stage.run([*opencode.words, "run", "Run long"])
    session = opencode.session()
    wrote(stage, '"status":"running"', 0.0, 30)
    client.kill()
    stage.hold(3)
    assert last_detail(stage, session).endswith(DOUBT)


def test_a_resumed_session_is_the_same_one(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"text": "First answer."}, {"text": "Second answer.", "delay": 4})
    assert stage.run([*opencode.words, "run", "One"]).wait(60) == 0
    session = opencode.session()
    stage.true(session, "answered", {**AT_PROMPT, "messages": 2})
    stage.hold(2)
    again = time.time()
    stage.run([*opencode.words, "run", "--continue", "Another one"])
    # It takes its time to start, and writes the message a moment before the text in it.
    stage.true(session, "begins", {"activity": {"waiting", "working"}, "messages": {2, 3}}, at=again)
    true_once(stage, session, "thinking", {"activity": "working"}, "Another one", again, 30)
    opencode.ended(session, "answered again", {**AT_PROMPT, "messages": 4}, 2)
    stage.hold(2)
    assert opencode.sessions() == [session]
    figures("opencode", stage.version, stage.verdict())


@pytest.mark.parametrize("hooks", [False, True])
def test_a_subagent_is_a_session_and_keeps_its_parent_working(
    opencode: OpenCode, figures: Callable[..., None], *, hooks: bool
) -> None:
    stage = opencode.stage
    task = {"description": "Wait", "prompt": "Wait a little", "subagent_type": "general"}
    opencode.begin(
        {"calls": [{"name": "task", "args": task}]}, {"text": "The helper is back.", "delay": 3},
        match={"Wait a little": [{"calls": [shell("sleep 5")]}, {"text": "I waited."}]}, hooks=hooks,
    )  # fmt: skip
    asked = time.time()
    stage.run([*opencode.words, "run", "Delegate it"])
    child = opencode.session(child=True)
    session = opencode.session()
    wrote(stage, "sleep 5", asked, 30)
    began = time.time()
    stage.true(session, "parent works", {"activity": "working", "tool": {"task", None}}, at=began)
    stage.true(child, "helper works", {"activity": "working", "parent": session}, at=began)
    opencode.ended(child, "helper done", {"activity": "idle", "calls": 1}, 2)
    opencode.ended(session, "answered", {**AT_PROMPT, "calls": 1, "messages": 3}, 2)
    stage.hold(2)
    figures("opencode", stage.version, stage.verdict())


def test_a_compaction_takes_nothing_back(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"text": "One it is."}, {"text": "In short: one.", "delay": 3}, {"text": "Two it is."})
    screen = opencode.open()
    screen.type("Say one")
    session = opencode.session()
    opencode.ended(session, "answered", {**AT_PROMPT, "messages": 2, "compactions": 0}, 1)
    stage.hold(4)
    screen.type("/compact", enter=False)
    time.sleep(1)
    pressed = screen.press("Enter")
    stage.true(session, "compacting", {"activity": "working"}, at=pressed)
    opencode.ended(session, "compacted", {"compactions": 1}, 2)
    stage.hold(3)
    figures("opencode", stage.version, stage.verdict())


def test_an_undo_takes_nothing_back(opencode: OpenCode, figures: Callable[..., None]) -> None:
    stage = opencode.stage
    opencode.begin({"text": "One it is."}, {"text": "Two it is."}, {"text": "Three it is.", "delay": 4})
    screen = opencode.open()
    screen.type("Say one")
    session = opencode.session()
    opencode.ended(session, "answered", {**AT_PROMPT, "messages": 2}, 1)
    stage.hold(2)
    screen.type("Say two")
    opencode.ended(session, "answered again", {**AT_PROMPT, "messages": 4}, 2)
    stage.hold(3)
    screen.type("/undo", enter=False)
    time.sleep(1)
    undone = screen.press("Enter")
    screen.see("1 message reverted", 20)
    stage.true(session, "undone", {**AT_PROMPT, "messages": 4}, at=undone)
    stage.hold(3)
    assert "a person took the last turns back" in last_detail(stage, session)
    # The prompt that was taken back stands in the line again, to be changed; when it is sent the old turn is deleted.
    again = screen.type(" and more")
    true_once(stage, session, "thinking", {"activity": "working"}, "and more", again)
    opencode.ended(session, "answered anew", {**AT_PROMPT, "messages": 6}, 1, again)
    stage.hold(2)
    stage.deleted = {"message_count": 2, "input_tokens": 1000, "output_tokens": 10}
    figures("opencode", stage.version, stage.verdict())

"""Gemini CLI, the genuine client: what the board says while it works is what is true, or it says what it cannot know."""

import json
import re
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import live_clients
import pytest
from harness import wait_for
from live_saying import AT_PROMPT, DOUBT, last_detail, true_once, wrote
from live_stage import Screen, Stage, stage_of

NEWEST = "0.61.0"
OLDER = "0.36.0"
PATTERNS = ("@google/gemini-cli/bundle/gemini.js", "@google/gemini-cli/dist/index.js")
SETTINGS = {
    "security": {"auth": {"selectedType": "gemini-api-key"}, "folderTrust": {"enabled": False}},
    "privacy": {"usageStatisticsEnabled": False},
    "telemetry": {"enabled": False},
    "general": {"enableAutoUpdate": False, "enableAutoUpdateNotification": False},
}
READY = "Type your message"


class Gemini:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage, self.words = stage, words

    def begin(self, *turns: Any, hooks: bool = False) -> None:
        """Prepare the home, start the model and the board."""
        stage = self.stage
        folder = stage.home / ".gemini"
        folder.mkdir(mode=0o700)
        (folder / "settings.json").write_text(json.dumps(SETTINGS))
        if hooks:
            stage.hooks()
        line = stage.serve(live_clients.driver("gemini", "mock_gemini.py"), {"turns": list(turns)})
        stage.environment |= {
            "GEMINI_API_KEY": "dummy",
            "GEMINI_CLI_TRUST_WORKSPACE": "true",
            "GOOGLE_GEMINI_BASE_URL": f"http://127.0.0.1:{line.split()[-1]}",
        }
        stage.watch("--source", f"gemini={folder}")

    def open(self, *words: str) -> Screen:
        """Start the interactive client and wait until it is ready."""
        screen = self.stage.screen([*self.words, "-m", "gemini-2.5-pro", *words])
        screen.see(READY, 60)
        time.sleep(1)
        return screen

    def say(self, screen: Screen, text: str) -> float:
        """Type a prompt; this client takes fast typing for a paste, and Enter for a new line in it."""
        screen.type(text, enter=False)
        time.sleep(1.6)
        return screen.press("Enter")

    def session(self, number: int = 0) -> str:
        """Return the id of a session, as its file says it."""

        def find() -> str | None:
            chats = self.stage.home.glob(".gemini/tmp/*/chats/session-*.json*")
            texts = [path.read_text() for path in sorted(chats, key=lambda path: path.stat().st_ctime)]
            ids = dict.fromkeys(found[1] for text in texts if (found := re.search(r'"sessionId":\s*"([^"]+)"', text)))
            return list(ids)[number] if len(ids) > number else None

        return wait_for(find, 20, "a session on disk")


@pytest.fixture
def gemini(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[Gemini]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("gemini", version, patterns=PATTERNS)
    with stage_of("gemini", version, live_clients.clean_environment(Path("/"))) as stage:
        yield Gemini(stage, words)


def shell(line: str) -> dict[str, Any]:
    return {"name": "run_shell_command", "args": {"command": line, "description": "work"}}


@pytest.mark.parametrize("gemini", [NEWEST, OLDER], indirect=True)
def test_a_plain_turn(gemini: Gemini, figures: Callable[..., None]) -> None:
    stage = gemini.stage
    gemini.begin({"text": "Hello.", "delay": 3})
    screen = gemini.open()
    asked = gemini.say(screen, "Say hello")
    session = gemini.session()
    stage.true(session, "thinking", {"activity": "working", "messages": 1}, at=asked, mark='"type":\\s*"user"')
    true_once(stage, session, "answered", {**AT_PROMPT, "messages": 2}, '"Hello\\."', asked)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


@pytest.mark.parametrize("gemini", [NEWEST, OLDER], indirect=True)
def test_a_running_tool(gemini: Gemini, figures: Callable[..., None]) -> None:
    stage = gemini.stage
    gemini.begin({"calls": [shell("sleep 4")], "delay": 1}, {"text": "Done with it.", "delay": 2})
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Run it")
    session = gemini.session()
    runs = {"activity": "working", "evidence": "tool", "tool": None, "calls": 0}
    ran = true_once(stage, session, "tool runs", runs, '"type":\\s*"gemini"', asked)
    back = true_once(stage, session, "model goes on", {"activity": "working", "calls": 1}, '"toolCalls"', ran)
    true_once(stage, session, "answered", {**AT_PROMPT, "calls": 1, "messages": 3}, "Done with it", back)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_permission_wait_without_our_hook_is_not_pretended_to_be_known(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin({"calls": [shell("touch made.txt")]}, {"text": "Made it."})
    screen = gemini.open()
    gemini.say(screen, "Make a file")
    session = gemini.session()
    waits = screen.see("Allow once")
    stage.true(session, "waits or runs", {"activity": "working"}, at=waits)
    stage.hold(3)
    assert "may wait for approval" in last_detail(stage, session)
    pressed = screen.press("Enter")
    true_once(stage, session, "answered", AT_PROMPT, "Made it", pressed)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_permission_wait_with_our_hook(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin({"text": "I run it.", "calls": [shell("sleep 4")]}, {"text": "Made it.", "delay": 3}, hooks=True)
    screen = gemini.open()
    gemini.say(screen, "Make a file")
    session = gemini.session()
    waits = screen.see("Allow once")
    permission = {"activity": "waiting", "waiting_for": "permission", "evidence": "hook"}
    stage.true(session, "waits", permission, at=waits, mark='"kind": "permission"')
    stage.hold(3)
    allowed = screen.press("Enter")
    # None of this client's hooks runs when a person has answered: until the tool has ended the board says that.
    stage.true(session, "given", permission, at=allowed)
    assert "that it was given shows only when the tool has ended" in last_detail(stage, session)
    true_once(stage, session, "model goes on", {"activity": "working"}, '"kind": "working"', allowed)
    ran = wrote(stage, "functionResponse", allowed)
    true_once(stage, session, "answered", AT_PROMPT, "Made it", ran)
    stage.hold(2)
    closed = gemini.say(screen, "/quit")
    true_once(stage, session, "closed", {"activity": "terminal", "end": "closed"}, '"kind": "end"', closed)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_text_beside_a_running_tool_with_our_hook(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin({"text": "I run it.", "calls": [shell("sleep 5")]}, {"text": "All is done."}, hooks=True)
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Run it")
    session = gemini.session()
    text = wrote(stage, "I run it", asked)
    true_once(stage, session, "tool runs", {"activity": "working", "evidence": "hook"}, '"kind": "working"', text)
    stage.hold(3)
    true_once(stage, session, "answered", AT_PROMPT, '"kind": "prompt"', text)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_text_beside_a_running_tool_without_our_hook_says_that_it_may_run(gemini: Gemini) -> None:
    stage = gemini.stage
    gemini.begin({"text": "I run it.", "calls": [shell("sleep 5")]}, {"text": "All is done."})
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Run it")
    session = gemini.session()
    assert wrote(stage, "I run it", asked)
    stage.hold(2)
    assert "a tool that it called along with that may still run" in last_detail(stage, session)


def test_an_interrupted_answer_and_an_interrupted_tool(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    slow = {"text": "slow " * 30, "chunks": 30, "gap": 1}
    gemini.begin(slow, {"calls": [shell("sleep 30")], "delay": 3})
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Talk slowly")
    session = gemini.session()
    stage.true(session, "thinking", {"activity": "working"}, at=asked, mark='"Talk slowly"')
    stage.hold(3)
    stopped = screen.press("Escape")
    stage.true(session, "stopped", AT_PROMPT, at=stopped, mark="Request cancelled")
    stage.hold(3)
    again = gemini.say(screen, "Run long")
    stage.true(session, "asked again", {"activity": "working"}, at=again, mark='"Run long"')
    ran = wrote(stage, '"type":"gemini"', again)
    stage.hold(2)
    stage.true(session, "tool runs", {"activity": "working", "evidence": "tool", "messages": 3}, at=ran + 1)
    stage.hold(3)
    stopped = screen.press("Escape")
    stage.true(session, "tool stopped", {**AT_PROMPT, "calls": 1, "messages": 3}, at=stopped, mark='"cancelled"')
    stage.hold(3)
    figures("gemini", stage.version, stage.verdict())


def test_a_killed_client_cannot_be_told_from_a_slow_one_and_that_is_said(gemini: Gemini) -> None:
    stage = gemini.stage
    gemini.begin({"calls": [shell("sleep 30")]})
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Run long")
    session = gemini.session()
    assert wrote(stage, '"type":"gemini"', asked)
    screen.end()
    stage.hold(3)
    assert DOUBT in last_detail(stage, session)


def test_a_resumed_session_is_the_same_one(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin({"text": "First answer."}, {"text": "Second answer.", "delay": 2})
    first = stage.run([*gemini.words, "-m", "gemini-2.5-pro", "-p", "One"])
    assert first.wait(60) == 0
    session = gemini.session()
    stage.true(session, "answered", {**AT_PROMPT, "messages": 2})
    stage.hold(2)
    screen = gemini.open("--resume", "latest")
    screen.see(
        "First answer", 60
    )  # it takes typing before it has loaded the conversation, and the prompt waits so long
    time.sleep(1)
    asked = gemini.say(screen, "Two")
    true_once(stage, session, "thinking", {"activity": "working", "messages": 3}, '"Two"', asked)
    true_once(stage, session, "answered again", {**AT_PROMPT, "messages": 4}, "Second answer", asked)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_subagent_at_work_keeps_its_parent_working(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin(
        {"text": "I delegate.", "calls": [{"name": "invoke_agent", "args": {"agent_name": "generalist", "prompt": "Wait"}}]},
        {"calls": [shell("sleep 5")]},
        {"calls": [{"name": "complete_task", "args": {"result": {"response": "It is done."}}}]},
        {"text": "The helper is back.", "delay": 2},
    )  # fmt: skip
    screen = gemini.open("--yolo")
    asked = gemini.say(screen, "Delegate it")
    session = gemini.session()
    busy = {"activity": "working", "waiting_for": None}
    born = true_once(stage, session, "helper works", busy, '"kind":"subagent"', asked)

    def find() -> str | None:
        found = list(stage.home.glob(".gemini/tmp/*/chats/*/*.jsonl"))
        return found[0].stem if found else None

    helper = wait_for(find, 10, "the helper's file")
    stage.true(helper, "helper at work", {"activity": "working", "parent": session})
    handed_in = wrote(stage, "complete_task", born)
    stage.true(helper, "helper done", {"activity": "terminal", "calls": 2}, at=handed_in, mark="complete_task")
    true_once(stage, session, "answered", {**AT_PROMPT, "calls": 1, "messages": 3}, "The helper is back", born)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_compaction_takes_nothing_back(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    told = "<state_snapshot>Everything so far.</state_snapshot>"
    gemini.begin(
        {"text": "One it is."},
        {"text": "Two it is."},
        {"text": told},
        {"text": told},
        {"text": "On we go.", "delay": 2},
    )
    screen = gemini.open()
    gemini.say(screen, "One")
    screen.see("One it is")
    gemini.say(screen, "Two")
    screen.see("Two it is")
    session = gemini.session()
    stage.true(session, "two turns", {**AT_PROMPT, "messages": 4, "compactions": 0})
    stage.hold(2)
    asked = gemini.say(screen, "/compress")
    smaller = {**AT_PROMPT, "messages": 4, "compactions": 1}
    true_once(stage, session, "compressed", smaller, "Thanks for the additional context", asked)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())


def test_a_rewind_takes_nothing_back(gemini: Gemini, figures: Any) -> None:
    stage = gemini.stage
    gemini.begin({"text": "One it is."}, {"text": "Two it is."}, {"text": "Three it is.", "delay": 3})
    screen = gemini.open()
    gemini.say(screen, "One")
    screen.see("One it is")
    gemini.say(screen, "Two")
    screen.see("Two it is")
    session = gemini.session()
    stage.true(session, "two turns", {**AT_PROMPT, "messages": 4})
    stage.hold(2)
    gemini.say(screen, "/rewind")
    screen.see("Stay at current position")
    screen.press("Up")
    screen.see("● Two")
    screen.press("Enter")
    screen.see("1. Rewind conversation")
    rewound = screen.press("Enter")
    true_once(stage, session, "rewound", {**AT_PROMPT, "messages": 4}, "rewindTo", rewound)
    stage.hold(2)
    assert "the conversation was" in last_detail(stage, session)
    # The prompt that was taken back stands in the line again, to be changed.
    again = gemini.say(screen, " and more")
    stage.true(session, "asked again", {"activity": "working", "messages": 5}, at=again, mark="and more")
    true_once(stage, session, "answered again", {**AT_PROMPT, "messages": 6}, "Three it is", again)
    stage.hold(2)
    figures("gemini", stage.version, stage.verdict())

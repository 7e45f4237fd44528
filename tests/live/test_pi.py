"""Pi, the genuine client: what the board says while it works is what is true, or it says what it cannot know."""

import json
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import live_clients
import pytest
from harness import wait_for
from live_saying import AT_PROMPT, DOUBT, last_detail, true_once, wrote
from live_stage import Screen, Stage, stage_of

NEWEST = "0.87.1"
OLDER = "0.73.1"
PATTERNS = ("@earendil-works/pi-coding-agent/dist/cli.js", "@mariozechner/pi-coding-agent/dist/cli.js")


class Pi:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage = stage
        # It wants a newer node than many machines have: `npm install node@22` beside the clients brings one.
        places = Path(words[-1]).parents
        found = [path for place in places for path in place.glob("node*/node_modules/node/bin/node")]
        self.words = [str(found[0]), *words[1:]] if found else words

    def begin(self, *turns: Any) -> None:
        """Prepare the home, start the model and the board."""
        stage = self.stage
        folder = stage.home / ".pi/agent"
        folder.mkdir(parents=True)
        line = stage.serve(live_clients.driver("pi", "mock_openai.py"), {"turns": list(turns)})
        settings = {"quietStartup": True, "enableInstallTelemetry": False, "compaction": {"keepRecentTokens": 10}}
        (folder / "settings.json").write_text(json.dumps(settings))
        cost = {"input": 1, "output": 2, "cacheRead": 0.1, "cacheWrite": 0}
        model = {"id": "mock-1", "name": "mock-1", "reasoning": True, "input": ["text"], "cost": cost}
        model |= {"contextWindow": 128000, "maxTokens": 8192}
        url = f"http://127.0.0.1:{line.split()[-1]}/v1"
        provider = {"baseUrl": url, "api": "openai-completions", "apiKey": "dummy", "models": [model]}
        (folder / "models.json").write_text(json.dumps({"providers": {"mock": provider}}))
        stage.environment |= {"PI_OFFLINE": "1"}
        stage.watch("--source", f"pi={stage.home / '.pi'}")

    def line(self, *words: str) -> list[str]:
        """Return the client's command line."""
        return [*self.words, "--provider", "mock", "--model", "mock-1", *words]

    def open(self, *words: str) -> Screen:
        """Start the interactive client and wait until it is ready."""
        screen = self.stage.screen(self.line(*words))
        screen.see("mock-1", 40)
        time.sleep(1)
        return screen

    def session(self) -> str:
        """Return the id of the session, as its file's name says it."""

        def find() -> str | None:
            found = sorted(self.stage.home.glob(".pi/agent/sessions/*/*.jsonl"))
            return found[0].stem.partition("_")[2] if found else None

        return wait_for(find, 30, "a session on disk")


@pytest.fixture
def pi(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[Pi]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("pi", version, patterns=PATTERNS)
    with stage_of("pi", version, live_clients.clean_environment(Path("/"))) as stage:
        yield Pi(stage, words)


def shell(line: str) -> dict[str, Any]:
    return {"name": "bash", "args": {"command": line}}


both = pytest.mark.parametrize("pi", [NEWEST, OLDER], indirect=True)


@both
def test_plain_turns(pi: Pi, figures: Callable[..., None]) -> None:
    stage = pi.stage
    pi.begin({"text": "First answer."}, {"text": "Second answer.", "delay": 3})
    screen = pi.open()
    asked = screen.type("One")
    session = pi.session()
    true_once(stage, session, "answered", {**AT_PROMPT, "messages": 2}, "First answer", asked)
    stage.hold(2)
    asked = screen.type("Two")
    true_once(stage, session, "thinking", {"activity": "working", "messages": 3}, '"Two"', asked)
    true_once(stage, session, "answered again", {**AT_PROMPT, "messages": 4}, "Second answer", asked)
    stage.hold(2)
    figures("pi", stage.version, stage.verdict())


@both
def test_running_tools_end_one_by_one(pi: Pi, figures: Callable[..., None]) -> None:
    stage = pi.stage
    pi.begin({"text": "I run it.", "calls": [shell("sleep 3"), shell("sleep 6")]}, {"text": "It is done.", "delay": 2})
    screen = pi.open()
    asked = screen.type("Run it")
    session = pi.session()
    runs = {"activity": "working", "evidence": "tool", "tool": "bash", "calls": 2}
    ran = true_once(stage, session, "tools run", runs, '"toolUse"', asked)
    back = wrote(stage, '"toolResult"', ran)
    stage.true(session, "tools run on, or are done", {"activity": "working"}, at=back)
    true_once(stage, session, "answered", {**AT_PROMPT, "tool": None, "messages": 3}, "It is done", back)
    stage.hold(2)
    figures("pi", stage.version, stage.verdict())


def test_an_interrupted_answer_and_an_interrupted_tool(pi: Pi, figures: Callable[..., None]) -> None:
    stage = pi.stage
    slow = {"text": "slow " * 40, "chunks": 40, "gap": 1}
    pi.begin({"text": "Hello."}, slow, {"calls": [shell("sleep 40")]})
    screen = pi.open()
    asked = screen.type("Hello")
    session = pi.session()
    screen.see("Hello\\.")
    asked = screen.type("Talk slowly")
    true_once(stage, session, "thinking", {"activity": "working"}, '"Talk slowly"', asked)
    stage.hold(3)
    stopped = screen.press("Escape")
    stage.true(session, "stopped", AT_PROMPT, at=stopped, mark='"aborted"')
    stage.hold(2)
    asked = screen.type("Run long")
    stage.true(session, "asked again", {"activity": "working"}, at=asked, mark='"Run long"')
    wrote(stage, '"toolUse"', asked)
    stage.hold(3)
    stage.true(session, "tool runs", {"activity": "working", "tool": "bash"})
    stage.hold(2)
    stopped = screen.press("Escape")
    stage.true(session, "tool stopped", {**AT_PROMPT, "tool": None, "calls": 1}, at=stopped, mark='"aborted"')
    stage.hold(3)
    figures("pi", stage.version, stage.verdict())


def test_a_killed_client_cannot_be_told_from_a_slow_one_and_that_is_said(pi: Pi) -> None:
    stage = pi.stage
    pi.begin({"calls": [shell("sleep 40")]})
    screen = pi.open()
    asked = screen.type("Run long")
    session = pi.session()
    wrote(stage, '"toolUse"', asked)
    screen.end()
    stage.hold(3)
    assert last_detail(stage, session) == f"bash has no result yet; {DOUBT}"


@both
def test_a_resumed_session_is_the_same_one(pi: Pi, figures: Callable[..., None]) -> None:
    stage = pi.stage
    pi.begin({"text": "First answer."}, {"text": "Second answer.", "delay": 3})
    assert stage.run(pi.line("-p", "One")).wait(60) == 0
    session = pi.session()
    stage.true(session, "answered", {**AT_PROMPT, "messages": 2})
    stage.hold(2)
    again = time.time()
    stage.run(pi.line("-p", "--continue", "Two"))
    true_once(stage, session, "thinking", {"activity": "working", "messages": 3}, '"Two"', again, 30)
    true_once(stage, session, "answered again", {**AT_PROMPT, "messages": 4}, "Second answer", again, 30)
    stage.hold(2)
    figures("pi", stage.version, stage.verdict())


def test_a_compaction_takes_nothing_back(pi: Pi, figures: Callable[..., None]) -> None:
    stage = pi.stage
    pi.begin(
        {"text": "One it is. " * 30}, {"text": "Two it is. " * 30}, {"text": "In short: all of it."}, {"text": "On."}
    )
    screen = pi.open()
    asked = screen.type("One")
    screen.see("One it is")
    session = pi.session()
    asked = screen.type("Two")
    true_once(stage, session, "answered", {**AT_PROMPT, "messages": 4, "compactions": 0}, "Two it is", asked)
    stage.hold(3)
    asked = screen.type("/compact")
    after = {"messages": 4, "compactions": 1, **AT_PROMPT}
    true_once(stage, session, "compacted", after, '"type":"compaction"', asked)
    stage.hold(3)
    figures("pi", stage.version, stage.verdict())

"""Claude Code, the genuine client: what the board says while it works is what is true."""

import json
import time
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import live_clients
import pytest
from live_stage import Screen, Stage, stage_of

NEWEST = "2.1.330"
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
}

Figures = Callable[[str, str, dict[str, float]], None]
PROMPT = "\u276f"


class Claude:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage, self.words = stage, words
        self.session = str(uuid.uuid4())

    def begin(self, *steps: Any, hooks: bool = False, **scenario: Any) -> None:
        """Prepare the home, start the model and the board."""
        stage = self.stage
        folder = stage.home / ".claude"
        folder.mkdir(mode=0o700)
        project = {
            "hasTrustDialogAccepted": True,
            "hasCompletedProjectOnboarding": True,
            "projectOnboardingSeenCount": 9,
        }
        config = {
            "hasCompletedOnboarding": True, "lastOnboardingVersion": stage.version, "theme": "dark",
            "numStartups": 9, "autoUpdates": False, "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": ["dummy"], "rejected": []}, "projects": {str(stage.cwd): project},
        }  # fmt: skip
        for place in (stage.home / ".claude.json", folder / ".claude.json"):
            place.write_text(json.dumps(config))
        (folder / "settings.json").write_text("{}\n")
        if hooks:
            stage.hooks()
        url = stage.serve(live_clients.driver("claude", "mock_api.py"), {"main": list(steps), **scenario})
        stage.environment |= {**QUIET, "ANTHROPIC_API_KEY": "dummy", "ANTHROPIC_BASE_URL": url}
        stage.watch("--source", f"claude={folder}")

    @property
    def registers(self) -> bool:
        """Whether this release keeps a register of its living processes."""
        return (self.stage.home / ".claude" / "sessions").is_dir()

    def open(self, *words: str) -> Screen:
        """Start the interactive client and wait until it is at its prompt."""
        screen = self.stage.screen(self.line(*words))
        screen.see(PROMPT)
        self.stage.true(self.session, "open", {"activity": "idle", "messages": 0}, mark=IDLE)
        self.stage.hold(1.5)
        return screen

    def registered(self) -> str:
        """Return the session that the client's own register names now."""
        (record,) = (self.stage.home / ".claude" / "sessions").glob("[0-9]*.json")
        return json.loads(record.read_text())["sessionId"]

    def line(self, *words: str) -> list[str]:
        """Return the interactive client's command line."""
        return [*self.words, "--session-id", self.session, *words]


def bash(gate: str = "", **more: Any) -> dict[str, Any]:
    """Return a call of the shell that lasts until the file `gate` is there (half a minute at most)."""
    wait = f"for i in $(seq 600); do [ -e {gate} ] && break; sleep 0.05; done" if gate else "true"
    return {"name": "Bash", "input": {"command": f"{wait}; echo done", "description": "Wait", **more}}


def helper(prompt: str, **more: Any) -> dict[str, Any]:
    """Return a call for a subagent."""
    asked = {"description": "Help", "prompt": f"{prompt}: do it", "subagent_type": "general-purpose", **more}
    return {"name": "Agent", "input": asked}


FREE = ("--permission-mode", "acceptEdits", "--allowedTools", "Bash,Read,Agent,Task")
ASK = ("--permission-mode", "manual")
DONE = {"activity": "waiting", "waiting_for": "prompt", "tool": None}
BUSY = {"activity": "working", "waiting_for": None, "tool": None}
RUNS = {"activity": "working", "waiting_for": None, "tool": "Bash"}
IDLE = '"status":"idle"'

hooked = pytest.mark.parametrize("hooks", [False, True], ids=["bare", "hooks"])


@pytest.fixture
def claude(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[Claude]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("claude", version)
    with stage_of("claude", version, live_clients.clean_environment(Path("/"))) as stage:
        yield Claude(stage, words)


@hooked
def test_a_plain_turn(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Hello.", "delay": 2.5}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open()
    asked = screen.type("Say hello")
    stage.true(session, "thinking", {**BUSY, "messages": frozenset((0, 1))}, at=asked, mark='"status":"busy"')
    answered = screen.see("Hello\\.")
    stage.true(session, "answered", {**DONE, "messages": 2}, at=answered, mark=IDLE)
    stage.hold(2)
    stage.true(session, "killed", {"activity": "terminal", "end": "process gone"}, at=screen.end())
    stage.hold(1.5)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_running_tool(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Running.", "tools": [bash("go")]}, {"text": "Well done.", "delay": 2.5}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*FREE)
    screen.type("Run it")
    shown = screen.see("Running\\.")
    stage.true(session, "the tool runs", {**RUNS, "calls": 1, "messages": 2}, at=shown, mark='"tool_use"')
    stage.hold(3)
    ended = stage.release("go")
    stage.true(session, "the tool is over", {**BUSY, "messages": 2}, at=ended, mark='"tool_result"')
    answered = screen.see("Well done\\.")
    stage.true(session, "answered", {**DONE, "messages": 3, "calls": 1}, at=answered, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_permission_is_waited_for_and_granted(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Asking.", "tools": [bash("go")]}, {"text": "Well done.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*ASK)
    screen.type("Run it")
    asked = screen.see("Do you want to proceed")
    needs = {"activity": "waiting", "waiting_for": "permission", "tool": "Bash"}
    stage.true(session, "a permission is asked for", needs, at=asked, mark='"waitingFor":"permission')
    stage.hold(9)  # longer than the client's own late notification takes
    stage.true(session, "the tool runs", RUNS, at=screen.press("Enter"), mark='"status":"busy"')
    stage.hold(3)
    ended = stage.release("go")
    stage.true(session, "the tool is over", BUSY, at=ended, mark='"tool_result"')
    answered = screen.see("Well done\\.")
    stage.true(session, "answered", {**DONE, "messages": 3, "calls": 1}, at=answered, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_permission_is_refused(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Asking.", "tools": [bash("go")]}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*ASK)
    screen.type("Run it")
    asked = screen.see("Do you want to proceed")
    needs = {"activity": "waiting", "waiting_for": "permission", "tool": "Bash"}
    stage.true(session, "a permission is asked for", needs, at=asked, mark='"waitingFor":"permission')
    stage.hold(2)
    stage.true(session, "refused", DONE, at=screen.press("Escape"), mark=IDLE)
    stage.hold(3)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_question(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    options = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
    asks = {"question": "Which colour?", "header": "Colour", "multiSelect": False, "options": options}
    tool = {"name": "AskUserQuestion", "input": {"questions": [asks]}}
    claude.begin({"text": "I need a decision.", "tools": [tool]}, {"text": "Noted.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*ASK)
    screen.type("Ask me")
    asked = screen.see("Which colour")
    needs = {"activity": "waiting", "waiting_for": "question", "tool": "AskUserQuestion"}
    stage.true(session, "a question is asked", needs, at=asked, mark='"status":"waiting"')
    stage.hold(9)
    stage.true(session, "answered", BUSY, at=screen.press("Enter"), mark='"status":"busy"')
    noted = screen.see("Noted\\.")
    stage.true(session, "over", {**DONE, "messages": 3}, at=noted, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_plan(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    tool = {"name": "ExitPlanMode", "input": {"plan": "1. Do it.\n2. Check it."}}
    claude.begin({"text": "My plan.", "tools": [tool]}, {"text": "As planned.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open("--permission-mode", "plan")
    typed = screen.type("Plan it")
    asked = screen.see("(?i)would you like to proceed|exit plan mode\\?")
    needs = {"activity": "waiting", "waiting_for": "plan", "tool": "ExitPlanMode"}
    if stage.written('"name":"ExitPlanMode"', typed, 4) is None:
        # Now and then the client writes the call only after the answer; its register speaks of a permission then.
        needs = {"activity": "waiting", "waiting_for": frozenset(("permission", "plan")), "tool": None}
    stage.true(session, "a plan is shown", needs, at=asked, mark='"status":"waiting"')
    stage.hold(9)
    stage.true(session, "approved", BUSY, at=screen.press("Enter"), mark='"status":"busy"')
    answered = screen.see("As planned\\.")
    stage.true(session, "over", {**DONE, "messages": 3}, at=answered, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_an_interrupt_while_the_model_thinks(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Never shown.", "delay": 40}, {"text": "Second.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open()
    stage.true(session, "thinking", BUSY, at=screen.type("Think hard"), mark='"status":"busy"')
    stage.hold(3)
    stage.true(session, "interrupted", DONE, at=screen.press("Escape"), mark=IDLE)
    stage.hold(3)
    screen.press("C-u")
    stage.true(session, "thinking again", BUSY, at=screen.type("Go on"), mark='"status":"busy"')
    stage.true(session, "over", DONE, at=screen.see("Second\\."), mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_an_interrupt_while_a_tool_runs(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Running.", "tools": [bash("go")]}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*FREE)
    screen.type("Run it")
    stage.true(session, "the tool runs", RUNS, at=screen.see("Running\\."), mark='"tool_use"')
    stage.hold(2)
    stage.true(session, "interrupted", DONE, at=screen.press("Escape"), mark=IDLE)
    stage.hold(3)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_killed_in_the_middle_and_resumed(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Running.", "tools": [bash("go")]}, {"text": "Back again.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*FREE)
    screen.type("Run it")
    stage.true(session, "the tool runs", RUNS, at=screen.see("Running\\."), mark='"tool_use"')
    stage.hold(2)
    stage.true(session, "killed", {"activity": "terminal", "end": "process gone"}, at=screen.end())
    stage.hold(3)
    stage.release("go")
    again = stage.screen([*claude.words, "--resume", session, *FREE])
    back = again.see("Run it[\\s\\S]*" + PROMPT)
    stage.true(session, "resumed", DONE, at=back, mark=IDLE)
    stage.hold(2)
    asked = again.type("Go on")
    stage.true(session, "thinking", BUSY, at=asked, mark='"status":"busy"')
    stage.true(session, "over", {**DONE, "messages": 4}, at=again.see("Back again\\."), mark=IDLE)
    stage.hold(2)
    again.type("/exit")
    stage.hold(0.3)
    stage.true(session, "closed", {"activity": "terminal", "end": "closed"})
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_subagent_in_the_foreground(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    main = ({"text": "Delegating.", "tools": [helper("HELP", run_in_background=False)]}, {"text": "It says so."})
    agents = {"HELP": [{"text": "At it.", "tools": [bash("go")]}, {"text": "Helped.", "delay": 2}]}
    claude.begin(*main, hooks=hooks, agents=agents)
    stage, session = claude.stage, claude.session
    process = stage.run([*claude.line(*FREE), "-p"], "Delegate it")
    begun = stage.written("agent-.*jsonl\n", time.time(), 20)
    assert begun is not None
    works = {"activity": "working", "tool": "Agent", "helpers": 1}
    stage.true(session, "the subagent works", works, at=begun, mark="agent-.*jsonl")
    stage.hold(3)
    stage.release("go")
    process.wait(20)
    stage.true(session, "over", {"activity": "terminal", "helpers": 0, "helpers_done": 1, "messages": 3})
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_subagent_in_the_background(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    main = ({"text": "Delegating.", "tools": [helper("HELP")]}, {"text": "It is at work."}, {"text": "Report read."})
    agents = {"HELP": [{"text": "At it.", "tools": [bash("go")]}, {"text": "Helped.", "delay": 2}]}
    claude.begin(*main, hooks=hooks, agents=agents)
    stage, session, screen = claude.stage, claude.session, claude.open(*FREE)
    screen.type("Delegate it")
    shown = screen.see("It is at work\\.")
    stage.true(session, "the subagent works on", {"activity": "working", "helpers": 1}, at=shown)
    stage.hold(4)
    stage.release("go")
    answered = screen.see("Report read\\.")
    stage.true(session, "over", {**DONE, "helpers": 0, "helpers_done": 1, "messages": 4}, at=answered, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_subagent_waits_for_a_permission(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    main = ({"text": "Delegating.", "tools": [helper("HELP")]}, {"text": "It is at work."}, {"text": "Report read."})
    agents = {"HELP": [{"text": "At it.", "tools": [bash("go")]}, {"text": "Helped.", "delay": 2}]}
    claude.begin(*main, hooks=hooks, agents=agents)
    stage, session, screen = claude.stage, claude.session, claude.open(*ASK)
    screen.type("Delegate it")
    asked = screen.see("Do you want to proceed")
    needs = {"activity": "waiting", "waiting_for": "permission"}
    stage.true(session, "the subagent asks", needs, at=asked, mark='"status":"waiting"')
    stage.hold(8)
    granted = screen.press("Enter")
    stage.true(session, "granted", {"activity": "working", "helpers": 1}, at=granted, mark='"status":"busy"')
    stage.hold(3)
    stage.release("go")
    answered = screen.see("Report read\\.")
    stage.true(session, "over", {**DONE, "helpers": 0, "helpers_done": 1}, at=answered, mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_compaction(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    summary = {"text": "<analysis>a</analysis><summary>1. A demo</summary>", "delay": 3}
    claude.begin({"text": "One."}, {"text": "Two.", "delay": 2}, hooks=hooks, compact=summary)
    stage, session, screen = claude.stage, claude.session, claude.open()
    screen.type("Say one")
    screen.see("One\\.")
    stage.hold(1)
    stage.true(session, "compacting", {**BUSY, "compactions": 0}, at=screen.type("/compact"), mark='"status":"busy"')
    over = screen.see("(?i)compacted")
    stage.true(session, "compacted", {**DONE, "compactions": 1, "messages": 2}, at=over, mark="compact_boundary")
    stage.hold(2)
    stage.true(session, "thinking", BUSY, at=screen.type("Say two"), mark='"status":"busy"')
    stage.true(session, "over", {**DONE, "messages": 4}, at=screen.see("Two\\."), mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_cleared_session(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "One."}, {"text": "Two.", "delay": 2}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open()
    screen.type("Say one")
    screen.see("One\\.")
    stage.hold(1)
    cleared = screen.type("/clear")
    stage.true(session, "left", {"activity": "terminal", "end": "closed"}, at=cleared, mark='"sessionId"')
    stage.hold(2)
    second = claude.registered()
    assert second != session
    stage.true(second, "new", {"activity": "idle", "messages": 0})
    stage.hold(1.5)
    stage.true(second, "thinking", BUSY, at=screen.type("Say two"), mark='"status":"busy"')
    stage.true(second, "over", {**DONE, "messages": 2}, at=screen.see("Two\\."), mark=IDLE)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_run_without_a_screen(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    claude.begin({"text": "Running.", "tools": [bash("go")]}, {"text": "Well done.", "delay": 2}, hooks=hooks)
    stage, session = claude.stage, claude.session
    process = stage.run([*claude.line(*FREE), "-p"], "Run it")
    begun = stage.written('"tool_use"', time.time(), 20)
    assert begun is not None
    stage.true(session, "the tool runs", {**RUNS, "calls": 1}, at=begun, mark='"tool_use"')
    stage.hold(2.5)
    stage.true(session, "the tool is over", BUSY, at=stage.release("go"), mark='"tool_result"')
    process.wait(20)
    ended = {"activity": "terminal", "end": "closed", "messages": 3, "calls": 1}
    stage.true(session, "over", ended)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())


@hooked
def test_a_shell_in_the_background(claude: Claude, figures: Figures, *, hooks: bool) -> None:
    gate = bash("go", run_in_background=True)
    claude.begin({"text": "Serving.", "tools": [gate]}, {"text": "It serves."}, hooks=hooks)
    stage, session, screen = claude.stage, claude.session, claude.open(*FREE)
    screen.type("Serve it")
    served = screen.see("It serves\\.")
    stage.true(session, "at the prompt", {**DONE, "messages": 3}, at=served, mark='"status":"shell"')
    stage.hold(3)
    figures("claude", stage.version, stage.verdict())


older = pytest.mark.parametrize("claude", ["2.1.197", "2.1.81", "2.0.37"], indirect=True)
"""Releases with a registry that says all, with one that names processes only, and with none."""


@older
def test_an_older_client(claude: Claude, figures: Figures) -> None:
    claude.begin({"text": "Running.", "tools": [bash("go")]}, {"text": "Well done.", "delay": 3})
    stage, session = claude.stage, claude.session
    screen = stage.screen(claude.line("--allowedTools", "Bash"))
    screen.see(f"[>{PROMPT}]")
    stage.hold(2)
    screen.type("Run it")
    screen.see("Running\\.")
    called = stage.written('"tool_use"', time.time(), 10)
    assert called is not None
    stage.true(session, "the tool runs", {**RUNS, "calls": 1}, at=called, mark='"tool_use"')
    stage.hold(3)
    stage.true(session, "the tool is over", BUSY, at=stage.release("go"), mark='"tool_result"')
    answered = screen.see("Well done\\.")
    stage.true(session, "answered", {**DONE, "messages": 3, "calls": 1}, at=answered, mark="Well done")
    stage.hold(12)
    stage.true(session, "still so", {**DONE, "messages": 3, "calls": 1})
    stage.hold(1.5)
    killed = screen.end()
    if claude.registers:
        stage.true(session, "killed", {"activity": "terminal", "end": "process gone"}, at=killed)
    else:
        stage.true(session, "killed, unseen", {**DONE, "evidence": frozenset(("record", "age"))}, at=killed)
    stage.hold(2)
    figures("claude", stage.version, stage.verdict())

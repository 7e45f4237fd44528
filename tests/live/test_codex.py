"""Codex, the genuine client: what the board says while it works is what is true, or that it cannot know."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import live_clients
import pytest
from harness import wait_for
from live_stage import Files, Screen, Stage, stage_of

NEWEST = "0.169.0"
LOCKLESS = "0.142.5"
FIRST_WITH_LOCKS = (0, 150)
CONFIG = """model = "{model}"
model_provider = "mock"
check_for_update_on_startup = false
{top}
[analytics]
enabled = false
[model_providers.mock]
name = "mock"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 2
stream_idle_timeout_ms = 60000
[projects."{cwd}"]
trust_level = "trusted"
[notice.model_migrations]
"gpt-5.5" = "gpt-6-sol"
"""
TITLE = {"items": [{"text": '{"title": "A title"}'}], "usage": [10, 0, 1, 0]}
CHILD = '\\"thread_source\\\\":\\\\"subagent|x-openai-subagent'

Figures = Callable[[str, str, dict[str, float]], None]
DONE = {"activity": "waiting", "waiting_for": "prompt", "tool": None}
BUSY = {"activity": "working", "waiting_for": None, "tool": None}
RUNS = {"activity": "working", "waiting_for": None, "tool": "exec_command"}
GONE = {"activity": "terminal", "end": "process gone", "tool": None}
CLOSED = {"activity": "terminal", "end": "closed", "tool": None}
EXEC = ("--sandbox", "danger-full-access", "--skip-git-repo-check")
FREE = ("-a", "never", "-s", "danger-full-access")

both = pytest.mark.parametrize("codex", [NEWEST, LOCKLESS], indirect=True)
hooked = pytest.mark.parametrize("hooks", [False, True], ids=["bare", "hooks"])


def said(text: str, delay: float = 0, **more: Any) -> dict[str, Any]:
    """Return an answer of the model; the client's own request for a title is answered by something else."""
    return {"not": "thread_title", "items": [{"text": text}], "usage": [8200, 8000, 20, 0], "delay": delay, **more}


def calls(gate: str = "", **more: Any) -> dict[str, Any]:
    """Return a call of the shell that lasts until the file `gate` is there (half a minute at most)."""
    wait = f"for i in $(seq 600); do [ -e {gate} ] && break; sleep 0.05; done" if gate else "true"
    call = {"call": "exec_command", "args": {"cmd": wait, "yield_time_ms": 30000, **more}}
    items = [{"text": "At it.", "phase": "commentary"}, call]
    return {"not": "thread_title", "items": items, "usage": [8000, 0, 55, 0]}


class Codex:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage, self.words = stage, words
        self.folder = stage.home / ".codex"
        self.locks = tuple(map(int, stage.version.split(".")[:2])) >= FIRST_WITH_LOCKS
        self._hooks = False

    def begin(self, *steps: Any, model: str = "gpt-5.5", top: str = "", hooks: bool = False) -> None:
        """Prepare the home, start the model and the board."""
        stage, self._hooks = self.stage, hooks
        self.folder.mkdir(mode=0o700)
        if hooks:
            stage.hooks()
        script = live_clients.driver("codex", "mock_responses.py")
        port = stage.serve(script, {"steps": list(steps), "default": TITLE})
        config = CONFIG.format(model=model, top=top, port=port, cwd=stage.cwd)
        (self.folder / "config.toml").write_text(config)
        (stage.cwd / ".git").mkdir()  # the client looks no further for the folder of its project
        stage.environment |= {"CODEX_HOME": str(self.folder), "MOCK_KEY": "x", "OPENAI_API_KEY": "x"}
        stage.files = Files([self.folder / "sessions", stage.house.state / "spool"])
        stage.watch("--source", f"codex={self.folder}")

    def finish(self, process: subprocess.Popen[str], session: str, since: float) -> None:
        """Wait for the end of a turn, after which the client lingers for a moment or for seconds, and for its own end."""
        over = self.stage.written('"task_complete"', since, 20)
        assert over is not None
        rests = {"activity": frozenset(("waiting", "terminal")), "tool": None}
        self.stage.true(session, "the turn is over", rests, at=over, brief=True)
        process.wait(20)
        self.stage.moves()

    @property
    def closed(self) -> dict[str, Any]:
        """How a thread ends: only a lock tells whether its client closed it or was killed."""
        return CLOSED if self.locks else GONE

    def open(self, *words: str) -> Screen:
        """Start the interactive client and wait until it is at its prompt."""
        daemon = ["--no-daemon"] if self.locks else []
        screen = self.stage.screen([*self.words, "--no-alt-screen", *daemon, *words])
        if self._hooks:  # a person has to trust them, once
            screen.see("Trust all")
            self.stage.hold(1)
            screen.press("Down")
            screen.see("\u203a 2")
            screen.press("Enter")
        screen.see("OpenAI Codex")
        self.stage.hold(2)
        return screen

    def run(self, prompt: str, *words: str) -> subprocess.Popen[str]:
        """Start the client that answers and ends."""
        return self.stage.run([*self.words, "exec", *EXEC, *words, prompt])

    def threads(self) -> list[str]:
        """Return the threads that have a file, in the order in which they were made."""
        names = sorted(path.name for path in (self.folder / "sessions").rglob("rollout-*.jsonl"))
        ids = [re.findall(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", name)[0] for name in names]
        return list(dict.fromkeys(ids))

    def thread(self, number: int = 0) -> str:
        """Wait for a thread's file; returns the thread's id."""
        return wait_for(lambda: self.threads()[number:], 20, "a thread")[0]


@pytest.fixture
def codex(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[Codex]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("codex", version)
    with stage_of("codex", version, live_clients.clean_environment(Path("/"))) as stage:
        yield Codex(stage, words)


@both
def test_a_plain_turn(codex: Codex, figures: Figures) -> None:
    codex.begin(said("Hello.", 2.5), said("Again.", 2.5))
    stage, screen = codex.stage, codex.open(*FREE)
    asked = screen.type("Say hello")
    session = codex.thread()
    stage.true(session, "thinking", {**BUSY, "messages": 1}, at=asked, mark='"UserMessage"|"user_message"')
    answered = screen.see("Hello\\.")
    stage.true(session, "answered", {**DONE, "messages": 2}, at=answered, mark='"task_complete"')
    stage.hold(2)
    asked = screen.type("Once more")
    stage.true(session, "thinking again", {**BUSY, "messages": 3}, at=asked, mark="UserMessage|user_message")
    answered = screen.see("Again\\.")
    stage.true(session, "answered again", {**DONE, "messages": 4}, at=answered, mark='"task_complete"')
    stage.hold(2)
    stage.true(session, "killed", GONE, at=screen.end())
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
def test_a_run_without_a_screen_and_its_resumption(codex: Codex, figures: Figures) -> None:
    codex.begin(calls("go"), said("Well done.", 2), said("Back again.", 2))
    stage, process = codex.stage, codex.run("Run it")
    session = codex.thread()
    stage.written('"function_call"', time.time(), 10)
    stage.true(session, "the tool runs", {**RUNS, "calls": 1, "messages": 2}, mark='"function_call"')
    stage.hold(3)
    released = stage.release("go")
    stage.true(session, "the tool is over", BUSY, at=released, mark="function_call_output")
    codex.finish(process, session, released)
    stage.true(session, "ended", {**codex.closed, "messages": 3, "calls": 1})
    stage.hold(2.5)
    stage.moves()
    process = codex.run("Go on", "resume", session)
    begun = stage.written('"task_started"', time.time(), 10)
    assert begun is not None
    stage.true(session, "resumed", {**BUSY, "messages": 4}, at=begun, mark='"UserMessage"|"user_message"')
    codex.finish(process, session, begun)
    stage.true(session, "ended again", {**codex.closed, "messages": 5, "calls": 1})
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
@hooked
def test_an_approval_is_waited_for_and_given(codex: Codex, figures: Figures, *, hooks: bool) -> None:
    asks = calls("go", sandbox_permissions="require_escalated", justification="May I?")
    codex.begin(asks, said("Well done.", 2), hooks=hooks)
    stage, screen = codex.stage, codex.open("-a", "on-request", "-s", "read-only")
    screen.type("Run it")
    asked = screen.see("(?i)would you like to run")
    session = codex.thread()
    if hooks:
        needs = {"activity": "waiting", "waiting_for": "permission", "tool": "exec_command", "evidence": "hook"}
        stage.true(session, "an approval is waited for", needs, at=asked, mark='"permission"')
    else:  # nothing on disk tells it: the board says what it sees, and that it sees no more
        unknown = {**RUNS, "evidence": "tool", "detail": "exec_command has no result yet; it may wait for approval"}
        stage.true(session, "an approval is waited for, unseen", unknown, at=asked, mark='"function_call"')
    stage.hold(4)
    stage.true(session, "the tool runs", RUNS, at=screen.press("y"))
    stage.hold(4)
    stage.true(session, "the tool is over", BUSY, at=stage.release("go"), mark="function_call_output")
    answered = screen.see("Well done\\.")
    stage.true(session, "answered", {**DONE, "messages": 3, "calls": 1}, at=answered, mark='"task_complete"')
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
@hooked
def test_an_approval_is_refused_at_once(codex: Codex, figures: Figures, *, hooks: bool) -> None:
    codex.begin(calls("go", sandbox_permissions="require_escalated", justification="May I?"), hooks=hooks)
    stage, screen = codex.stage, codex.open("-a", "on-request", "-s", "read-only")
    screen.type("Run it")
    screen.see("(?i)would you like to run")
    session = codex.thread()
    stage.true(session, "refused", DONE, at=screen.press("Escape"), mark='"turn_aborted"')
    stage.hold(3)
    figures("codex", stage.version, stage.verdict())


@both
@hooked
def test_an_interrupt(codex: Codex, figures: Figures, *, hooks: bool) -> None:
    codex.begin(said("Never shown.", 40), calls("go"), hooks=hooks)
    stage, screen = codex.stage, codex.open(*FREE)
    asked = screen.type("Think hard")
    session = codex.thread()
    stage.true(session, "thinking", BUSY, at=asked, mark="task_started")
    stage.hold(3)
    stage.true(session, "interrupted", DONE, at=screen.press("Escape"), mark="turn_aborted")
    stage.hold(2)
    screen.press("C-u")
    screen.type("Run it")
    stage.true(session, "a tool runs", RUNS, at=screen.see("At it\\."), mark='"function_call"')
    stage.hold(3)
    stage.true(session, "interrupted again", DONE, at=screen.press("Escape"), mark="turn_aborted")
    stage.hold(3)
    stage.release("go")
    figures("codex", stage.version, stage.verdict())


@both
def test_killed_in_the_middle_and_resumed(codex: Codex, figures: Figures) -> None:
    codex.begin(calls("go"), said("Back again.", 2.5))
    stage, process = codex.stage, codex.run("Run it")
    session = codex.thread()
    stage.written('"function_call"', time.time(), 10)
    stage.true(session, "the tool runs", RUNS, mark='"function_call"')
    stage.hold(3)
    killed = stage.moves()
    process.kill()
    stage.true(session, "killed", GONE, at=killed)
    process.wait(10)
    stage.hold(3)
    stage.release("go")
    process = codex.run("Go on", "resume", session)
    begun = stage.written('"task_started"', time.time(), 10)
    assert begun is not None
    stage.true(session, "resumed", {**BUSY, "messages": 3}, at=begun, mark='"UserMessage"|"user_message"')
    codex.finish(process, session, begun)
    stage.true(session, "ended", {**codex.closed, "messages": 4})
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
def test_a_run_is_stopped_by_a_signal(codex: Codex, figures: Figures) -> None:
    codex.begin(calls("go"))
    stage, process = codex.stage, codex.run("Run it")
    session = codex.thread()
    stage.written('"function_call"', time.time(), 10)
    stage.true(session, "the tool runs", RUNS, mark='"function_call"')
    stage.hold(3)
    stage.moves()
    process.send_signal(signal.SIGINT)
    process.wait(10)
    stage.true(session, "stopped", codex.closed)
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
def test_a_fork(codex: Codex, figures: Figures) -> None:
    codex.begin(said("One."), said("Two.", 2.5))
    stage = codex.stage
    codex.run("Say one").wait(20)
    first = codex.thread()
    screen = stage.screen([*codex.words, "fork", *(["--no-daemon"] if codex.locks else []), *FREE, first, "Say two"])
    second = codex.thread(1)
    asked = time.time()
    own = {"messages": 1, "parent": None}
    stage.true(second, "thinking", {**BUSY, **own}, at=asked, mark='Say two[^|]*"UserMessage"|"user_message"')
    answered = screen.see("Two\\.")
    stage.true(first, "untouched", {"activity": frozenset(("terminal", "waiting")), "messages": 2}, at=asked)
    stage.true(second, "answered", {**DONE, "messages": 2}, at=answered, mark='"task_complete"')
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


def test_subagents_of_the_first_kind(codex: Codex, figures: Figures) -> None:
    spawn = {
        "call": "spawn_agent",
        "namespace": "multi_agent_v1",
        "args": {"message": "SUBTASK", "fork_context": False},
    }
    targets = {"targets": ['{{REQ_agent_id\\\\":\\\\"([0-9a-f-]+)}}'], "timeout_ms": 30000}
    wait = {"call": "wait_agent", "namespace": "multi_agent_v1", "args": targets}
    codex.begin(
        {**calls("go"), "match": CHILD},
        {**said("Two files."), "match": CHILD},
        {"items": [{"text": "Delegating.", "phase": "commentary"}, spawn], "usage": [10000, 0, 50, 0]},
        {"items": [wait], "usage": [10200, 10000, 30, 0]},
        said("The helper found two files."),
    )
    delegates(codex, figures)


def test_subagents_of_the_second_kind(codex: Codex, figures: Figures) -> None:
    told = {"task_name": "counter", "message": "SUBTASK: count", "fork_turns": "none"}
    spawn = {"call": "spawn_agent", "namespace": "collaboration", "args": told}
    wait = {"call": "wait_agent", "namespace": "collaboration", "args": {"timeout_ms": 30000}}
    shell = "for i in $(seq 600); do [ -e go ] && break; sleep 0.05; done"
    code = f'const r = await tools.exec_command({{cmd: "{shell}", yield_time_ms: 30000}});\ntext(r.output);\n'
    codex.begin(
        {"match": CHILD, "items": [{"custom": "exec", "input": code}], "usage": [3000, 0, 20, 0]},
        {**said("Two files."), "match": CHILD},
        {"items": [{"text": "Delegating.", "phase": "commentary"}, spawn], "usage": [10000, 0, 50, 0]},
        {"items": [wait], "usage": [10200, 10000, 30, 0]},
        said("The helper found two files."),
        model="gpt-6-astra",
    )
    delegates(codex, figures, "exec")


def delegates(codex: Codex, figures: Figures, tool: str = "exec_command") -> None:
    """Let a thread wait for another one that it started."""
    stage, process = codex.stage, codex.run("Delegate it")
    parent, child = codex.thread(), codex.thread(1)
    stage.written('"wait_agent"', time.time(), 10)
    stage.true(parent, "waits for its helper", {"activity": "working", "tool": "wait_agent"}, mark='"wait_agent"')
    runs = {"activity": "working", "tool": tool, "parent": parent, "calls": 1}
    stage.true(child, "the helper works", runs, mark=f'"name":"{tool}"')
    stage.hold(3)
    stage.release("go")
    process.wait(30)
    # The client leaves one of the two lock files behind, now and then: then that it was closed cannot be told.
    over = {**CLOSED, "end": frozenset(("closed", "process gone"))}
    stage.true(parent, "over", over)
    stage.true(child, "over, too", {**over, "parent": parent, "calls": 1})
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


@both
def test_a_compaction(codex: Codex, figures: Figures) -> None:
    codex.begin(
        {"match": "CONTEXT CHECKPOINT", "items": [{"text": "A summary."}], "usage": [24500, 24000, 210, 0], "delay": 3},
        said("One."), said("Two.", 2.5),
    )  # fmt: skip
    stage, screen = codex.stage, codex.open(*FREE)
    screen.type("Say one")
    screen.see("One\\.")
    session = codex.thread()
    stage.hold(2)
    asked = screen.type("/compact")
    stage.true(session, "compacting", {**BUSY, "compactions": 0}, at=asked, mark='"task_started"')
    compacted = stage.written('"type":"compacted"', time.time(), 15)
    assert compacted is not None
    stage.true(session, "compacted", {**DONE, "compactions": 1}, at=compacted, mark='"task_complete"')
    stage.hold(2)
    asked = screen.type("Say two")
    stage.true(session, "thinking", BUSY, at=asked, mark='"task_started"')
    answered = screen.see("Two\\.")
    stage.true(session, "answered", {**DONE, "messages": 4}, at=answered, mark='"task_complete"')
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())


def test_a_rewind(codex: Codex, figures: Figures) -> None:
    codex.begin(said("Zebra."), said("Otter."), said("Heron.", 2.5))
    stage, screen = codex.stage, codex.open(*FREE)
    screen.type("zebra question")
    screen.see("Zebra\\.")
    session = codex.thread()
    stage.hold(1)
    screen.type("otter question")
    answered = screen.see("Otter\\.")
    stage.true(session, "two turns", {**DONE, "messages": 4}, at=answered, mark='"task_complete"')
    stage.hold(2)
    screen.press("Escape")
    stage.hold(1)
    screen.press("Escape")
    stage.hold(1.5)
    screen.press("Enter")
    stage.hold(2)
    screen.press("C-u")
    asked = screen.type("heron question")
    stage.true(session, "thinking", {**BUSY, "messages": 5}, at=asked, mark='"UserMessage"')
    answered = screen.see("Heron\\.")
    stage.true(session, "answered", {**DONE, "messages": 6}, at=answered, mark='"task_complete"')
    stage.hold(2)
    figures("codex", stage.version, stage.verdict())

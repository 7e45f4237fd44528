"""The hook program: what an agent runs at its own events. It appends one line to our spool and ends.

Installed as a copy that stands alone, so that it works whatever happens to our package, and run with `python3 -I -S`, so
that it starts in a few milliseconds. It writes agent, session id, kind and time: no prompt, no arguments, no output. It
never fails, never prints and never waits for long: the agent must not notice it. The counterpart is `sources/spool.py`.
"""

import json
import os
import signal
import sys
import time

MOST_INPUT = 4 * 1024 * 1024
MOST_SPOOL = 256 * 1024

KINDS = {
    "UserPromptSubmit": "working",
    "PostToolUse": "working",
    "PostToolUseFailure": "working",
    "Stop": "prompt",
    "Interrupt": "prompt",
    "SessionEnd": "end",
    "BeforeAgent": "working",
    "BeforeTool": "working",
    "AfterTool": "working",
    "AfterAgent": "prompt",
}
ASKING = {"AskUserQuestion": "question", "ExitPlanMode": "plan"}
"""Tools of Claude Code for which a permission request is a question of another kind."""
NOTIFICATIONS = {
    "permission_prompt": "permission",
    "ToolPermission": "permission",
    "elicitation_dialog": "question",
    "agent_needs_input": "question",
    "idle_prompt": "prompt",
}


def kind_of(event: dict[str, object]) -> str | None:
    """Return what an event means for whoever waits, None if nothing."""
    name = event.get("hook_event_name")
    if name == "Notification":
        return NOTIFICATIONS.get(str(event.get("notification_type")))
    if name == "PermissionRequest":
        return ASKING.get(str(event.get("tool_name")), "permission")
    return KINDS.get(str(name))


def record(agent: str, folder: str, event: dict[str, object], now: float) -> None:
    """Append one line to the agent's spool file, which is begun anew when it has grown too large."""
    kind, session = kind_of(event), event.get("session_id")
    if kind is None or not isinstance(session, str) or len(session) > 200:
        return
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, agent + ".jsonl")
    try:
        if os.stat(path).st_size > MOST_SPOOL:
            os.replace(path, path + ".old")
    except FileNotFoundError:
        pass
    line = json.dumps({"agent": agent, "session": session, "kind": kind, "at": now}) + "\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, line.encode("utf-8", "replace"))
    finally:
        os.close(descriptor)


def main() -> None:
    """Read the event from stdin, record it, and end with 0 whatever happened."""
    signal.alarm(2)
    try:
        agent, folder = sys.argv[1:3]
        event: dict[str, object] | None = json.loads(sys.stdin.buffer.read(MOST_INPUT))
        if isinstance(event, dict) and agent.isalnum():
            record(agent, folder, event, time.time())
    except Exception:  # noqa: BLE001, S110 - nobody is there to be told, and the agent must not be disturbed
        pass
    os._exit(0)


if __name__ == "__main__":
    main()

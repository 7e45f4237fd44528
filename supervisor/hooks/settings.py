"""Settings: our entries in an agent's hook configuration. Pure: a decoded document goes in, a changed copy comes out.

Ours are recognised by the name of the program they run; entries of anybody else are never touched, moved or copied.
"""

import copy
import shlex
from typing import Any, cast

from .agents import Agent

PROGRAM = "bellboard-hook.py"
"""File name of the installed program: what makes an entry ours."""

Document = dict[str, Any]

PLUGIN = """// bellboard: tells the board who waits. Removed by `bellboard hooks remove opencode`.
import { appendFileSync, mkdirSync, renameSync, statSync } from "node:fs"

const folder = FOLDER
const path = folder + "/opencode.jsonl"
const kinds = {
  "permission.asked": "permission",
  "permission.updated": "permission",
  "permission.replied": "working",
  "session.idle": "prompt",
}

// Sessions that work for another one: their end is nobody's turn.
const children = new Set()

export const Bellboard = async () => ({
  event: async ({ event }) => {
    try {
      const info = event.properties?.info
      if (info?.parentID && event.type.startsWith("session.")) children.add(info.id)
      const kind = kinds[event.type]
      const session = event.properties?.sessionID
      if (!kind || typeof session !== "string") return
      if (kind === "prompt" && children.has(session)) return
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      try {
        if (statSync(path).size > 262144) renameSync(path, path + ".old")
      } catch {}
      const line = JSON.stringify({ agent: "opencode", session, kind, at: Date.now() / 1000 })
      appendFileSync(path, line + "\\n", { mode: 0o600 })
    } catch {}
  },
})
"""


class NotAConfiguration(ValueError):
    """Raised when a document is not shaped like the agent's hook configuration."""


def command(agent: Agent, interpreter: str, program: str, spool: str) -> str:
    """Return the shell command of a hook: harmless, silent and successful even if we are gone."""
    path, python = shlex.quote(program), shlex.quote(interpreter)
    return f"[ -r {path} ] && {python} -I -S {path} {agent.name} {shlex.quote(spool)} 2>/dev/null; true"


def with_hooks(document: Document, agent: Agent, line: str) -> Document:
    """Return the document with our entry at each of the agent's events, once, and everything else as it was."""
    changed = without_hooks(document, agent)
    hooks = _hooks(changed, agent)
    for event in agent.events:
        handler: Document = {"type": "command", "command": line, "timeout": agent.timeout}
        group: Document = {"hooks": [handler]}
        if event in agent.matched:
            group = {"matcher": "*", **group}
        hooks[event] = [*_groups(hooks, event, agent), group]
    changed["hooks"] = hooks
    return changed


def without_hooks(document: Document, agent: Agent) -> Document:
    """Return the document without our entries; what becomes empty by that, and only that, is removed."""
    changed = copy.deepcopy(document)
    hooks = _hooks(changed, agent)
    for event in list(hooks):
        if event not in agent.events:
            continue
        groups = _groups(hooks, event, agent)
        kept = [group for group in groups if not _ours(group)]
        if len(kept) == len(groups):
            continue
        if kept:
            hooks[event] = kept
        else:
            del hooks[event]
    if "hooks" in changed and not hooks and document["hooks"]:
        del changed["hooks"]
    return changed


def installed(document: Document, agent: Agent) -> int:
    """Return at how many of the agent's events our entry stands."""
    hooks = _hooks(document, agent)
    return sum(any(_ours(group) for group in _groups(hooks, event, agent)) for event in agent.events if event in hooks)


def _hooks(document: Document, agent: Agent) -> Document:
    hooks = document.get("hooks", {})
    if not isinstance(hooks, dict):
        raise NotAConfiguration(f"`hooks` in {agent.settings} is no table: mend it first, nothing was changed")
    return cast("Document", hooks)


def _groups(hooks: Document, event: str, agent: Agent) -> list[Document]:
    groups = hooks.get(event, [])
    if not isinstance(groups, list):
        raise NotAConfiguration(f"`hooks.{event}` in {agent.settings} is no list: mend it first, nothing was changed")
    return cast("list[Document]", groups)


def _ours(group: object) -> bool:
    """Whether a group holds nothing but our program: one that somebody made of ours and his own is his."""
    handlers = cast("Document", group).get("hooks") if isinstance(group, dict) else None
    if not isinstance(handlers, list) or not handlers:
        return False
    entries = cast("list[object]", handlers)
    return all(isinstance(each, dict) and PROGRAM in str(cast("Document", each).get("command")) for each in entries)

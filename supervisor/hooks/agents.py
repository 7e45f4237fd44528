"""Agents: where each agent keeps its hook configuration, and which of its events say who waits.

Facts from the agents' own hook documentation, read 2026-11: Claude Code settings.json, Codex hooks.json, Gemini CLI
settings.json, OpenCode plugins.
"""

import os

from msgspec import Struct


class Agent(Struct, frozen=True, kw_only=True):
    """One agent's documented hook configuration. `matched` events take a matcher; `timeout` is in the agent's own unit.

    `dedicated`: the file holds hooks and nothing else, so that it goes with the last of them. `data` is the folder of its
    sessions, if that is not the one of its settings.
    """

    name: str
    home: str
    settings: str
    events: tuple[str, ...]
    matched: frozenset[str] = frozenset()
    timeout: int = 5
    note: str = ""
    plugin: bool = False
    dedicated: bool = False
    data: str = ""

    @property
    def installed(self) -> bool:
        """Whether the agent is here: one that keeps its data elsewhere may have no folder of settings yet."""
        return any(os.path.isdir(folder) for folder in (self.home, self.data) if folder)


def _folder(variable: str, default: str, below: str = "") -> str:
    base = os.environ.get(variable)
    return os.path.abspath(os.path.expanduser(os.path.join(base, below) if base else default))


def known() -> dict[str, Agent]:
    """Return the agents whose hooks we know, by name."""
    claude = _folder("CLAUDE_CONFIG_DIR", "~/.claude")
    codex = _folder("CODEX_HOME", "~/.codex")
    gemini = _folder("GEMINI_CLI_HOME", "~/.gemini", ".gemini")
    opencode = _folder("XDG_CONFIG_HOME", "~/.config/opencode", "opencode")
    agents = (
        Agent(
            name="claude",
            home=claude,
            settings=os.path.join(claude, "settings.json"),
            events=("PermissionRequest", "Notification", "PostToolUse", "UserPromptSubmit", "Stop", "SessionEnd"),
            matched=frozenset(("PermissionRequest", "PostToolUse")),
        ),
        Agent(
            name="codex",
            home=codex,
            settings=os.path.join(codex, "hooks.json"),
            events=("PermissionRequest", "PostToolUse", "UserPromptSubmit", "Stop"),
            dedicated=True,
            note="Codex runs a new hook only after you have reviewed and trusted it (it asks, or type /hooks).",
        ),
        Agent(
            name="gemini",
            home=gemini,
            settings=os.path.join(gemini, "settings.json"),
            events=("Notification", "BeforeTool", "AfterTool", "BeforeAgent", "AfterAgent", "SessionEnd"),
            matched=frozenset(("BeforeTool", "AfterTool")),
            timeout=5000,
        ),
        Agent(
            name="opencode",
            home=opencode,
            settings=os.path.join(opencode, "plugins", "bellboard.js"),
            events=(),
            plugin=True,
            data=_folder("XDG_DATA_HOME", "~/.local/share/opencode", "opencode"),
            note="OpenCode fetches its plugin library at its next start: without a network that takes a minute longer.",
        ),
    )
    return {agent.name: agent for agent in agents}

"""Names: what people call agents, projects and sessions."""

from collections.abc import Iterable

from ....protocol.session import SessionState
from ..text import plain

AGENTS = {"claude": "Claude Code", "codex": "Codex CLI", "gemini": "Gemini CLI", "opencode": "OpenCode", "pi": "Pi"}

SHORT = {"claude": "Claude", "codex": "Codex", "gemini": "Gemini"}

ENOUGH_ID = 8

NOWHERE = "(no project)"


def agent(source: str) -> str:
    """Return what people call the agent of a source."""
    return AGENTS.get(source, source)


def agent_in(source: str, width: int) -> str:
    """Return the same in so many columns, the same words for all."""
    return agent(source) if width >= max(map(len, AGENTS.values())) else SHORT.get(source, agent(source))


def title(session: SessionState) -> str:
    """Return what a session is called, in one line; one without a name by as much of its id as people type."""
    return plain(session.title or session.slug or session.id[:ENOUGH_ID])


def folder(session: SessionState) -> str:
    """Return the folder of a session's project, "" if it is not known."""
    return (session.working_dir or "").rstrip("/")


def projects(folders: Iterable[str]) -> dict[str, str]:
    """Name each folder by its last name, with as much before it as it takes to tell it from the others."""
    rest = {each: plain(each).split("/") for each in set(folders)}
    named: dict[str, str] = {}
    depth = 1
    while rest:
        short = {each: "/".join(parts[-depth:]) for each, parts in rest.items()}
        counts: dict[str, int] = {}
        for name in short.values():
            counts[name] = counts.get(name, 0) + 1
        named |= {each: name for each, name in short.items() if counts[name] == 1 or depth >= len(rest[each])}
        rest = {each: parts for each, parts in rest.items() if each not in named}
        depth += 1
    return {each: name or NOWHERE for each, name in named.items()}

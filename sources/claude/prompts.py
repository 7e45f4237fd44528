"""Prompts: what came from the other side: a person's words, results of tools, and what the client says in their place.

Pure part of the fold. Of the many rows of type user only those that a person typed are messages.
"""

import re
from typing import Any, cast
from zlib import crc32

import msgspec

from ..text import TITLE_LIMIT, tidy
from .rows import AgentResult, Message, Queued, Row
from .state import AGENT_RESULTS_KEPT, LINKS_KEPT, RESULTS_KEPT, Link, State, Transcript
from .turn import ID_LENGTH, decoded, keep, turn

INJECTED = ("<command-", "<local-command-", "<bash-", "<task-notification>", "<system-reminder>")
"""How a text begins that the client wrote in a person's place."""

BESIDE = (*INJECTED, "<ide_")
"""The same of a block that stands beside what a person typed."""

PERSONS = frozenset(("human", "person", "voice-call", "remote", "channel", "composer"))
"""Values of `origin.kind` (2.1.330) that stand for a person; rows of older releases have no origin."""

INTERRUPTED = "[Request interrupted by user"
NOTIFICATION = "<task-notification>"
CAVEAT = "Caveat:"

QUEUED = b'"queued_command"'
HEAD_BYTES = 256
"""Attachments are large, and their type stands first."""

_TASK = re.compile(r"<task-id>([^<]{1,64})</task-id>")
_STATUS = re.compile(r"<status>([^<]{1,32})</status>")
_EDITOR = re.compile(r"\s*<(ide_\w+)>.*?</\1>\s*", re.DOTALL)
_QUEUED = msgspec.json.Decoder(Queued)
_AGENT_RESULT = msgspec.json.Decoder(AgentResult)


def user(state: State, transcript: Transcript, row: Row, stamp: str, own: bool) -> None:
    """Take in one row of type user; `own` says that it is the session's, not a subagent's."""
    content = row.message.content if isinstance(row.message, Message) else row.message
    text = content if isinstance(content, str) else None
    results = False
    if isinstance(content, list):
        for block in content:
            if block.type == "tool_result":
                results = True
                key = (block.tool_use_id or "")[-ID_LENGTH:]
                transcript.open.pop(key, None)
                if key in state.tasks or key not in transcript.seen:  # else a plain tool's, like most of them
                    _result(state, transcript, row, key, stamp, own)
            elif block.text and (text is None or text.startswith(BESIDE)):
                text = block.text
    if not results:
        if content:  # a row without any content shows nothing
            _said(state, transcript, row, text or "", stamp, own)
    else:
        turn(transcript, "busy", stamp)


def _result(state: State, transcript: Transcript, row: Row, key: str, stamp: str, own: bool) -> None:
    """Take in a result that may be a subagent's, or that stands before its call."""
    task = state.tasks.get(key)
    if key and key not in transcript.seen:
        keep(transcript.early, key, 0, RESULTS_KEPT if own else AGENT_RESULTS_KEPT)
    result = decoded(_AGENT_RESULT, row.toolUseResult)
    if result is None or not result.agentId:
        if task is not None:  # a person refused or stopped it
            task.done = max(stamp, task.done)
        return
    state.tasks.pop(key, None)
    link = _link(state, result.agentId[-ID_LENGTH:])
    link.call = key or None
    if task is not None:
        link.kind = task.kind
    if not result.isAsync and result.status != "async_launched":
        link.done = max(stamp, link.done)


def _link(state: State, agent: str) -> Link:
    """Return what is known of a subagent from its parent's rows, wherever it is kept."""
    if agent in state.agents:
        return state.agents[agent].link
    link = state.links.pop(agent, None) or Link()
    keep(state.links, agent, link, LINKS_KEPT)
    return link


def _said(state: State, transcript: Transcript, row: Row, text: str, stamp: str, own: bool) -> None:
    """Take in a user row without results: a prompt, or one of many things that only look like one."""
    if not own and not transcript.opening:
        transcript.opening = crc32(text.encode())
    if row.isCompactSummary or row.isVisibleInTranscriptOnly:
        return
    if text.startswith(INTERRUPTED):
        turn(transcript, "stopped", stamp, begins=True)
        return
    notified = text.startswith(NOTIFICATION)
    if notified:
        _notified(state, text, stamp)
    elif text.startswith(INJECTED) or (row.isMeta and text.startswith(CAVEAT)):
        return
    typed = not notified and _typed(row)
    if typed:
        transcript.messages += 1
        if own and state.labels.prompt is None:
            state.labels.prompt = tidy(_EDITOR.sub("", text, count=1), TITLE_LIMIT)
    turn(transcript, "busy", stamp, begins=typed)


def queued(transcript: Transcript, row: Row) -> None:
    """Count a prompt that was typed while the model worked and reached it within the turn, if this attachment is one.

    The row bears the time at which it was typed, so it says nothing of the turn.
    """
    if QUEUED not in bytes(memoryview(row.attachment)[:HEAD_BYTES]):
        return
    found = decoded(_QUEUED, row.attachment)
    if found is None or found.type != "queued_command" or found.commandMode not in {None, "prompt"}:
        return
    if not (isinstance(found.prompt, str) and found.prompt.startswith(INJECTED)) and _persons(found.origin):
        transcript.messages += 1


def _typed(row: Row) -> bool:
    """Whether a person wrote this. Rows of releases before 2.1.330 have no origin."""
    if row.isMeta:
        return False
    return _persons(row.origin)


def _persons(origin: object) -> bool:
    if not isinstance(origin, dict):
        return True
    return str(cast("dict[str, Any]", origin).get("kind", "human")) in PERSONS


def _notified(state: State, text: str, stamp: str) -> None:
    task, status = _TASK.search(text), _STATUS.search(text)
    if task is None or (status is not None and status[1] == "running"):
        return
    link = _link(state, task[1])  # or of a background command, which nobody ever asks for
    link.done = max(stamp, link.done)

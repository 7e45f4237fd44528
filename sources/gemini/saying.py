"""Saying: what one message adds to a `Chat`. Pure. The counterpart is `fold.py`, which brings the messages.

A message that is written again under its own id adds only what is new in it: tokens and tool calls come later. Not every
message was said: the client puts words of its own between, and before it replaces its list (a refused tool, masked
outputs) it may write the whole old conversation down once more under new ids. Such a copy begins with the session's
context, or in the same moment as "Request cancelled.", and its model messages are bare lists of parts without model,
tokens and tool calls. Seen in files of 0.61.0.
"""

from .rows import Message, Number, Outcome, Tokens
from .state import ID_LIMIT, RECENT_MESSAGES, Chat, Recent, Turn
from .text import (
    ABORTED_TOOL,
    CANCELLED,
    INJECTED,
    SESSION_CONTEXT,
    SHELL_PROMPT,
    TITLE_LIMIT,
    parts_of,
    text_of,
    tidy,
    when,
    workspace_in,
)

COPY_SECONDS = 0.05
"""A user message this soon after "Request cancelled." was written by the client, not by a person."""

HAND_IN = "complete_task"
"""The tool with which a subagent gives its result to its parent, and ends."""

_NUMBER_LIMIT = 1 << 53
_CANCELLED = frozenset(("cancelled",))


def say(chat: Chat, message: Message, *, appended: bool = True) -> None:
    """Take one message: appended to a file, or from a document, in which nothing was ever written down twice."""
    touch(chat, message.timestamp)
    kind = message.type
    if kind == "gemini":
        chat.cancelled = ""
        _answer(chat, message)
    elif kind == "user":
        _ask(chat, message, appended=appended)
        chat.cancelled = ""
    elif kind in {"info", "warning", "error"}:
        chat.cancelled = ""
        if kind == "info" and message.content == CANCELLED:
            chat.cancelled = message.timestamp or ""
            _turn(chat, "cancelled", message)
    elif _find(chat, message) is None:
        _remember(chat, Recent(key_of(message)))
        chat.unknown += 1


def _ask(chat: Chat, message: Message, *, appended: bool) -> None:
    known = _find(chat, message)
    text = text_of(message.content).lstrip()
    parts = parts_of(message.content)
    answers = [part.function_response for part in parts if part.function_response is not None]
    if known is None and appended and not chat.copying:
        chat.copying = _starts_copy(chat, message, text)
    if chat.copying and known is None:
        return
    if text.startswith(INJECTED):
        if text.startswith(SESSION_CONTEXT):
            chat.workspace = chat.workspace or workspace_in(text)
    elif text or (not answers and any(part.inline_data or part.file_data for part in parts)):
        if known is None:
            chat.messages += 1
            _remember(chat, Recent(key_of(message), counted=1))
            chat.prompt = chat.prompt or tidy(text_of(message.display_content) or text, TITLE_LIMIT)
        if not text.startswith(SHELL_PROMPT):
            _turn(chat, "asked", message)
    elif answers:
        aborted = any(_aborted(answer.response) for answer in answers)
        _turn(chat, "cancelled" if aborted or chat.turn == "cancelled" else "ran", message)


def _starts_copy(chat: Chat, message: Message, text: str) -> bool:
    if text.startswith(SESSION_CONTEXT):
        return chat.messages > 0
    if not chat.cancelled:
        return False
    before, now = when(chat.cancelled), when(message.timestamp or "")
    return before is not None and now is not None and abs((now - before).total_seconds()) <= COPY_SECONDS


def _aborted(response: object) -> bool:
    return isinstance(response, Outcome) and isinstance(response.error, str) and ABORTED_TOOL in response.error


def _answer(chat: Chat, message: Message) -> None:
    calls, tokens = message.tool_calls, message.tokens
    known = _find(chat, message)
    if known is None:
        if not _is_genuine(message):
            return  # put there by the client: part of a copy, or a word between two tool results
        counted = int(not _holds_late_calls(chat, message))
        known = Recent(key_of(message), counted)
        _remember(chat, known)
        chat.messages += counted
    chat.copying = False
    if tokens is not None:
        spent = _count(tokens.input), _count(tokens.cached), _count(tokens.output)
        chat.input += spent[0] - known.input
        chat.cached += spent[1] - known.cached
        chat.output += spent[2] - known.output
        known.input, known.cached, known.output = spent
        chat.context = spent[0]
    if calls:
        made = _calls(message)
        if made > known.tools:
            chat.tools += made - known.tools
            known.tools = made
    if message.model and message.model != chat.model:
        chat.model = tidy(message.model) or chat.model
    _judge(chat, message)


def _judge(chat: Chat, message: Message) -> None:
    """Say how a model message leaves the conversation."""
    if not message.tool_calls:
        text = message.content if isinstance(message.content, str) else text_of(message.content)
        _turn(chat, "answered" if text and not text.isspace() else "tools", message)
        return
    calls = [call for call in message.tool_calls if call is not None]
    if {call.status for call in calls} <= _CANCELLED:
        _turn(chat, "cancelled", message)
    elif chat.kind == "subagent" and any(call.name == HAND_IN and call.status == "success" for call in calls):
        _turn(chat, "finished", message)
    else:
        _turn(chat, "ran", message)


def _turn(chat: Chat, turn: Turn, message: Message) -> None:
    if not chat.copying:
        chat.turn, chat.since = turn, (message.timestamp or "")[:ID_LIMIT]


def touch(chat: Chat, time: str | None) -> None:
    """Take note that something happened at a time."""
    if time and time > chat.newest and is_time(time):
        chat.newest = time[:ID_LIMIT]


def is_time(text: str) -> bool:
    """Whether a text is shaped like the client's times, which can be compared as texts."""
    return text[4:5] == "-" and text[10:11] == "T" and text[:4].isdecimal()


def key_of(message: Message) -> str:
    """Return under what a message is remembered."""
    return (message.id or "")[:ID_LIMIT]


def _find(chat: Chat, message: Message) -> Recent | None:
    key = key_of(message)
    for recent in reversed(chat.recent):
        if recent.id == key:
            return recent
    return None


def _remember(chat: Chat, recent: Recent) -> None:
    chat.recent.append(recent)
    if len(chat.recent) > RECENT_MESSAGES:
        del chat.recent[0]


def _is_genuine(message: Message) -> bool:
    """Whether a model message came from the model: what the client adds is a bare list of parts."""
    return not isinstance(message.content, list) or bool(message.model or message.tokens or message.tool_calls)


def _holds_late_calls(chat: Chat, message: Message) -> bool:
    """Whether this is no message of the model: the tool calls of the one before, which a notice came behind.

    The client adds them to its newest message, and makes one for them if that is not the model's own: so it is when a
    person stops a tool that runs, for "Request cancelled." is written before the calls are.
    """
    bare = message.tool_calls and message.tokens is None and not text_of(message.content)
    return bool(bare) and chat.messages > 0 and chat.turn in {"tools", "answered", "cancelled"}


def _calls(message: Message) -> int:
    calls = message.tool_calls or ()
    if len(calls) == 1:
        return int(calls[0] is not None)
    return len({call.id or at for at, call in enumerate(calls) if call is not None})


def worth_of(message: Message) -> Recent:
    """Say what a message has added that was seen before and is not remembered any more."""
    tokens = message.tokens or Tokens()
    spent = _count(tokens.input), _count(tokens.cached), _count(tokens.output)
    return Recent(key_of(message), 1, _calls(message), *spent)


def _count(number: Number) -> int:
    if isinstance(number, int) and 0 <= number <= _NUMBER_LIMIT:
        return number
    return int(max(0, min(number or 0, _NUMBER_LIMIT)))

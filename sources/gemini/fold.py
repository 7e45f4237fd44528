"""Fold: rows become a `Chat`. Pure: the same rows give the same chat, however they were cut into pieces.

Counts are what was ever said. A list of messages (`$set.messages`) never adds anything: the client builds it from what it
wrote before, and what is new in it (a summary, a shortened tail, the session's context) was said by nobody. The
counterpart is `saying.py`, which takes the messages one by one.
"""

from collections.abc import Iterable
from zlib import crc32

from .rows import Message, Row, Settings
from .saying import is_time, key_of, say, touch, worth_of
from .state import ID_LIMIT, RECENT_MESSAGES, Chat, Recent
from .text import (
    AFTER_COMPRESSION,
    INJECTED,
    PATH_LIMIT,
    SESSION_CONTEXT,
    TITLE_LIMIT,
    parts_of,
    text_of,
    tidy,
    workspace_in,
)


def fold(chat: Chat, rows: Iterable[Row], bad: int = 0) -> None:
    """Take the next rows of an append-only file; `bad` more lines were not understood."""
    chat.unknown += bad
    for row in rows:
        # In the order in which the client itself tells its records apart.
        if row.rewind_to is not None:
            chat.turn, chat.since, chat.copying, chat.cancelled = "rewound", chat.newest, False, ""
        elif row.id is not None:
            say(chat, row)
        elif row.settings is not None:
            _set(chat, row.settings)
        elif row.session_id is not None:
            _begin(chat, row)
            for message in row.messages or ():
                if message is not None:
                    say(chat, message)
        else:
            chat.unknown += 1


def pass_over(chat: Chat, head: bytes) -> None:
    """Take a line too long to be read, of which only the beginning is known. It may well be a whole list of messages."""
    if not head.startswith(b'{"$set":{"messages":['):
        chat.unknown += 1
        return
    chat.copying, chat.cancelled = False, ""
    if chat.turn != "cancelled":
        chat.turn, chat.since = "rebuilt", chat.newest


def fold_document(chat: Chat, document: Row) -> None:
    """Take a whole document that is saved anew at each change.

    What stands after the newest remembered message is new. If none of them is there any more (a rewind further back than
    is remembered), what is newer than anything known is new.
    """
    messages = [message for message in document.messages or () if message is not None]
    known = {recent.id: recent for recent in chat.recent}
    first_new = _first_new(messages, known, chat.newest) if chat.messages else 0
    _begin(chat, document)
    chat.turn, chat.since, chat.copying, chat.cancelled = "", "", False, ""
    # The old ones are taken again, too: tokens and tool calls come later, and the newest that is left says the turn.
    first_known = max(0, first_new - RECENT_MESSAGES)
    chat.recent = [known.get(key_of(message)) or worth_of(message) for message in messages[first_known:first_new]]
    for message in messages[first_known:]:
        say(chat, message, appended=False)


def _first_new(messages: list[Message], known: dict[str, Recent], newest: str) -> int:
    for at in range(len(messages) - 1, -1, -1):
        if key_of(messages[at]) in known:
            return at + 1
    return next((at for at, message in enumerate(messages) if (message.timestamp or "") >= newest), len(messages))


def _set(chat: Chat, settings: Settings) -> None:
    touch(chat, settings.last_updated)
    if settings.session_id:
        chat.session = tidy(settings.session_id) or chat.session
    if settings.summary or settings.directories:
        _describe(chat, settings)
    if settings.messages is None:
        return
    chat.copying, chat.cancelled = False, ""
    live = [message for message in settings.messages if message is not None]
    before = ""
    for message in live[:3]:
        text = text_of(message.content)
        if text.startswith(SESSION_CONTEXT):
            chat.workspace = chat.workspace or workspace_in(text)
        elif text == AFTER_COMPRESSION and message.type == "gemini":
            # Known by its summary: the same list comes again, under other ids, for other reasons. Only the first
            # messages are looked at: the kept tail may hold the end of an earlier compression.
            summary = f"{crc32(before.encode('utf-8', 'replace')):x}"
            chat.compactions += summary != chat.compaction
            chat.compaction = summary
        before = text
    if chat.turn != "cancelled":
        # The client builds a list when it stands at its prompt, or else goes on to write within the same moment.
        # A resumed session is for a moment a list of nothing: what was said before makes it no new one.
        said = chat.messages > 0 or any(_is_said(message) for message in live)
        chat.turn, chat.since = ("rebuilt", chat.newest) if said else ("", "")


def _is_said(message: Message) -> bool:
    if message.type != "user":
        return message.type == "gemini"
    text = text_of(message.content).lstrip()
    return not text.startswith(INJECTED) and bool(text or parts_of(message.content))


def _begin(chat: Chat, header: Row) -> None:
    chat.session = tidy(header.session_id) or chat.session
    chat.project = tidy(header.project_hash) or chat.project
    chat.kind = tidy(header.kind) or chat.kind
    if header.start_time and is_time(header.start_time) and not "" < chat.started <= header.start_time:
        chat.started = header.start_time[:ID_LIMIT]
    touch(chat, header.start_time)
    touch(chat, header.last_updated)
    _describe(chat, header)


def _describe(chat: Chat, record: Row | Settings) -> None:
    # A subagent's summary is its answer, not a title.
    if chat.kind != "subagent":
        chat.summary = tidy(record.summary, TITLE_LIMIT) or chat.summary
    elif record.summary:
        chat.turn, chat.since = "finished", chat.newest
    for folder in record.directories or ():
        chat.directory = chat.directory or tidy(folder, PATH_LIMIT)

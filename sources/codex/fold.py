"""Fold: rows change a state, and nothing else does.

What a row means depends on what came before it, never on where a reading was cut. Left out is what is not the thread's
own: the copied history of a fork and the mirrored records of a reviewer. The counterpart is `rows.py`, which brings
the rows; what a record means once it is the thread's own stands in `records.py`.
"""

import re
from collections.abc import Iterable

from ..text import PATH_LIMIT
from .header import is_own_turn, read_bare_header, read_header, starts_anew
from .records import CALLS, EVENTS, ITEMS, OUTPUTS, RECORDS, Meanings, drift
from .rows import Payload, Row, text_of
from .state import Part, State, copy
from .thread import TIME_LIMIT, Counts, Thread, time_of
from .tokens import totals_of

_INJECTED = ("<environment_context>", "<user_instructions>", "# AGENTS.md")
_CWD = re.compile(r"\n\s*Current working directory: ([^\n]+)|<cwd>([^<\n]+)</cwd>")

_ENVELOPES: dict[str | None, Meanings] = {"response_item": ITEMS, "event_msg": EVENTS}


class Fold:
    """The fold of one physical file of one thread; the state and the counts given are changed in place."""

    def __init__(self, state: State, key: str, thread_id: str, counts: Counts) -> None:
        self._own = thread_id
        self._part = state.parts.setdefault(key, Part())
        self._first = not any(part.stage for other, part in state.parts.items() if other < key)
        # A file that a later one has replaced still counts what is found in it, but the facts are the newest file's.
        replaced = any(part.stage for other, part in state.parts.items() if other > key)
        self._state = copy(state) if replaced else state
        self._thread = Thread(self._state, counts)

    def read(self, rows: Iterable[Row]) -> None:
        """Fold rows in order."""
        part, thread = self._part, self._thread
        last: str | None = None
        active = False
        for row in rows:
            if not part.stage:
                self._begin(row)
            payload, kind = row.payload, row.type
            if payload is None:
                self._bare(row)
            elif kind == "session_meta":
                self._header(row, payload)
            elif (part.plain and payload.thread_id is None) or self._is_own(row, payload):
                inner = payload.type
                # Settings can be applied long after a turn, and on resume: they are no activity.
                if inner != "thread_settings_applied":
                    active = True
                    moment = row.timestamp
                    if moment and len(moment) <= TIME_LIMIT:
                        last = moment
                table = _ENVELOPES.get(kind)
                handler = RECORDS.get(kind, drift) if table is None else table.get(inner, drift)
                if handler is not None:
                    handler(thread, row, payload)
        self._state.last = last or self._state.last
        self._state.dead = self._state.dead and not active

    def _begin(self, row: Row) -> None:
        self._part.stage = 1
        if not self._first:
            starts_anew(self._state, row)

    def _is_own(self, row: Row, payload: Payload) -> bool:
        part = self._part
        if part.stage == 2:
            part.stage = 3
        if part.floor and row.ordinal is not None and row.ordinal < part.floor:
            return False
        if part.copying and self._is_copied(row.type, payload):
            return False
        # What names another thread is mirrored from that of a reviewer.
        return payload.thread_id is None or payload.thread_id == self._own

    def _header(self, row: Row, header: Payload) -> None:
        part, state = self._part, self._state
        if part.stage < 2:
            part.stage = 2
            read_header(state, part, row, header, first=self._first)
            state.last = time_of(row) or state.last
        elif part.stage == 2:
            part.stage = 3
            # Directly below the own one: the history of an ancestor was copied in, though the header may not say so.
            if header.id != self._own and not part.floor and self._first and state.fork != "reference":
                part.copying, state.fork = 1, "copy"

    def _is_copied(self, kind: str | None, payload: Payload) -> bool:
        """Whether a record of a legacy fork still belongs to the history that was copied into it."""
        part, inner = self._part, payload.type
        if kind == "turn_context" or inner in {"task_started", "turn_started"}:
            own = is_own_turn(self._own, self._state.started, payload)
            if own or (own is None and part.copying == 1):
                part.copying = 0
                return False
            part.copying = 2
        elif inner == "user_message" and part.copying == 1:
            # A prompt before any turn: this generation (0.44 to 0.98) marks no turns, so no boundary can be seen.
            part.copying = 0
            return False
        elif inner == "token_count" and payload.info and payload.info.total_token_usage:
            self._state.copied = totals_of(payload.info.total_token_usage)
        return True

    # files without envelopes (0.20 to 0.3x)

    def _bare(self, row: Row) -> None:
        kind, thread = row.type, self._thread
        if kind is None:
            if row.id and self._part.stage < 2:
                self._part.stage = 2
                read_bare_header(self._state, row)
            elif row.record_type is None:
                thread.counts.unknown += 1
        elif kind == "message":
            self._bare_message(row)
        elif kind in CALLS:
            thread.called(row, kind, row.name, row.call_id or row.id)
        elif kind in OUTPUTS:
            thread.finished(row.call_id)
            thread.busy(row)
        elif kind == "reasoning":
            thread.busy(row)
        elif kind not in ITEMS:
            thread.counts.unknown += 1

    def _bare_message(self, row: Row) -> None:
        if row.role == "assistant":
            self._thread.agent_said(row, None)
        elif row.role == "user":
            text = (text_of(row.content) or "").lstrip()
            if not text.startswith(_INJECTED):
                self._thread.user_said(row, row.content)
            elif found := _CWD.search(text[:PATH_LIMIT]):
                self._thread.place(None, found[1] or found[2])

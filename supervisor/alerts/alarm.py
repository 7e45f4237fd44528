"""Alarm: decides what a person is told and when it is taken back. Pure: pictures, events and the time go in.

What stands told outlives a resynchronisation and a restart of the supervisor, so neither repeats anything; what waits
already when we come, or when a supervisor comes back, is told together.
"""

from collections.abc import Iterable

from ...protocol.event import BoardEvent, HealthChanged, Removed, Snapshot
from ...protocol.session import HealthState, SessionState
from ..clock import Moment
from .case import Case, Cause, Retract, Ring, Word
from .settings import Notify

SUMMARY = "summary"
"""The key under which everything is told that waited already when we came."""

BOARD = "board"

SOURCE_SETTLE_SECONDS = 10.0
"""A worker that died is back within a second: that is the board's business, not a person's."""

BOARD_SETTLE_SECONDS = 30.0
"""A supervisor that is restarted is away for a moment."""

ABSENT_SECONDS = 60.0
"""A supervisor that keeps nothing on disk reads everything again: so long its sessions have to come back."""


class Alarm:
    """The cases of one board. Feed it pictures, events and whether the board is heard; `due` says what is to be told."""

    def __init__(self, settings: Notify) -> None:
        self._settings = settings
        self._sessions: dict[tuple[str, str], Case] = {}
        self._sources: dict[str, Case] = {}
        self._board = Case(key=BOARD)
        self._epoch: str | None = None
        self._connected = True
        self._grace_until = 0.0
        self._in_turn: set[tuple[str, str]] = set()
        self._absent: set[tuple[str, str]] = set()
        self._taken_back: list[str] = []

    def picture(self, whole: Snapshot, now: Moment) -> None:
        """Take the whole board: the first picture, or one after something was missed."""
        reborn = whole.epoch != self._epoch
        self._epoch = whole.epoch
        if reborn:
            self._grace_until = now.clock + self._settings.grace
        known = {(each.origin, each.id) for each in whole.sessions}
        for key in self._sessions.keys() - known:
            case = self._sessions[key]
            if reborn and case.shown is not None:
                self._absent.add(key)
                case.over(now.clock + ABSENT_SECONDS)
            elif key not in self._absent:
                self._forget(key)
        for session in whole.sessions:
            self._session(session, now)
        for state in whole.health:
            self._source(state, now)
        for source in self._sources.keys() - {state.origin for state in whole.health}:
            self._put(self._sources[source], None, now, 0)

    def event(self, event: BoardEvent, now: Moment) -> None:
        """Take one change."""
        if isinstance(event, HealthChanged):
            self._source(event.health, now)
        elif isinstance(event, Removed):
            self._forget((event.origin, event.id))
        else:
            self._session(event.session, now)

    def heard(self, now: Moment, *, connected: bool) -> None:
        """Take whether the board is heard."""
        self._connected = connected
        since = now.wall if self._board.cause is None else self._board.cause.since
        cause = None if connected else Cause(kind="board", what="gone", since=since)
        self._put(self._board, cause, now, BOARD_SETTLE_SECONDS)

    def due(self, now: Moment) -> list[Word]:
        """Return what is to be taken back and told now."""
        self._leave(now)
        # While the board is not heard, what we know of everything else is old.
        known = [*self._sessions.values(), *self._sources.values()] if self._connected else []
        ready = [case for case in [self._board, *known] if case.ring_at is not None and case.ring_at <= now.clock]
        early = [case for case in ready if case.early]
        if len(early) > 1:
            ready = [case for case in ready if not case.early]
        rings = [self._tell(case.key, [case], now) for case in ready]
        if len(early) > 1:
            before = [case for case in self._sessions.values() if case.shown == SUMMARY and case not in early]
            rings.append(self._tell(SUMMARY, [*before, *early], now))
        standing = {case.shown for case in self._all()}
        back = [Retract(key=key) for key in dict.fromkeys(self._taken_back) if key not in standing]
        self._taken_back.clear()
        return [*back, *rings]

    def _session(self, session: SessionState, now: Moment) -> None:
        key = (session.origin, session.id)
        self._absent.discard(key)
        case = self._sessions.setdefault(key, Case(key=f"session/{session.origin}/{session.id}"))
        going_on = session.activity == "working" or session.needs_you
        if going_on:
            self._in_turn.add(key)
        cause = self._cause(session, case)
        if not going_on:
            self._in_turn.discard(key)
        if cause is not None and case.cause is None and now.clock < self._grace_until:
            case.early = True
        self._put(case, cause, now, self._settings.settle)

    def _cause(self, session: SessionState, case: Case) -> Cause | None:
        evidence = session.evidence
        since = None if evidence is None else evidence.since
        if session.needs_you and session.waiting_for is not None and session.waiting_for != "prompt":
            # A request that is only told of again (a second hook, a better record) moves nothing else of the session.
            moved = session.last_activity_at
            asked = None if since is None or moved is None else min(since, moved)
            return Cause(kind="needs-you", what=session.waiting_for, since=since, asked=asked, subject=session)
        if session.lifecycle != "active" or session.activity != "waiting":
            return None
        # Only a turn that was seen going on can be over: a session that is opened stands at its prompt, too.
        stands = case.cause is not None and case.cause.kind == "turn"
        if stands or (session.origin, session.id) in self._in_turn:
            return Cause(kind="turn", what="prompt", since=since, subject=session)
        return None

    def _source(self, state: HealthState, now: Moment) -> None:
        case = self._sources.setdefault(state.origin, Case(key=f"source/{state.origin}"))
        cause = None
        if state.status == "degraded" or state.status == "failed":  # noqa: PLR1714 - the checker narrows only this
            cause = Cause(kind="source", what=state.status, since=state.updated_at, subject=state)
        self._put(case, cause, now, SOURCE_SETTLE_SECONDS)

    def _put(self, case: Case, cause: Cause | None, now: Moment, settle: float) -> None:
        if cause is not None and cause.kind in self._settings.on:
            patience = self._grace_until - now.clock if case.early else 0.0
            case.stand(cause, now, settle=max(settle, patience), cooldown=self._settings.cooldown)
        else:
            case.over(max(now.clock, self._grace_until))

    def _leave(self, now: Moment) -> None:
        for case in self._all():
            if case.leave_at is not None and case.leave_at <= now.clock and (shown := case.leave()) is not None:
                self._taken_back.append(shown)
        for key in [key for key in self._absent if self._sessions[key].shown is None]:
            self._forget(key)

    def _all(self) -> list[Case]:
        return [self._board, *self._sessions.values(), *self._sources.values()]

    def _tell(self, key: str, cases: Iterable[Case], now: Moment) -> Ring:
        causes: list[Cause] = []
        for case in cases:
            if case.shown is not None and case.shown != key:
                self._taken_back.append(case.shown)
            case.told(key, now)
            causes += [case.cause] if case.cause is not None else []
        return Ring(key=key, causes=tuple(causes))

    def _forget(self, key: tuple[str, str]) -> None:
        self._absent.discard(key)
        self._in_turn.discard(key)
        case = self._sessions.pop(key, None)
        if case is not None and (shown := case.leave()) is not None:
            self._taken_back.append(shown)

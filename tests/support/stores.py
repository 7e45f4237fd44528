"""Plans to be stored, and what a store then holds."""

from msgspec import structs

from bellboard.protocol.cursor import digest
from bellboard.protocol.session import SessionState
from bellboard.supervisor.aggregator.ledger import Entry
from bellboard.supervisor.aggregator.lifecycle import State
from bellboard.supervisor.aggregator.plan import Plan
from bellboard.supervisor.aggregator.tracked import Tracked
from bellboard.supervisor.journal import Stored
from bellboard.supervisor.store import Store


def plan(*names: str, lifecycle: State = "active", cursor: str = "10", title: str = "", live: bool = False) -> Plan:
    """A change of these sessions of claude, each with one handle of the same name."""
    made = Plan()
    for name in names:
        state = SessionState(id=name, source="claude", title=title)
        made.sessions["claude", name] = Tracked(state=state, lifecycle=lifecycle, moved_at=0.0, live=live)
        made.entries["claude", name] = Entry(name, cursor, digest(cursor))
    return made


def contents(store: Store) -> tuple[list[Stored], list[tuple[str, str, str, str]]]:
    return [structs.replace(each, moved=0.0) for each in store.sessions()], list(store.cursors())


def stored(name: str, *, title: str = "", gone: bool = False, live: bool = False) -> Stored:
    return Stored(SessionState(id=name, source="claude", title=title), gone, live, 0.0)

"""The words that workers, the board and subscribers exchange, and the subscriber that programs import."""

from .errors import AddressError, NoAnswer, NotRunning, ProtocolError
from .event import (
    BoardEvent,
    Discovered,
    Event,
    HealthChanged,
    Heartbeat,
    Removed,
    Resumed,
    Snapshot,
    Stale,
    Terminal,
    Updated,
)
from .history import History, Mark, Pulse
from .session import Activity, Evidence, HealthState, Lifecycle, SessionState, Subagent, WaitingFor
from .subscriber import Subscriber

__all__ = [
    "Activity",
    "AddressError",
    "BoardEvent",
    "Discovered",
    "Event",
    "Evidence",
    "HealthChanged",
    "HealthState",
    "Heartbeat",
    "History",
    "Lifecycle",
    "Mark",
    "NoAnswer",
    "NotRunning",
    "ProtocolError",
    "Pulse",
    "Removed",
    "Resumed",
    "SessionState",
    "Snapshot",
    "Stale",
    "Subagent",
    "Subscriber",
    "Terminal",
    "Updated",
    "WaitingFor",
]

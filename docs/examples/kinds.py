"""Each kind of item has a type of its own."""

from bellboard.protocol import HealthChanged, Removed, Resumed, Snapshot, Stale, Subscriber, Terminal

with Subscriber() as board:
    for item in board:
        match item:
            case Snapshot(sessions=sessions):
                print("the whole picture:", len(sessions), flush=True)
            case HealthChanged(source=source, health=health):
                print(source, "is", health.status, health.reason or "", flush=True)
            case Terminal() | Stale() | Removed():
                print(item.id, "is over:", item.session.end_reason, flush=True)
            case _:  # Discovered, Updated, Resumed
                again = " again" if isinstance(item, Resumed) else ""
                print(item.id, f"is {item.session.activity}{again}", flush=True)

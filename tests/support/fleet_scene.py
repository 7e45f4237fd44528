"""A scene of a fleet: the busy afternoon of `board_scene.py`, spread over three machines, one of which is away."""

from board_scene import HEALTH, NOW, SESSIONS, ago, pulses
from msgspec import structs

from bellboard.supervisor.views.board.picture import Picture

HOSTS = ("laptop", "build-1", "workstation")
AWAY = "build-1"
AWAY_SINCE = ago(3 * 3600)

ON = {each.id: HOSTS[number % 3] for number, each in enumerate(SESSIONS)}

FLEET_SESSIONS = tuple(structs.replace(each, host=ON[each.id]) for each in SESSIONS)

FLEET_HEALTH = tuple(
    structs.replace(state, host=host)
    if host != AWAY
    else structs.replace(
        state,
        host=host,
        status="offline",
        reason="not heard since 2026-11-28 12:04 UTC",
        updated_at=AWAY_SINCE,
        pid=None,
    )
    for host in HOSTS
    for state in HEALTH
    if (host, state.source) != ("laptop", "gemini")
)

FLEET = Picture(
    FLEET_SESSIONS,
    FLEET_HEALTH,
    silence=0.4,
    fleet=True,
    pulses={(f"{source}@{ON[name]}", name): counts for (source, name), counts in pulses().items()},
)

__all__ = ["AWAY", "FLEET", "FLEET_HEALTH", "FLEET_SESSIONS", "HOSTS", "NOW"]

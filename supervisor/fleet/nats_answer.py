"""Answer: what JetStream says to a publication, and to a question of its API, and what it means when that is no.

The counterparts, who ask, are `nats_bucket.py` and `nats_engine.py`.
"""

from msgspec import Struct

from .errors import EngineLost, EngineRefused, TooLarge
from .nats_line import Line, Message

WRONG_LAST = frozenset((10071, 10164))
"""What stands there is not what was named."""

FULL = frozenset((10023, 10028, 10047, 10077, 10122))
"""No room, on the disk or for the bucket."""

TOO_LARGE = 10054


class Problem(Struct, frozen=True):
    """Why JetStream says no."""

    code: int = 0
    err_code: int = 0
    description: str = ""


class Answer(Struct, frozen=True):
    """What JetStream answers to a publication, and to a question of its API."""

    seq: int = 0
    purged: int = 0
    error: Problem | None = None


def accepted(msg: Message, name: str, line: Line) -> Answer:
    """Return what an answer says. Raises EngineLost and EngineRefused if it is none, or says no."""
    if (msg.headers or {}).get("Status") or (answer := line.read(msg, Answer)).error:
        raise problem(msg, name, line)
    return answer


def problem(msg: Message, name: str, line: Line) -> EngineLost | EngineRefused:
    """Return what an answer that is none means."""
    headers = msg.headers or {}
    if status := headers.get("Status"):
        if status == "503":
            return EngineRefused(
                f"nobody there takes what is said to {name}: either this user may not (has the machine another name there? "
                "see --host-name), or `bellboard export nats --init`, with an admin's credentials, has yet to make it"
            )
        return EngineLost(f"{name}: {status} {headers.get('Description', '')}".rstrip())
    found = line.read(msg, Answer).error or Problem()
    if found.err_code == TOO_LARGE:
        return TooLarge(f"{name}: {found.description}")
    if found.err_code in FULL:
        return EngineRefused(f"{name} is full: {found.description}")
    if found.code == 503:
        return EngineLost(f"{name}: {found.description}")
    if found.code == 404:
        return EngineRefused(
            f"the server has no {name}: `bellboard export nats --init`, with the credentials of an admin, makes it"
        )
    return EngineRefused(f"{name}: {found.description}")

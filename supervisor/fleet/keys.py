"""Keys: by which names what a machine says is kept in a fleet's engine. Pure.

A key is made of tokens with dots between, `<host>.s.<source>.<session>` or `<host>.h.<source>`, so that an engine can give
each machine the right to write below its own name alone. Names may hold what engines do not allow: each byte that is not a
letter, a digit, `-` or `_` is written `=XX`, and a name that would be too long is written `==` and its SHA-256. Nothing is
ever read from a key but the order of its tokens: the records (`record.py`) hold the names themselves.
"""

import hashlib
import re

MOST_TOKEN = 180
"""Bytes of a token. A subject of NATS has to fit into a control line of 4 kB; others allow less."""

_ODD = re.compile(rb"[^A-Za-z0-9_-]")


def token(name: str) -> str:
    """Return a name as one token of a key."""
    raw = name.encode("utf-8", "surrogatepass")
    made = _ODD.sub(lambda found: b"=%02X" % found[0][0], raw).decode("ascii") or "="
    return made if len(made) <= MOST_TOKEN else "==" + hashlib.sha256(raw).hexdigest()


def session_key(host: str, source: str, name: str) -> str:
    """Return the key of a session."""
    return f"{token(host)}.s.{token(source)}.{token(name)}"


def health_key(host: str, source: str) -> str:
    """Return the key of a source's health."""
    return f"{token(host)}.h.{token(source)}"


def sound(name: str) -> bool:
    """Whether a name can be that of a machine, or of a source on it: `/source@host/` has to stay what it is."""
    return bool(name) and name.isprintable() and not set("@/ ") & set(name)

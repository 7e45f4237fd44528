"""Cursor digests: how workers and the board compare cursors without looking into them."""

from hashlib import blake2b


def digest(cursor: str) -> str:
    """Return the hash by which a cursor is compared on the wire; the empty cursor is its own hash."""
    return blake2b(cursor.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest() if cursor else ""

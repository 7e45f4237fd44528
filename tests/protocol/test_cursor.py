from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.cursor import digest

CURSORS = st.text(st.characters(), max_size=50)
"""Surrogates included: a cursor may hold the name of a file that is no UTF-8."""


def test_the_beginning_is_its_own_digest() -> None:
    assert digest("") == ""


def test_a_digest_is_the_same_in_every_process_and_version() -> None:
    assert digest("12:abc") == "fa78e69f6d16fcbe25fa055a"


@settings(max_examples=100, deadline=None)
@given(CURSORS, CURSORS)
def test_digests_are_equal_only_for_equal_cursors(one: str, other: str) -> None:
    assert (digest(one) == digest(other)) == (one == other)
    assert len(digest(one)) == (24 if one else 0)

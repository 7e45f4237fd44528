import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.update import SourceUpdate
from bellboard.sources.contract import SessionHandle, Watching
from bellboard.sources.errors import SourceError
from bellboard.sources.mock import FolderSource, MockSource
from bellboard.workers.veil import Seal, veiled

KEY = b"k" * 32
HANDLE = SessionHandle(id="s", path="/mock/s", source="mock")


@settings(deadline=None)
@given(st.text(), st.binary(min_size=1, max_size=32))
def test_what_is_sealed_is_opened_by_the_same_key_alone(text: str, key: bytes) -> None:
    sealed = Seal(key).close(text)
    assert Seal(key).open(sealed) == text
    assert Seal(key).close(text) == sealed
    assert sealed.isascii()
    with pytest.raises(ValueError, match="not sealed with this key"):
        Seal(key + b"x").open(sealed)


def test_different_texts_do_not_share_a_stream() -> None:
    one, two = (Seal(KEY).close("a" * 40 + end) for end in "xy")
    assert sum(first == second for first, second in zip(one, two, strict=False)) < 20


@pytest.mark.parametrize("bad", ["x", "....", "AAAA", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"])
def test_what_was_not_sealed_is_an_error_of_the_source(bad: str) -> None:
    with pytest.raises(SourceError, match="sealed with another key"):
        veiled(MockSource({"s": []}), "names", KEY).parse(HANDLE, bad)


def test_a_source_behind_the_veil_goes_on_where_it_was_and_says_less() -> None:
    source = MockSource({"s": [SourceUpdate(session_id="s", title="said"), None]})
    behind = veiled(source, "names", KEY)
    assert behind.name == "mock"
    assert list(behind.discover()) == [HANDLE]
    first, cursor = behind.parse(HANDLE, "")
    assert first == SourceUpdate(session_id="s", title=None)
    nothing, second = behind.parse(HANDLE, cursor)
    assert (nothing, second != cursor) == (None, True)
    assert behind.parse(HANDLE, second) == (None, second)
    assert [call[2] for call in source.calls if call[0] == "parse"] == ["", "1", "2"]
    again, same = veiled(source, "names", KEY).parse(HANDLE, cursor)
    assert (again, same) == (None, second), "the next worker has the same key"


def test_at_full_there_is_no_veil_and_one_who_watches_goes_on_watching() -> None:
    quiet, watching = MockSource({}), FolderSource("/no/such/folder")
    assert veiled(quiet, "full", b"") is quiet
    assert not isinstance(veiled(quiet, "minimal", KEY), Watching)
    behind = veiled(watching, "minimal", KEY)
    assert isinstance(behind, Watching)
    assert (behind.watch(), behind.touched([]), behind.pulse()) == (["/no/such/folder"], [], ())

from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.protocol.recorder import PAGE_BYTES, Note, Recorder

NOTES = st.builds(
    Note,
    st.sampled_from(["load", "discover", "parse"]),
    st.text(max_size=50),
    st.text(max_size=24),
    st.text(max_size=20),
)


def test_an_untouched_page_says_that_nothing_is_done() -> None:
    assert Recorder(memoryview(bytearray(PAGE_BYTES))).read() is None


@settings(deadline=None, max_examples=200)
@given(st.lists(st.one_of(st.none(), NOTES), max_size=10))
def test_another_reader_of_the_page_sees_the_last_note(notes: list[Note | None]) -> None:
    page = bytearray(PAGE_BYTES)
    writer, reader = Recorder(memoryview(page)), Recorder(memoryview(page))
    for note in notes:
        if note is None:
            writer.rest()
        else:
            writer.note(note)
        assert reader.read() == note


def test_a_death_in_the_middle_of_writing_leaves_the_last_whole_note() -> None:
    page = bytearray(PAGE_BYTES)
    writer = Recorder(memoryview(page))
    writer.note(Note("parse", "a", "c", "s"))
    half = bytearray(page)
    writer.note(Note("parse", "b", "d", "t"))
    half[8:] = page[8:]  # the slot is written, the number is not
    assert Recorder(memoryview(half)).read() == Note("parse", "a", "c", "s")


def test_what_is_too_long_for_the_page_loses_its_details() -> None:
    recorder = Recorder(memoryview(bytearray(PAGE_BYTES)))
    recorder.note(Note("parse", "x" * 5000))
    assert recorder.read() == Note("parse")


@settings(deadline=None, max_examples=300)
@given(st.integers(0, 1 << 64).filter(lambda number: number < 1 << 64), st.binary(max_size=200))
def test_any_bytes_in_the_page_are_read_without_harm(number: int, junk: bytes) -> None:
    page = bytearray(PAGE_BYTES)
    page[:8] = number.to_bytes(8, "little")
    for start in (8, 8 + (PAGE_BYTES - 8) // 2):
        page[start : start + len(junk)] = junk
    Recorder(memoryview(page)).read()

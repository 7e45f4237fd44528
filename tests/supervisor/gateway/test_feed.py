from datetime import UTC, datetime

import pytest

from bellboard.protocol import SessionState, Updated
from bellboard.protocol.codec import EVENT
from bellboard.supervisor.gateway import feed as module
from bellboard.supervisor.gateway.feed import Feed, Piece, Reader, numbered, unnumbered

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def event(seq: int) -> Updated:
    state = SessionState(id="s", source="pi", message_count=seq)
    return Updated(epoch="e", seq=seq, source="pi", source_seq=seq, id="s", version=seq, at=AT, session=state)


def piece(*seqs: int) -> Piece:
    """What goes out for these events."""
    data = [EVENT.encode(event(seq)) for seq in seqs]
    text = [numbered(f"e.{seq}", "updated", each) for seq, each in zip(seqs, data, strict=True)]
    return Piece(b"".join(text), tuple(data))


def heard(reader: Reader) -> list[Piece]:
    found: list[Piece] = []
    while (each := reader.take()) is not None:
        found.append(each)
    return found


@pytest.fixture
def feed() -> Feed:
    made = Feed()
    made.begin("e", 10)
    return made


def test_a_message_of_an_event_stream_has_a_place_a_kind_and_its_data() -> None:
    assert numbered("e.7", "updated", b"{}") == b"id: e.7\nevent: updated\ndata: {}\n\n"
    assert unnumbered("board", b"{}") == b"event: board\ndata: {}\n\n"


def test_what_is_new_goes_to_all_readers_as_one_piece(feed: Feed) -> None:
    woken: list[str] = []
    one, two = Reader(lambda: woken.append("one")), Reader(lambda: woken.append("two"))
    assert (feed.join(one, ""), feed.join(two, "")) == (None, None), "they need the whole picture"
    feed.add(event(11))
    feed.add(event(12))
    assert heard(one) == []
    feed.flush()
    assert (heard(one), heard(two), sorted(woken)) == ([piece(11, 12)], [piece(11, 12)], ["one", "two"])
    feed.flush()
    assert heard(one) == [], "nothing is said twice"
    feed.leave(two)
    feed.add(event(13))
    feed.flush()
    assert (heard(one), heard(two), feed.readers) == ([piece(13)], [], 1)


def test_who_comes_back_gets_exactly_what_it_missed(feed: Feed) -> None:
    for seq in (11, 12, 13):
        feed.add(event(seq))
    reader = Reader(lambda: None)
    assert feed.join(reader, "e.11") == piece(12, 13)
    assert heard(reader) == [], "and nothing of it once more"
    feed.add(event(14))
    feed.flush()
    assert heard(reader) == [piece(14)]
    assert feed.join(Reader(lambda: None), feed.place) == Piece(b"", ())
    assert feed.join(Reader(lambda: None), "e.10") == piece(11, 12, 13, 14), "the picture was number ten"


@pytest.mark.parametrize("last", ["", "e.9", "e.99", "other.11", "e.x", "e.-1", "11", "e.1²", "." * 5000])
def test_a_place_that_leads_nowhere_gets_the_whole_picture(feed: Feed, last: str) -> None:
    feed.add(event(11))
    assert feed.join(Reader(lambda: None), last) is None


def test_after_a_new_picture_older_places_lead_nowhere(feed: Feed) -> None:
    feed.add(event(11))
    feed.begin("e", 20)
    assert feed.join(Reader(lambda: None), "e.11") is None
    assert feed.join(Reader(lambda: None), "e.20") == Piece(b"", ())


def test_only_so_much_of_the_past_is_kept(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_KEPT", 2)
    for seq in (11, 12, 13):
        feed.add(event(seq))
    assert feed.join(Reader(lambda: None), "e.10") is None
    assert feed.join(Reader(lambda: None), "e.11") == piece(12, 13)


def test_a_reader_that_does_not_keep_up_is_lost_and_nothing_is_kept_for_it(
    feed: Feed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_WAITING", 2)
    slow, fast = Reader(lambda: None), Reader(lambda: None)
    feed.join(slow, "")
    feed.join(fast, "")
    for seq in range(11, 15):
        feed.add(event(seq))
        feed.flush()
        assert heard(fast) == [piece(seq)]
    assert (slow.lost, heard(slow), fast.lost, feed.readers) == (True, [], False, 1)


def test_a_reader_is_lost_by_bytes_too(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", len(piece(11).sse) + 10)
    reader = Reader(lambda: None)
    feed.join(reader, "")
    feed.add(event(11))
    feed.flush()
    assert (reader.lost, heard(reader)) == (False, [piece(11)])
    for seq in (12, 13):
        feed.add(event(seq))
        feed.flush()
    assert reader.lost


def test_what_is_no_event_of_the_board_comes_in_its_turn(feed: Feed) -> None:
    reader = Reader(lambda: None)
    feed.join(reader, "")
    feed.add(event(11))
    feed.say(Piece(b"event: board\ndata: {}\n\n", (b"{}",)))
    assert heard(reader) == [piece(11), Piece(b"event: board\ndata: {}\n\n", (b"{}",))]

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from harness import wait_for

from bellboard.protocol.ask import SnapshotPage, SnapshotRequest
from bellboard.protocol.channel import Asking
from bellboard.protocol.codec import SNAPSHOT_PAGE, SNAPSHOT_REQUEST, DecodeFault
from bellboard.protocol.event import Snapshot
from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.pictures import (
    MOST_PAGES,
    MOST_PICTURES,
    MOST_TOLD,
    PAGE_SESSIONS,
    PAGES_AHEAD,
    PATIENCE_SECONDS,
    Picture,
    Pictures,
)

BIG = 20 * PAGE_SESSIONS


class Gallery:
    """A board of many sessions that moves when a test says so, its snapshot socket, and those who ask."""

    def __init__(self, folder: str, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self.seq = 10
        self.taken = 0
        self.at = 0.0
        self._clients = 0
        self.sessions = tuple(SessionState(id=f"{number:05}", source="claude") for number in range(BIG))
        self.pictures = Pictures(f"ipc://{folder}/snapshot.sock", lambda: self.seq, self._take, self._tell)
        stack.callback(self.pictures.channel.close)

    def _take(self) -> Snapshot:
        self.taken += 1
        return Snapshot(epoch="e", seq=self.seq, source_seqs={}, sessions=self.sessions, health=())

    def _tell(self, request: SnapshotRequest) -> bytes:
        return f"{request.want} of {request.id}".encode()

    def client(self) -> Asking:
        """Somebody who asks, and keeps only a few pages that it has not looked at."""
        self._clients += 1
        name = b"client %d" % self._clients
        return self._stack.enter_context(Asking(f"ipc://{self._folder}/snapshot.sock", name=name))

    def take_notice(self, askers: int) -> None:
        """Serve until so many are waiting for their pages."""

        def noticed() -> bool:
            self.serve()
            return len(self.pictures._askers) == askers

        wait_for(noticed, what=f"{askers} who wait")

    def ask(self, client: Asking, request: int = 1, seen: int | None = None, **more: Any) -> None:
        data = SNAPSHOT_REQUEST.encode(SnapshotRequest(request=request, seen=seen, **more))
        wait_for(lambda: client.send([data]), what="the line")

    def serve(self) -> bool:
        return self.pictures.serve(self.at)

    def pages(self, client: Asking) -> list[SnapshotPage]:
        """All pages of the answer to one client."""
        found: list[SnapshotPage] = []

        def whole() -> bool:
            self.serve()
            while (frames := client.receive()) is not None:
                page = SNAPSHOT_PAGE.decode(frames[-1])
                assert not isinstance(page, DecodeFault)
                found.append(page)
            return bool(found) and found[-1].last

        wait_for(whole, what="the last page")
        return found


@pytest.fixture
def gallery(folder: str) -> Iterator[Gallery]:
    with ExitStack() as stack:
        yield Gallery(folder, stack)


def test_a_page_is_encoded_once_and_carries_the_number_of_whoever_asked() -> None:
    sessions = (SessionState(id="a", source="claude"),)
    health = (HealthState(source="claude"),)
    picture = Picture(Snapshot(epoch="e", seq=3, source_seqs={"claude": 3}, sessions=sessions, health=health), None)
    for request in (0, 7, 1 << 53):
        assert SNAPSHOT_PAGE.decode(picture.page(0, request)) == SnapshotPage(
            request=request,
            page=0,
            last=True,
            epoch="e",
            seq=3,
            source_seqs={"claude": 3},
            sessions=sessions,
            health=health,
        )


def test_a_hundred_who_join_by_one_heartbeat_share_one_picture_though_the_board_moves_on(gallery: Gallery) -> None:
    clients = [gallery.client() for _ in range(100)]
    for client in clients:
        gallery.ask(client, seen=10)
    gallery.serve()
    gallery.seq = 11
    for client in clients:
        pages = gallery.pages(client)
        assert [page.page for page in pages] == list(range(BIG // PAGE_SESSIONS))
        assert {page.seq for page in pages} == {10}
        assert sum(len(page.sessions) for page in pages) == BIG
    assert gallery.taken == 1


def test_who_has_heard_more_than_a_picture_shows_gets_a_newer_one(gallery: Gallery) -> None:
    first, second, third = gallery.client(), gallery.client(), gallery.client()
    gallery.ask(first, seen=10)
    gallery.take_notice(1)
    gallery.seq = 12
    gallery.ask(second, seen=11)
    gallery.ask(third)
    assert {page.seq for page in gallery.pages(second)} == {12}
    assert {page.seq for page in gallery.pages(third)} == {12}
    assert {page.seq for page in gallery.pages(first)} == {10}


def test_a_number_of_another_epoch_asks_for_no_more_than_the_present(gallery: Gallery) -> None:
    client = gallery.client()
    gallery.ask(client, seen=1 << 50)
    assert {page.seq for page in gallery.pages(client)} == {10}


def test_a_turn_sends_a_bounded_number_of_pages_and_to_everybody_in_rotation(gallery: Gallery) -> None:
    gallery.sessions *= 50
    clients = [gallery.client() for _ in range(4)]
    for client in clients:
        gallery.ask(client, seen=10)
    gallery.take_notice(4)
    before = {peer: asker.page for peer, asker in gallery.pictures._askers.items()}
    gallery.serve()
    after = {peer: asker.page for peer, asker in gallery.pictures._askers.items()}
    assert sum(after.values()) - sum(before.values()) <= MOST_PAGES
    assert all(abs(after[peer] - before[peer] - MOST_PAGES // 4) <= 1 for peer in after)


def test_who_does_not_read_is_forgotten_after_a_while_and_holds_nobody_up(gallery: Gallery) -> None:
    asleep, awake = gallery.client(), gallery.client()
    gallery.sessions *= 50
    gallery.ask(asleep, seen=10)
    wait_for(lambda: not gallery.serve() and gallery.pictures.pending, what="a full queue")
    (asker,) = gallery.pictures._askers.values()
    assert asker.page >= PAGES_AHEAD
    gallery.ask(awake, seen=10)
    assert len(gallery.pages(awake)) == 50 * BIG // PAGE_SESSIONS
    assert gallery.pictures.pending
    gallery.at += PATIENCE_SECONDS
    gallery.take_notice(0)


def test_those_who_do_not_read_pin_a_bounded_number_of_moments_and_then_everybody_goes_on(gallery: Gallery) -> None:
    gallery.sessions *= 50
    for _ in range(3 * MOST_PICTURES):
        client = gallery.client()
        gallery.ask(client)
        gallery.seq += 1
        for _ in range(20):
            gallery.serve()
    gallery.take_notice(3 * MOST_PICTURES)
    assert gallery.taken == MOST_PICTURES
    gallery.at += PATIENCE_SECONDS
    gallery.serve()
    late = gallery.client()
    gallery.ask(late)
    assert {page.seq for page in gallery.pages(late)} == {gallery.seq}


def test_a_second_question_replaces_the_first(gallery: Gallery) -> None:
    client = gallery.client()
    gallery.ask(client, request=1)
    gallery.ask(client, request=2)
    pages = [page for page in gallery.pages(client) if page.request == 2]
    assert [page.page for page in pages] == list(range(BIG // PAGE_SESSIONS))


def test_questions_about_the_last_hour_are_answered_a_few_in_each_turn(gallery: Gallery) -> None:
    client = gallery.client()
    for number in range(MOST_TOLD + 1):
        gallery.ask(client, number, want="history", source="claude", id=str(number))
    told: list[bytes] = []

    def answered() -> bool:
        gallery.serve()
        while (frames := client.receive()) is not None:
            told.extend(frames)
        return len(told) > MOST_TOLD

    wait_for(answered, what="the answers")
    assert told == [b"history of %d" % number for number in range(MOST_TOLD + 1)]
    assert gallery.taken == 0, "no picture was made for that"

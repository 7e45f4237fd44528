"""What stands of a machine in a bucket in memory, while its board says this and that."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from memory_engine import MemoryBucket, MemoryServer
from msgspec import structs

from bellboard.protocol.event import EventKind, Snapshot, session_event
from bellboard.protocol.session import SessionState
from bellboard.supervisor.fleet.engine import Entry
from bellboard.supervisor.fleet.entries import Entries
from bellboard.supervisor.fleet.errors import EngineLost, TooLarge
from bellboard.supervisor.fleet.keys import session_key
from bellboard.supervisor.fleet.notices import Notices
from bellboard.supervisor.fleet.record import SessionRecord, decode, encode
from bellboard.supervisor.fleet.telling import Telling

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ONE, TWO = session_key("laptop", "claude", "one"), session_key("laptop", "claude", "two")


class Laptop:
    """A machine whose board has two sessions, what stands of them in `bucket`, and what people were told."""

    def __init__(self, bucket: MemoryBucket, *, ours: bool = True) -> None:
        self.bucket = bucket
        self.said: list[str] = []
        self.verified = 0
        self._ours = ours
        self._telling = Telling("laptop", "names")
        sessions = tuple(SessionState(id=name, source="claude", version=1) for name in ("one", "two"))
        self._telling.whole(Snapshot(epoch="e", seq=1, source_seqs={}, sessions=sessions, health=()), NOW)
        self.entries = Entries(bucket, self._telling, self._verify, Notices(self.said.append))

    async def told(self) -> None:
        """Let all be compared, and all that differs be written."""
        await self.entries.compare()
        await self.entries.push(256)

    def hear(self, name: str, version: int, *, kind: EventKind = "updated") -> None:
        state = SessionState(id=name, source="claude", version=version)
        event = session_event(kind, state, epoch="e", seq=version, source_seq=version, at=NOW)
        self.entries.changed(self._telling.event(event).key)

    def versions(self) -> dict[str, int | None]:
        """Return which version of each session stands; None: none does any more."""
        return {key: version(entry) for key, entry in self.bucket.entries.items()}

    async def _verify(self) -> bool:
        self.verified += 1
        return self._ours


def version(entry: Entry) -> int | None:
    record = None if entry.value is None else decode(entry.value)
    return record.session.version if isinstance(record, SessionRecord) else None


def play(scene: Callable[[MemoryBucket], Awaitable[None]]) -> None:
    async def run() -> None:
        await scene(MemoryServer().state)

    asyncio.run(run())


def test_what_the_board_says_stands_there_and_follows_it() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.told()
        assert (laptop.versions(), laptop.entries.owed) == ({ONE: 1, TWO: 1}, False)
        laptop.hear("one", 2)
        laptop.hear("one", 3)
        laptop.hear("two", 4, kind="removed")
        assert laptop.entries.owed
        await laptop.entries.push(256)
        assert (laptop.versions(), laptop.entries.owed) == ({ONE: 3, TWO: None}, False)
        assert len(bucket.written) == 4  # of what changed twice only the last was written

    play(scene)


def test_no_more_is_written_at_once_than_asked_for() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.entries.compare()
        await laptop.entries.push(1)
        assert (len(bucket.written), laptop.entries.owed) == (1, True)
        await laptop.entries.push(1)
        assert (laptop.versions(), laptop.entries.owed) == ({ONE: 1, TWO: 1}, False)

    play(scene)


def test_the_keys_of_other_machines_are_left_alone() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        theirs = ("desktop.s.claude.x", "laptop2.s.claude.x")
        for key in theirs:
            await bucket.put(key, b"theirs", 0)
        await Laptop(bucket).told()
        assert {key: bucket.entries[key].value for key in theirs} == dict.fromkeys(theirs, b"theirs")
        assert set(bucket.entries) == {ONE, TWO, *theirs}

    play(scene)


def test_what_changes_again_while_it_is_written_is_still_owed(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.told()
        put = bucket.put

        async def meanwhile(key: str, value: bytes, revision: int) -> int:
            laptop.hear("one", 3)
            return await put(key, value, revision)

        laptop.hear("one", 2)
        with monkeypatch.context() as patched:
            patched.setattr(bucket, "put", meanwhile)
            await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed) == (2, True)
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed) == (3, False)

    play(scene)


def test_what_the_same_board_has_said_later_is_not_written_over() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.told()
        stood = bucket.entries[ONE]
        record = decode(stood.value or b"")
        assert isinstance(record, SessionRecord)
        later = structs.replace(record, seq=51, session=structs.replace(record.session, version=51))
        await bucket.put(ONE, encode(later), stood.revision)
        laptop.hear("one", 2)
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed, laptop.verified) == (51, False, 0)

    play(scene)


@pytest.mark.parametrize(("ours", "stands"), [(True, 2), (False, None)])
def test_what_nobody_can_read_is_put_right_by_who_has_the_lease(ours: bool, stands: int | None) -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket, ours=ours)
        await laptop.told()
        await bucket.put(ONE, b'{"stream":"KV"}', bucket.entries[ONE].revision)
        laptop.hear("one", 2)
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed, laptop.verified) == (stands, False, 1)

    play(scene)


@pytest.mark.parametrize(("faster", "stands"), [(2, 9), (3, 4)])
def test_who_was_faster_is_met_three_times_at_once_and_then_left_for_later(
    faster: int, stands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.told()
        record = decode(bucket.entries[ONE].value or b"")
        assert isinstance(record, SessionRecord)
        put = bucket.put
        theirs = [
            structs.replace(record, session=structs.replace(record.session, version=2 + n)) for n in range(faster)
        ]

        async def meanwhile(key: str, value: bytes, revision: int) -> int:
            if theirs:
                await put(key, encode(theirs.pop(0)), bucket.entries[key].revision)
            return await put(key, value, revision)

        laptop.hear("one", 9)
        monkeypatch.setattr(bucket, "put", meanwhile)
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed) == (stands, stands != 9)
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed, laptop.verified) == (9, False, 0)

    play(scene)


def test_a_write_that_came_through_unheard_is_known_as_ones_own(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket, ours=False)
        await laptop.told()
        put = bucket.put

        async def deaf(key: str, value: bytes, revision: int) -> int:
            await put(key, value, revision)
            raise EngineLost("the answer did not come")

        laptop.hear("one", 2)
        with monkeypatch.context() as patched:
            patched.setattr(bucket, "put", deaf)
            with pytest.raises(EngineLost, match="did not come"):
                await laptop.entries.push(256)
        assert laptop.entries.owed
        await laptop.entries.push(256)
        assert (laptop.versions()[ONE], laptop.entries.owed, laptop.verified) == (2, False, 0)

    play(scene)


def test_after_a_new_beginning_all_is_in_doubt_until_it_was_compared() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        await laptop.told()
        assert not laptop.entries.in_doubt
        bucket.entries.clear()  # restored from a backup that is older than this machine
        laptop.entries.begin()
        assert laptop.entries.in_doubt
        await laptop.told()
        assert (laptop.versions(), laptop.entries.in_doubt) == ({ONE: 1, TWO: 1}, False)

    play(scene)


def test_after_a_new_beginning_no_revision_is_known_by_which_something_could_be_written_over() -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket, ours=False)
        await laptop.told()
        theirs = structs.replace(bucket.entries[ONE], value=b"theirs")  # by chance with the same number
        bucket.entries[ONE] = theirs
        laptop.entries.begin()
        laptop.hear("one", 2)
        await laptop.entries.push(256)
        assert (bucket.entries[ONE], laptop.verified) == (theirs, 1)

    play(scene)


def test_one_that_is_too_large_is_said_once_and_keeps_no_other_away(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(bucket: MemoryBucket) -> None:
        laptop = Laptop(bucket)
        put = bucket.put

        async def small(key: str, value: bytes, revision: int) -> int:
            if key == ONE:
                raise TooLarge("message size exceeds maximum allowed")
            return await put(key, value, revision)

        monkeypatch.setattr(bucket, "put", small)
        for _ in range(2):
            await laptop.told()
            assert (laptop.versions(), laptop.entries.owed) == ({TWO: 1}, False)
        wanted = "a session is too large for the engine, and not told: message size exceeds maximum allowed"
        assert laptop.said == [wanted]

    play(scene)

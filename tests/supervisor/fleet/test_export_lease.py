"""Who may write: exporters of one machine between a mock board and an engine in memory."""

import asyncio

import pytest
from exporting import QUICK, exporting, presence, stands, until
from memory_engine import MemoryEngine, MemoryServer
from msgspec import structs

from bellboard.protocol import replica
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.fleet.errors import EngineLost
from bellboard.supervisor.fleet.keys import session_key
from bellboard.supervisor.fleet.record import SessionRecord, decode, encode

ONE = session_key("laptop", "claude", "one")


def test_of_two_exporters_for_one_name_the_second_says_so_and_takes_over_when_the_first_ends(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        with MockBoard() as other:
            other.session("codex", "theirs", activity="working")
            async with exporting(other, MemoryEngine(server)) as second:
                await until(lambda: stands(server, other))
                async with exporting(board, MemoryEngine(server)) as first:
                    await until(lambda: first.heard("another exporter writes for laptop"))
                    for number in range(20):
                        board.session("claude", "one", message_count=number + 1)
                        other.session("codex", "theirs", message_count=number + 1)
                    await until(lambda: stands(server, other))
                    assert sum("--host-name" in each for each in first.said) == 1
                    await until(lambda: len(server.history) == 20)
                    assert {path[1] for path, _ in server.history.values()} == {"codex"}
                    assert first.outbox.rows == 0  # the other tells of this machine
                    second.task.cancel() if second.task else None
                    await until(lambda: stands(server, board))
                    assert first.heard("laptop is told to the fleet")

    asyncio.run(play())


def test_who_lost_the_lease_and_has_it_again_compares_all(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)) as first:
            await until(lambda: stands(server, board))
            server.hosts.entries.pop("laptop")
            with MockBoard() as other:
                other.session("codex", "theirs", activity="working")
                async with exporting(other, MemoryEngine(server), pace=structs.replace(QUICK, beat=0.02)) as second:
                    await until(lambda: second.heard("is told") and first.heard("another exporter"))
                    await until(lambda: stands(server, other))
            await until(lambda: stands(server, board))

    asyncio.run(play())


def test_what_waited_when_another_turns_out_to_write_is_his_to_tell(board: MockBoard, folder: str) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server), folder=folder) as first:
            await until(lambda: stands(server, board))
            server.leave()
            board.session("claude", "one", message_count=1)
            await until(lambda: first.outbox.rows == 1)
        server.away = False
        server.hosts.forget("laptop")
        with MockBoard() as other:
            async with exporting(other, MemoryEngine(server)) as theirs:
                await until(lambda: theirs.heard("is told to the fleet"))
                async with exporting(board, MemoryEngine(server), folder=folder) as second:
                    await until(lambda: second.heard("another exporter"))
                    assert (second.outbox.rows, second.outbox.lost, server.history) == (0, 0, {})

    asyncio.run(play())


def test_a_lease_that_expired_is_taken_over(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        with MockBoard() as other:
            pace = structs.replace(QUICK, beat=3600.0)  # one that hangs does not say that it is there
            async with exporting(other, MemoryEngine(server), pace=pace):
                await until(lambda: "laptop" in server.hosts.entries)
                async with exporting(board, MemoryEngine(server)) as second:
                    await until(lambda: second.heard("another exporter"))
                    server.hosts.forget("laptop")
                    await until(lambda: stands(server, board))

    asyncio.run(play())


def test_an_exporter_that_was_killed_and_started_again_does_not_wait_for_its_own_lease(
    board: MockBoard, folder: str
) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server), folder=folder):
            await until(lambda: stands(server, board))
            killed = server.hosts.entries["laptop"]
        server.hosts.entries["laptop"] = killed  # nothing was dropped: it was killed
        board.session("claude", "one", message_count=5)
        async with exporting(board, MemoryEngine(server), folder=folder) as again:
            await until(lambda: stands(server, board))
            assert not again.heard("another exporter")

    asyncio.run(play())


def test_a_stale_exporter_that_comes_back_after_a_day_overwrites_nothing(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        pace = structs.replace(QUICK, beat=3600.0)  # it slept: it does not know that its lease is over
        async with exporting(board, MemoryEngine(server), pace=pace):
            await until(lambda: stands(server, board))
            server.hosts.forget("laptop")
            with MockBoard() as newer:
                newer.put(*board.sessions.values())
                async with exporting(newer, MemoryEngine(server)):
                    for number in range(9):
                        newer.session("claude", "one", message_count=number + 100)
                    await until(lambda: stands(server, newer))
                    board.session("claude", "one", activity="idle")  # said by the sleeper as soon as it wakes
                    for _ in range(50):
                        await asyncio.sleep(0.01)
                        assert stands(server, newer)

    asyncio.run(play())


def test_a_write_whose_answer_was_lost_is_not_taken_for_another_exporters(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        engine = MemoryEngine(server)
        put = server.state.put
        failing = [True]

        async def deaf(key: str, value: bytes, revision: int) -> int:
            made = await put(key, value, revision)
            if failing and key == ONE:
                failing.clear()
                raise EngineLost("the answer did not come")
            return made

        server.state.put = deaf  # type: ignore[method-assign]
        async with exporting(board, engine) as exporter:
            await until(lambda: stands(server, board))
            board.session("claude", "one", activity="idle")
            await until(lambda: stands(server, board) and not failing)
            assert not exporter.heard("another exporter")

    asyncio.run(play())


def test_what_cannot_be_forgotten_when_another_turns_out_to_write_is_not_sent(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        pace = structs.replace(QUICK, beat=3600.0, look=3600.0)  # only a write finds out that the lease is another's
        async with exporting(board, MemoryEngine(server), pace=pace) as exporter:
            await until(lambda: stands(server, board))
            ours, put = presence(server.hosts.entries["laptop"]), server.hosts.put
            assert ours is not None
            theirs = encode(structs.replace(ours, exporter="another"))
            await put("laptop", theirs, server.hosts.entries["laptop"].revision)
            await server.state.put(ONE, b"theirs", server.state.entries[ONE].revision)

            async def meanwhile(key: str, value: bytes, revision: int) -> int:
                exporter.outbox._database.execute("PRAGMA query_only = ON")  # as on a disk that takes nothing any more
                return await put(key, value, revision)

            server.hosts.put = meanwhile  # type: ignore[method-assign]
            board.session("claude", "one", message_count=1)
            await until(lambda: exporter.heard("the outbox cannot be written"))  # with this a round ends
            assert exporter.heard("another exporter writes for laptop (another")
            assert (exporter.outbox.rows, server.history) == (1, {})

    asyncio.run(play())


def test_what_was_known_before_the_engine_was_away_lets_nothing_be_written_over(
    board: MockBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "SILENCE_SECONDS", 1.0)

    async def play() -> None:
        server = MemoryServer()
        put = server.state.put

        async def broken(key: str, value: bytes, revision: int) -> int:
            raise EngineLost("the write did not come through")

        async with exporting(board, MemoryEngine(server)) as exporter:
            await until(lambda: stands(server, board))
            server.state.put = broken  # type: ignore[method-assign]
            board.session("claude", "one", message_count=1)
            await until(lambda: exporter.heard("did not come through") and exporter.outbox.rows == 1)
            board.stop()  # who does not hear its board compares nothing
            await until(lambda: getattr(presence(server.hosts.entries["laptop"]), "heard", True) is False)
            stood = server.state.entries[ONE]
            record = decode(stood.value or b"")
            assert isinstance(record, SessionRecord)
            later = structs.replace(record, seq=51, session=structs.replace(record.session, version=51))
            server.state.entries[ONE] = structs.replace(stood, value=encode(later))  # by chance with the same number
            server.state.put = put  # type: ignore[method-assign]
            await until(lambda: exporter.outbox.rows == 0)  # the history comes after the entries
            assert decode(server.state.entries[ONE].value or b"") == later

    asyncio.run(play())


def test_a_question_for_the_lease_that_is_not_answered_gives_nobody_the_right_to_write(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        pace = structs.replace(QUICK, beat=3600.0, first=5.0, most=10.0)
        async with exporting(board, MemoryEngine(server), pace=pace):
            for name in ("two", "three", "four"):
                board.session("claude", name, activity="idle")
            await until(lambda: stands(server, board))
            put = server.hosts.put
            asked: list[str] = []

            async def deaf(key: str, value: bytes, revision: int) -> int:
                asked.append(key)
                await asyncio.sleep(0.05)  # others ask meanwhile
                raise EngineLost("the answer did not come")

            server.hosts.put = deaf  # type: ignore[method-assign]
            theirs: dict[str, bytes] = {}
            for name in ("two", "three", "four"):
                key = session_key("laptop", "claude", name)
                entry = server.state.entries[key]
                record = decode(entry.value or b"")
                assert isinstance(record, SessionRecord)
                session = structs.replace(record.session, version=record.session.version + 50)
                theirs[key] = encode(structs.replace(record, epoch="another life", session=session))
                await server.state.put(key, theirs[key], entry.revision)
            for name in ("two", "three", "four"):
                board.session("claude", name, activity="working")
            await until(lambda: bool(asked))
            await asyncio.sleep(0.3)
            assert {key: server.state.entries[key].value for key in theirs} == theirs
            assert len(asked) <= 2  # who came to ask when the first question was under way asks once more
            server.hosts.put = put  # type: ignore[method-assign]

    asyncio.run(play())

"""The exporter between a mock board and an engine in memory."""

import asyncio

import pytest
from exporting import QUICK, damage, event, exporting, picture, presence, stands, until, wanted
from memory_engine import MemoryEngine, MemoryServer
from msgspec import structs

from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.fleet import outbox
from bellboard.supervisor.fleet.errors import EngineRefused
from bellboard.supervisor.fleet.keys import session_key
from bellboard.supervisor.fleet.outbox import Outbox, Row
from bellboard.supervisor.fleet.telling import Piece

ONE = session_key("laptop", "claude", "one")


def test_the_board_stands_in_the_engine_and_follows_it(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)):
            await until(lambda: stands(server, board))
            board.session("claude", "one", activity="waiting", waiting_for="permission")
            board.session("codex", "two", activity="idle")
            board.health("claude", status="degraded", reason="cannot read ~/.claude/projects/shop")
            await until(lambda: stands(server, board))
            board.session("codex", "two", activity="terminal", lifecycle="terminal")
            board.remove("codex", "two")
            await until(lambda: stands(server, board) and len(server.state.entries) == 3)
            assert server.state.entries[session_key("laptop", "codex", "two")].value is None
            await until(lambda: len(server.history) == 5)
        kinds = [(path, event(value)["kind"], event(value)["host"]) for path, value in server.history.values()]
        assert kinds == [
            (("laptop", "claude", "one", "updated"), "updated", "laptop"),
            (("laptop", "codex", "two", "discovered"), "discovered", "laptop"),
            (("laptop", "claude", "-", "health"), "health", "laptop"),
            (("laptop", "codex", "two", "terminal"), "terminal", "laptop"),
            (("laptop", "codex", "two", "removed"), "removed", "laptop"),
        ]

    asyncio.run(play())


def test_beyond_the_machine_go_neither_titles_nor_paths(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)):
            await until(lambda: stands(server, board))
            board.session("claude", "one", activity="idle")
            await until(lambda: stands(server, board) and bool(server.history))
        said = b"".join(entry.value or b"" for entry in server.state.written)
        said += b"".join(value for _, value in server.history.values())
        assert (b"Secret" in said, b"/home/me" in said, b"shop" in said) == (False, False, True)

    asyncio.run(play())


def test_a_level_that_becomes_stricter_takes_back_what_was_told_on_a_quiet_board(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server), level="full"):
            await until(lambda: picture(server.state.entries) == wanted(board, level="full"))
        async with exporting(board, MemoryEngine(server), level="minimal"):
            await until(lambda: picture(server.state.entries) == wanted(board, level="minimal"))

    asyncio.run(play())


def test_what_happens_while_the_engine_is_away_is_there_when_it_is_back(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)) as exporter:
            await until(lambda: stands(server, board))
            server.leave()
            await until(lambda: exporter.heard("is kept meanwhile"))
            for number in range(50):
                board.session("claude", "one", message_count=number + 1)
            board.session("codex", "gone", activity="idle")
            board.session("codex", "gone", activity="terminal", lifecycle="terminal")
            board.remove("codex", "gone")
            await until(lambda: exporter.outbox.rows == 53)
            server.away = False
            await until(lambda: stands(server, board) and exporter.outbox.rows == 0)
        assert [path[3] for path, _ in server.history.values()].count("updated") == 50
        assert len(server.history) == 53

    asyncio.run(play())


def test_what_waits_outlives_the_exporter_and_is_told_once(board: MockBoard, folder: str) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server), folder=folder) as exporter:
            await until(lambda: stands(server, board))
            server.leave()
            for number in range(20):
                board.session("claude", "one", message_count=number + 1)
            await until(lambda: exporter.outbox.rows == 20)
        server.away = False
        async with exporting(board, MemoryEngine(server), folder=folder) as exporter:
            await until(lambda: stands(server, board) and exporter.outbox.rows == 0)
        told = [event(value)["session"]["message_count"] for _, value in server.history.values()]
        assert told == [number + 1 for number in range(20)]

    asyncio.run(play())


def test_a_board_that_forgot_a_session_while_nobody_exported_takes_it_from_the_fleet(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)):
            await until(lambda: stands(server, board))
        board.restart(empty=True)
        board.session("claude", "new", activity="idle")
        async with exporting(board, MemoryEngine(server)):
            await until(lambda: stands(server, board))

    asyncio.run(play())


def test_the_machine_says_whether_its_board_is_heard_and_leaves_in_good_order(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()

        def heard(*, wanted: bool) -> bool:
            said = presence(server.hosts.entries.get("laptop"))
            return said is not None and said.heard is wanted

        async with exporting(board, MemoryEngine(server)):
            await until(lambda: heard(wanted=True))
            board.stop()
            await until(lambda: heard(wanted=False))
            assert stands(server, board)  # as last said
            board.start()
            await until(lambda: heard(wanted=True))
        assert server.hosts.entries["laptop"].value is None

    asyncio.run(play())


def test_a_board_that_starts_anew_without_its_knowledge_is_the_truth(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)):
            board.session("codex", "forgotten", activity="idle")
            await until(lambda: stands(server, board))
            board.restart(empty=True)
            board.session("claude", "one", activity="idle")
            await until(lambda: stands(server, board))

    asyncio.run(play())


def test_a_history_that_is_full_keeps_no_state_away(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        engine = MemoryEngine(server)
        append = engine.append

        async def full(path: tuple[str, ...], value: bytes, once: str) -> None:
            raise EngineRefused("BELLBOARD is full")

        engine.append = full  # type: ignore[method-assign]
        async with exporting(board, engine) as exporter:
            await until(lambda: stands(server, board))
            for number in range(5):
                board.session("claude", "one", message_count=number + 1)
            await until(lambda: stands(server, board) and exporter.heard("BELLBOARD is full"))
            # The last of them come some hundredths of a second after their state.
            await until(lambda: exporter.outbox.rows == 5)
            engine.append = append  # type: ignore[method-assign]
            await until(lambda: exporter.outbox.rows == 0 and len(server.history) == 5)
            assert sum("is full" in each for each in exporter.said) == 1

    asyncio.run(play())


def test_a_history_that_was_full_is_tried_at_once_when_the_engine_was_away(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        engine = MemoryEngine(server)
        append = engine.append

        async def full(path: tuple[str, ...], value: bytes, once: str) -> None:
            raise EngineRefused("BELLBOARD is full")

        engine.append = full  # type: ignore[method-assign]
        async with exporting(board, engine, pace=structs.replace(QUICK, refused=3600.0)) as exporter:
            await until(lambda: stands(server, board))
            board.session("claude", "one", message_count=1)
            await until(lambda: exporter.heard("BELLBOARD is full"))
            engine.append = append  # type: ignore[method-assign]
            server.leave()
            await until(lambda: exporter.heard("is kept meanwhile"))
            assert (exporter.outbox.rows, server.history) == (1, {})
            server.away = False
            await until(lambda: exporter.outbox.rows == 0 and len(server.history) == 1)

    asyncio.run(play())


def test_an_engine_that_hangs_never_holds_up_what_is_heard(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        engine = MemoryEngine(server)
        hanging = asyncio.Event()

        async def append(path: tuple[str, ...], value: bytes, once: str) -> None:
            hanging.set()
            await asyncio.Event().wait()

        engine.append = append  # type: ignore[method-assign]
        async with exporting(board, engine) as exporter:
            await until(lambda: stands(server, board))
            board.session("claude", "one", message_count=1)
            await hanging.wait()
            for number in range(300):
                board.session("claude", "one", message_count=number + 2)
            await until(lambda: exporter.outbox.rows == 301)

    asyncio.run(play())


def test_a_refusal_is_said_once_and_tried_again(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        engine = MemoryEngine(server)
        connect = engine.connect
        asked: list[None] = []

        async def refuse() -> None:
            asked.append(None)
            raise EngineRefused("the server does not accept these credentials")

        engine.connect = refuse  # type: ignore[method-assign]
        async with exporting(board, engine) as exporter:
            await until(lambda: len(asked) >= 3)
            assert exporter.said == ["the server does not accept these credentials; tried again every 0.1 s"]
            engine.connect = connect  # type: ignore[method-assign]
            await until(lambda: stands(server, board))

    asyncio.run(play())


def test_once_in_a_while_all_is_compared_though_nothing_happened(board: MockBoard) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server), pace=structs.replace(QUICK, whole=0.1)):
            await until(lambda: stands(server, board))
            await server.state.drop(ONE, server.state.entries[ONE].revision)  # by hand
            await until(lambda: stands(server, board))

    asyncio.run(play())


def test_what_is_given_up_of_the_history_is_counted_and_said_and_the_state_is_whole(
    board: MockBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "MOST_ROWS", 10)

    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)) as exporter:
            await until(lambda: stands(server, board))
            server.leave()
            for number in range(100):
                board.session("claude", "one", message_count=number + 1)
            board.session("codex", "last", activity="idle")
            await until(lambda: exporter.outbox.rows + exporter.outbox.lost == 101)
            assert 0 < exporter.outbox.rows <= 10
            server.away = False
            await until(lambda: stands(server, board) and exporter.outbox.rows == 0)
            lost = exporter.outbox.lost
            await until(lambda: exporter.heard(f"{lost} events of the history were given up"))
            await until(lambda: getattr(presence(server.hosts.entries["laptop"]), "lost", 0) == lost)
        assert len(server.history) == 101 - lost

    asyncio.run(play())


def test_a_loss_that_is_found_before_anything_is_sent_is_no_fault_of_the_engine(board: MockBoard, folder: str) -> None:
    async def play() -> None:
        server = MemoryServer()
        path = ("laptop", "claude", "one", "updated")
        outbox = Outbox(folder, "laptop", "names")
        outbox.add([Piece(key="k", once=f"{number}", path=path, value=b"v" * 4096) for number in range(20)])
        damage(outbox, folder)
        async with exporting(board, MemoryEngine(server), outbox=outbox) as exporter:
            await until(lambda: stands(server, board) and exporter.heard("malformed"))
            await until(lambda: getattr(presence(server.hosts.entries["laptop"]), "lost", 0) == 20)
        assert exporter.said == [
            "laptop is told to the fleet (privacy: names)",
            "the outbox cannot be written (database disk image is malformed)",
        ]

    asyncio.run(play())


def test_a_board_that_is_not_there_is_waited_for_and_the_machine_says_so(folder: str) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(folder, MemoryEngine(server)) as exporter:
            await until(lambda: "laptop" in server.hosts.entries)
            said = presence(server.hosts.entries["laptop"])
            assert said is not None
            assert said.heard is False
            await until(lambda: exporter.heard("the board is not heard: no supervisor in"))
            with MockBoard(folder) as board:
                board.session("claude", "one", activity="idle")
                await until(lambda: stands(server, board))

    asyncio.run(play())


def test_an_exporter_that_has_not_heard_its_board_yet_takes_nothing_back(board: MockBoard, folder: str) -> None:
    async def play() -> None:
        server = MemoryServer()
        async with exporting(board, MemoryEngine(server)):
            await until(lambda: stands(server, board))
        told = len(server.hosts.written)
        async with exporting(folder, MemoryEngine(server)):
            await until(lambda: len(server.hosts.written) >= told + 3)  # rounds of it are over
            assert stands(server, board)

    asyncio.run(play())


def test_an_outbox_that_counts_what_it_cannot_give_does_not_keep_the_exporter_from_its_work(board: MockBoard) -> None:
    asked: list[int] = []

    async def play() -> None:
        server = MemoryServer()
        pace = structs.replace(QUICK, beat=3600.0, look=3600.0)  # after a round it waits for the board alone
        async with exporting(board, MemoryEngine(server), pace=pace) as exporter:

            def nothing(most: int) -> list[Row]:
                asked.append(most)
                if len(asked) > 100:
                    exporter.outbox.rows = 0  # the test would never end
                return []

            await until(lambda: stands(server, board))
            exporter.outbox.first = nothing  # type: ignore[method-assign]
            board.session("claude", "one", message_count=1)
            await until(lambda: bool(asked))
            board.session("claude", "one", message_count=2)
            await until(lambda: stands(server, board))
        assert 0 < len(asked) < 10

    asyncio.run(play())

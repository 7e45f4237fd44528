"""The board in Textual, driven by its own pilot; in a genuine terminal it is driven by tests/system/test_terminal.py."""

import asyncio
import re
import signal
from collections.abc import Awaitable, Callable

import pytest
from board_scene import NOW, PICTURE, SESSIONS, StillWire, session
from textual import events
from textual.pilot import Pilot

from bellboard.supervisor.live import app, ending
from bellboard.supervisor.live.app import Board, show
from bellboard.supervisor.live.beside import NOTHING, Beside
from bellboard.supervisor.live.ending import ENDS
from bellboard.supervisor.live.rhythm import Rhythm
from bellboard.supervisor.live.sheet import Sheet
from bellboard.supervisor.views.board.ink import Span
from bellboard.supervisor.views.board.picture import Picture, key_of

Act = Callable[[Pilot[None], Board, StillWire], Awaitable[None]]


def drive(act: Act, *, size: tuple[int, int] = (120, 34), picture: Picture = PICTURE, found_seconds: float = 0) -> None:
    """Open the board on a picture, and do something with it."""

    async def run() -> None:
        wire = StillWire(picture)
        board = Board(wire, found_seconds=found_seconds, clock=lambda: NOW)  # type: ignore[arg-type]
        async with board.run_test(size=size) as pilot:
            await pilot.pause()
            await act(pilot, board, wire)

    asyncio.run(run())


def text(board: Board, sheet: str) -> str:
    """Return what a part of the screen shows."""
    widget = board.query_one(f"#{sheet}", Sheet)
    if not widget.display:
        return ""
    return "\n".join(Sheet.render_line(widget, y).text.rstrip() for y in range(widget.size.height)).rstrip()


async def until(pilot: Pilot[None], condition: Callable[[], bool], what: str) -> None:
    """Wait until something has come true; fail if it does not within ten seconds."""
    for _ in range(200):
        if condition():
            return
        await pilot.pause(0.05)
    raise AssertionError(f"not so: {what}")


def picked(board: Board) -> str:
    """Return the line that is marked."""
    return next((line for line in text(board, "list").splitlines() if "▌" in line), "")


def test_who_needs_you_is_at_the_top_and_the_keys_at_the_bottom() -> None:
    async def act(_: Pilot[None], board: Board, __: StillWire) -> None:
        head = text(board, "head").splitlines()
        assert "2 need you" in head[0]
        assert "asks for permission: Bash" in head[1]
        assert "asks a question" in head[2]
        assert "Gemini CLI degraded" in head[3]
        assert "? help" in text(board, "keys")

    drive(act)


def test_arrows_move_and_enter_opens_and_closes_the_details() -> None:
    async def act(pilot: Pilot[None], board: Board, wire: StillWire) -> None:
        assert picked(board) == ""
        await pilot.press("down", "down", "up")
        assert "Add an export" in picked(board)
        await pilot.press("enter")
        await pilot.pause()
        assert "the client's live registry says so" in text(board, "pane")
        assert wire.looked[-1] == key_of(SESSIONS[0])
        await pilot.press("enter")
        await pilot.pause()
        assert (text(board, "pane"), wire.looked[-1]) == ("", None)

    drive(act)


def test_w_goes_to_the_next_who_waits_and_n_shows_only_them() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("w", "w")
        assert "Why does the nightly" in picked(board)
        await pilot.press("n")
        await pilot.pause()
        assert "webshop" not in text(board, "list")
        assert "only who needs you" in text(board, "keys")
        await pilot.press("escape")
        await pilot.pause()
        assert "webshop" in text(board, "list")

    drive(act)


def test_a_filter_works_while_it_is_typed_stays_with_enter_and_goes_with_escape() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("slash", *"etl")
        await pilot.pause()
        assert "reports" not in text(board, "list")
        await pilot.press("enter")
        await pilot.pause()
        assert "filter: etl" in text(board, "keys")
        await pilot.press("j")
        assert "Why does the nightly" in picked(board)
        await pilot.press("escape")
        await pilot.pause()
        assert "reports" in text(board, "list")
        await pilot.press("slash", "x", "escape")
        await pilot.pause()
        assert "reports" in text(board, "list")

    drive(act)


def test_keys_that_are_typed_into_the_filter_do_nothing_else() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("slash", *"quiet/?", "backspace")
        await pilot.pause()
        assert (board.is_running, text(board, "keys").strip()) == (
            True,
            "/ quiet/▏  Enter keeps, Esc ends; -word leaves out",
        )

    drive(act)


def test_however_fast_a_filter_is_typed_its_letters_are_never_commands() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        for key in ("slash", *"nightly", "enter", "n"):
            # All at once, as a paste or a fast hand: nothing is drawn or focused in between.
            board.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: "filter: nightly  only who needs you" in text(board, "keys"), "all keys are taken")
        assert board.is_running
        for key in ("slash", *"q", "escape", *"ne"):
            board.post_message(events.Key(key, key if len(key) == 1 else None))
        await until(pilot, lambda: "Upgrade the linter" in text(board, "list"), "the ended are unfolded")
        assert "filter:" not in text(board, "keys")

    drive(act)


def test_a_click_picks_another_click_opens_a_heading_sorts_and_a_pill_explains() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.click("#list", offset=(20, 1))
        assert "Add an export" in picked(board)
        await pilot.click("#list", offset=(20, 1))
        await pilot.pause()
        assert "why" in text(board, "pane")
        heading = text(board, "columns").index("CONTEXT")
        await pilot.click("#columns", offset=(heading + 2, 0))
        await pilot.pause()
        assert "CONTEXT ▾" in text(board, "columns")
        pill = text(board, "head").splitlines()[3].index("Gemini")
        await pilot.click("#head", offset=(pill + 2, 3))
        await pilot.pause()
        assert "unexpected end of the document" in text(board, "pane")

    drive(act)


def test_a_click_on_the_strip_goes_to_who_waits_and_one_on_the_fold_unfolds() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.click("#head", offset=(20, 2))
        assert "Why does the nightly" in picked(board)
        fold = next(y for y, line in enumerate(text(board, "list").splitlines()) if "3 ended" in line)
        await pilot.click("#list", offset=(5, fold))
        await pilot.pause()
        assert "Upgrade the linter" in text(board, "list")

    drive(act)


def test_s_goes_through_the_orders_and_e_unfolds_who_ended() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        seen: list[str] = []
        for _step in range(6):
            seen += re.findall(r"(\w+) ▾", text(board, "columns"))
            await pilot.press("s")
            await pilot.pause()
        assert seen == ["STATE", "AGE", "CONTEXT", "AGENT", "SESSION", "STATE"]
        await pilot.press("e")
        await pilot.pause()
        assert "Upgrade the linter" in text(board, "list")

    drive(act, size=(160, 34))


def test_h_shows_every_worker_and_t_changes_the_ground() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("h")
        await pilot.pause()
        assert "~/.claude (default)" in text(board, "pane")
        dark = board.palette
        await pilot.press("t")
        await pilot.pause()
        assert board.palette is not dark

    drive(act)


def test_the_help_opens_with_a_question_mark_and_closes_with_any_key() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("question_mark")
        await pilot.pause()
        assert len(board.screen_stack) == 2
        await pilot.press("down", "x")
        await pilot.pause()
        assert len(board.screen_stack) == 1

    drive(act)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_board_fits_every_width(width: int) -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.resize_terminal(width, 30)
        await pilot.pause()
        await pilot.press("w", "enter")
        await pilot.pause()
        lines = [
            line for sheet in ("head", "columns", "list", "pane", "keys") for line in text(board, sheet).splitlines()
        ]
        assert max(len(line) for line in lines) <= width
        assert ("AGE" in text(board, "columns")) is True

    drive(act)


@pytest.mark.parametrize("size", [(40, 20), (30, 10), (80, 24), (200, 50)])
@pytest.mark.parametrize("keys", ["", "h", "w enter"])
def test_each_part_of_the_board_is_on_the_screen_however_small_it_is(size: tuple[int, int], keys: str) -> None:
    below = Beside(lambda: [(Span("demo"),)] * 9, lambda: False)

    async def run(beside: Beside) -> None:
        board = Board(StillWire(), found_seconds=0, beside=beside, clock=lambda: NOW)  # type: ignore[arg-type]
        async with board.run_test(size=size) as pilot:
            await pilot.press(*keys.split())
            await pilot.pause()
            shown = [sheet.region for sheet in board.query(Sheet) if sheet.display]
            assert sum(region.height for region in shown) in {size[1], size[1] - 1}, "the empty line above the columns"
            assert max(region.bottom for region in shown) == size[1]
            assert min(region.height for region in shown) >= 1
            assert "q quit" in text(board, "keys")
            assert keys == "" or text(board, "pane") != ""

    asyncio.run(run(NOTHING))
    asyncio.run(run(below))


def test_what_is_beside_the_board_stands_below_it_and_ends_it() -> None:
    told = ["written 3 messages", "codex's worker killed"]

    async def run() -> None:
        beside = Beside(lambda: [(Span(words),) for words in told], lambda: not told)
        board = Board(StillWire(), found_seconds=0, beside=beside, clock=lambda: NOW)  # type: ignore[arg-type]
        async with board.run_test(size=(100, 30)) as pilot:
            await pilot.pause()
            assert [line.strip() for line in text(board, "below").splitlines()] == told
            told.clear()
            await until(pilot, lambda: not board.is_running, "the end of the board")

    asyncio.run(run())


def test_what_was_found_does_not_take_the_place_of_the_list() -> None:
    async def both(_: Pilot[None], board: Board, __: StillWire) -> None:
        assert "Agents of this machine" in text(board, "pane")
        assert text(board, "list")

    async def alone(_: Pilot[None], board: Board, __: StillWire) -> None:
        assert text(board, "pane") == ""
        assert text(board, "list")

    async def nothing(_: Pilot[None], board: Board, __: StillWire) -> None:
        assert "Agents of this machine" in text(board, "pane")

    drive(both, found_seconds=60)
    drive(alone, size=(40, 10), found_seconds=60)
    drive(nothing, size=(40, 10), found_seconds=60, picture=PICTURE._replace(sessions=()))


def test_what_was_found_is_said_for_a_moment() -> None:
    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        assert "Agents of this machine" in text(board, "pane")
        await until(pilot, lambda: not text(board, "pane"), "the list of what was found closes")

    drive(act, found_seconds=3)


def test_a_new_picture_is_drawn_and_only_lines_that_changed() -> None:
    async def act(pilot: Pilot[None], board: Board, wire: StillWire) -> None:
        sheet = board.query_one("#list", Sheet)
        drawn: list[int] = []
        genuine = sheet.render_line

        def counted(y: int) -> object:
            drawn.append(y)
            return genuine(y)

        sheet.render_line = counted  # type: ignore[method-assign,assignment]
        moved = session(
            "95933478-3775-4e7f-becd-64c5fa2605e1", "gemini", title="Moved on", working_dir="/home/you/docs"
        )
        sessions = tuple(moved if each.id == moved.id else each for each in SESSIONS)
        wire.change(PICTURE._replace(sessions=sessions))
        await until(pilot, lambda: "Moved on" in text(board, "list") and bool(drawn), "the change is drawn")
        rows = text(board, "list").splitlines()
        at = next(y for y, line in enumerate(rows) if "Moved on" in line)
        assert set(drawn) == {at}

    drive(act)


def test_the_rhythm_is_told_of_each_drawing_whatever_it_was_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[str] = []

    class Noted(Rhythm):
        def drawn(self) -> None:
            told.append("drawn")
            super().drawn()

    async def act(_: Pilot[None], board: Board, __: StillWire) -> None:
        told.clear()
        board.draw()
        board.action_move(1)
        board.action_needs_only()
        assert told == ["drawn"] * 3

    monkeypatch.setattr(app, "Rhythm", Noted)
    drive(act)


def test_a_supervisor_that_fell_silent_is_said_and_its_return_too() -> None:
    async def act(pilot: Pilot[None], board: Board, wire: StillWire) -> None:
        wire.now = PICTURE._replace(silence=12.0)
        board.draw()
        await pilot.pause()
        assert "this picture is 12 s old" in text(board, "head")
        wire.now = PICTURE
        board.draw()
        await pilot.pause()
        assert "● live" in text(board, "head")

    drive(act)


def test_a_thousand_sessions_scroll() -> None:
    many = tuple(session(f"s{number:04}", title=f"work {number:04}") for number in range(1000))

    async def act(pilot: Pilot[None], board: Board, _: StillWire) -> None:
        await pilot.press("end")
        await until(pilot, lambda: "work 0999" in picked(board), "the last is picked and seen")
        await pilot.press("home")
        await until(pilot, lambda: "work 0000" in picked(board), "the first is picked and seen")

    drive(act, picture=PICTURE._replace(sessions=many))


@pytest.mark.parametrize("number", ENDS)
def test_it_leaves_when_it_is_told_to_end(number: signal.Signals) -> None:
    async def run() -> None:
        board = Board(StillWire(), found_seconds=0, clock=lambda: NOW)  # type: ignore[arg-type]
        with board.ending:
            async with board.run_test() as pilot:
                await pilot.pause()
                signal.raise_signal(number)
                await until(pilot, lambda: not board.is_running, "the end of the board")

    asyncio.run(run())


@pytest.mark.parametrize("number", ENDS)
def test_after_the_board_signals_do_what_they_did_before(
    number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = Board.run

    async def leave(_: Pilot[object]) -> None:
        signal.raise_signal(number)

    def headless(board: Board) -> None:
        genuine(board, headless=True, auto_pilot=leave)

    def mine(*_: object) -> None:
        raise AssertionError("the board listens")

    monkeypatch.setattr(ending.os, "_exit", id)  # where this goes wrong, it must not end the tests
    monkeypatch.setattr(Board, "run", headless)
    before = signal.signal(number, mine)
    try:
        show(StillWire())  # type: ignore[arg-type]
        assert signal.getsignal(number) is mine
    finally:
        signal.signal(number, before)

"""The live board in a genuine terminal (tmux): keys go in, the screen is read."""

import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator

import psutil
import pytest
from cards import deal, settle
from harness import COMMAND, House, wait_for
from terminal import Terminal, needs_tmux

pytestmark = [needs_tmux, pytest.mark.timeout(180)]

WITHOUT_TEXTUAL = [
    sys.executable,
    "-c",
    "import sys; sys.modules['textual'] = None; from bellboard.supervisor.cli import main; sys.exit(main())",
]

Open = Callable[..., Terminal]


@pytest.fixture
def board(house: House) -> Iterator[Open]:
    """Open the board in a terminal."""
    terminals: list[Terminal] = []

    def opened(words: list[str] = COMMAND, size: tuple[int, int] = (120, 34), **env: str) -> Terminal:
        terminal = Terminal(words, {**house.env, "COLORTERM": "truecolor", **env}, size=size)
        terminals.append(terminal)
        return terminal

    yield opened
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def busy(house: House) -> House:
    """A house in which four sessions of two agents go on."""
    settle(house, "alpha", "beta")
    deal(
        house,
        "alpha",
        "export",
        title="Add an export button",
        activity="waiting",
        waiting_for="permission",
        branch="feature/export",
    )
    deal(house, "alpha", "retry", title="Make the retry test stop flaking", current_tool="Edit")
    deal(house, "beta", "nightly", title="Why is the nightly job slow?", working_dir="/home/you/etl")
    deal(house, "beta", "notes", title="Release notes", working_dir="/home/you/docs", activity="idle")
    return house


def private_board(terminal: Terminal) -> psutil.Process:
    """Return the private supervisor of the board in a terminal."""
    for process in psutil.Process(terminal.shell()).children(recursive=True):
        if _private(process):
            return process
    raise AssertionError("there is no private supervisor")


def _private(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.Error):
        return "--private" in process.cmdline()
    return False


def folder_of(supervisor: psutil.Process) -> str:
    """Return the folder of a supervisor's sockets."""
    return next(os.path.dirname(held.path) for held in supervisor.open_files() if held.path.endswith("/lock"))


def test_somebody_finds_filters_looks_and_leaves(busy: House, board: Open) -> None:
    terminal = board()
    terminal.shows("1 needs you", "asks for permission", "etl", "live · private")
    terminal.keys("w")
    terminal.shows("▌ ▲ permission")
    terminal.keys("Enter")
    terminal.shows("why", "the client's live registry says so", "feature/export")
    terminal.keys("Enter")
    terminal.hides("feature/export  started")
    terminal.type("/nightly")
    terminal.hides("retry test")
    terminal.keys("Enter")
    terminal.shows("filter: nightly")
    terminal.keys("Escape")
    terminal.shows("retry test")
    terminal.keys("n")
    terminal.hides("nightly")
    terminal.keys("n")
    terminal.shows("nightly")
    terminal.keys("?")
    terminal.shows("States", "Columns")
    terminal.keys("x")
    terminal.hides("Columns")
    terminal.keys("q")
    left = terminal.shows("ended with 0")
    assert f"alpha  {busy.homes}/alpha (configuration)  (2 on the board)".replace(str(busy.homes), "~") in left


def test_what_happens_is_seen_as_it_happens(busy: House, board: Open) -> None:
    terminal = board()
    terminal.shows("1 needs you", "Add an export")
    deal(busy, "alpha", "export", title="Add an export button", current_tool="Bash")
    terminal.shows("nobody needs you", "0 need you")
    deal(busy, "beta", "nightly", title="Why is the nightly job slow?", activity="waiting", waiting_for="question")
    terminal.shows("asks a question")
    deal(busy, "beta", "notes", title="Release notes", terminal=True, activity="terminal", end_reason="ended")
    terminal.shows("1 ended")


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_the_board_follows_the_size_of_its_terminal(words: list[str], busy: House, board: Open) -> None:
    terminal = board(words)
    terminal.shows("needs you", "AGENT", "TOOL NOW")
    terminal.resize(40, 20)
    terminal.hides("AGENT")
    terminal.shows("STATE", "AGE", "▲ permission")
    terminal.resize(200, 50)
    terminal.shows("BRANCH", "LAST 15 MIN", "feature/export")
    del busy


def test_a_worker_that_dies_is_seen_in_its_pill_and_recovers(busy: House, board: Open) -> None:
    busy.start()
    terminal = board()
    terminal.shows("✓ alpha up 2", "✓ beta up 2", "● live")
    os.kill(busy.health()["alpha"]["pid"], signal.SIGKILL)
    terminal.shows("alpha up 2 · 1 restart", "✓ beta up 2")
    busy.command("ctl", "pause", "beta")
    terminal.shows("‖ beta paused")
    busy.command("ctl", "resume", "beta")
    terminal.shows("✓ beta up 2")


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_a_dead_supervisor_is_said_at_once_and_its_return_too(words: list[str], busy: House, board: Open) -> None:
    supervisor = busy.start()
    terminal = board(words)
    terminal.shows("● live", "nightly")
    supervisor.kill()
    supervisor.wait()
    screen = terminal.shows("supervisor not heard: this picture is")
    assert "nightly" in screen
    busy.start()
    terminal.hides("not heard")
    terminal.shows("● live", "nightly")


def test_a_private_board_that_dies_is_started_again(busy: House, board: Open) -> None:
    terminal = board()
    terminal.shows("live · private", "nightly")
    first = private_board(terminal)
    first.kill()

    def another() -> bool:
        found = [each for each in psutil.Process(terminal.shell()).children(recursive=True) if _private(each)]
        return bool(found) and first not in found

    wait_for(another, 20, "another private board")
    deal(busy, "beta", "nightly", title="Told after the end")
    terminal.shows("live · private", "Told after the end")


def test_nothing_of_a_private_board_outlives_a_board_that_is_killed(busy: House, board: Open) -> None:
    terminal = board()
    terminal.shows("live · private")
    supervisor = private_board(terminal)
    # The board is drawn before the last of its processes has been started.
    wait_for(lambda: len(supervisor.children(recursive=True)) == 2, 20, "the processes of the private board")
    folder, family = folder_of(supervisor), [supervisor, *supervisor.children(recursive=True)]
    parent = supervisor.parent()
    assert parent is not None
    parent.kill()
    wait_for(lambda: not any(process.is_running() for process in family), 10, "the end of the private board")
    assert (len(family), os.path.exists(folder)) == (3, False)
    del busy


def test_a_terminal_that_is_closed_ends_its_board(busy: House, board: Open) -> None:
    terminal = board()
    terminal.shows("live · private")
    supervisor = private_board(terminal)
    family = [supervisor, *supervisor.parents()[:1], *supervisor.children(recursive=True)]
    terminal.close()
    wait_for(lambda: not any(process.is_running() for process in family), 15, "the end of everything in the terminal")
    del busy


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_a_board_that_is_told_to_end_gives_the_terminal_back(words: list[str], busy: House, board: Open) -> None:
    terminal = board(words)
    terminal.shows("● live")
    drawing = private_board(terminal).parent()
    assert drawing is not None
    drawing.terminate()
    assert "alpha" in terminal.shows("ended with 0")
    del busy


def test_where_no_agent_is_the_paths_and_the_demo_are_named(house: House, board: Open) -> None:
    terminal = board()
    screen = terminal.shows("No coding agent was found", "bellboard demo", "ended with 1")
    assert all(f"  ~/{path}" in screen for path in (".claude", ".codex", ".gemini", ".pi/agent"))
    del house


def test_without_textual_the_same_board_is_plain_text_and_ctrl_c_ends_it(busy: House, board: Open) -> None:
    terminal = board(WITHOUT_TEXTUAL, size=(40, 24))
    terminal.shows("▲1 ●2", "permission", "STATE", "● live")
    deal(busy, "beta", "nightly", title="Why is the nightly job slow?", activity="waiting", waiting_for="plan")
    terminal.shows("▲2 ●1")
    terminal.keys("C-c")
    terminal.shows("ended with 0")


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_the_first_lines_are_told_anew_when_somebody_leaves(words: list[str], busy: House, board: Open) -> None:
    terminal = board(words)
    terminal.shows("● live", "nightly")
    deal(busy, "beta", "notes", title="Release notes", terminal=True, activity="terminal", end_reason="ended")
    terminal.shows("1 ended")
    terminal.keys("q" if words is COMMAND else "C-c")
    left = terminal.shows("ended with 0")
    assert (left.count("~/beta"), left.count("(1 on the board)")) == (1, 1)
    assert "reading" not in left


def test_the_plain_board_shows_no_typed_key_and_leaves_none_to_who_reads_next(busy: House, board: Open) -> None:
    terminal = board(WITHOUT_TEXTUAL, size=(80, 30))
    before = terminal.shows(
        "● live", "nightly", "Ctrl-C ends; keys: pip install 'bellboard[tui]' (in a clone: '.[tui]')"
    )
    terminal.type("xyzzy")
    terminal.keys("Enter")
    deal(busy, "beta", "nightly", title="Why is the nightly job slow?", activity="waiting", waiting_for="plan")
    after = terminal.shows("shows a plan")
    assert "xyzzy" not in before + after
    terminal.keys("C-c")
    left = terminal.shows("ended with 0")
    assert "xyzzy" not in left
    terminal.type("plugh")
    terminal.shows("plugh")  # the terminal shows again what is typed


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_a_board_that_was_ended_in_good_order_is_said_to_have_stopped(
    words: list[str], busy: House, board: Open
) -> None:
    supervisor = busy.start()
    terminal = board(words)
    terminal.shows("✓ alpha up 2", "✓ beta up 2")
    supervisor.send_signal(signal.SIGINT)
    supervisor.wait(15)
    screen = terminal.shows("not heard", "alpha stopped", "beta stopped")
    assert "starting" not in screen


@pytest.mark.parametrize("words", [COMMAND, WITHOUT_TEXTUAL], ids=["textual", "plain"])
def test_the_demo_is_the_live_board_with_its_deeds_and_comparison_below(
    words: list[str], house: House, board: Open
) -> None:
    terminal = board([*words, "demo", "--chaos"])
    terminal.shows("● live", "LAST 15 MIN", "demo  ", " hung; written", "killed (SIGKILL)")
    if words is COMMAND:
        terminal.keys("h")
        terminal.shows("worker     pid")
        terminal.keys("q")
    else:
        terminal.keys("C-c")
    terminal.shows("0 differences", "ended with 0", seconds=60)
    assert list(house.homes.iterdir()) == []


def test_a_demo_in_a_terminal_that_is_closed_leaves_nothing_behind(house: House, board: Open) -> None:
    terminal = board([*COMMAND, "demo"])
    terminal.shows("● live", " differences; ")
    family = psutil.Process(terminal.shell()).children(recursive=True)
    terminal.close()
    wait_for(lambda: not any(process.is_running() for process in family), 60, "the end of everything in the terminal")
    del house


def test_without_colour_there_is_none(busy: House, board: Open) -> None:
    plain = board(WITHOUT_TEXTUAL, NO_COLOR="1")
    plain.shows("● live", "nightly")
    codes = {part for found in re.findall(r"\x1b\[([0-9;]*)m", plain.coloured()) for part in found.split(";")}
    assert codes <= {"", "0", "1", "2", "39", "49"}
    textual = board(NO_COLOR="1")
    textual.shows("● live", "nightly")
    colours = re.findall(r"[34]8;2;(\d+);(\d+);(\d+)", textual.coloured())
    assert colours
    assert [each for each in colours if len(set(each)) > 1] == []
    del busy


def test_where_stdout_is_no_terminal_the_table_is_printed_once(busy: House) -> None:
    done = busy.command()
    assert done.returncode == 0
    assert "needs permission" in done.stdout
    assert "\x1b" not in done.stdout

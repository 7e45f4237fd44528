"""Pictures: the README's picture, made from the demo: `python -m tests.pictures` (needs the extra `pictures`).

Synthetic and the same each time: the demo's actors play for a fixed time by a clock of their own, the real pipeline reads
what they wrote, and the board is drawn as of that moment. `model` is what is shown and `draw` how: another view can take
the place of `draw`, and the test compares whatever it draws with the model.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from bellboard.protocol.event import Snapshot
from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.config import Board, Config, SourceConfig
from bellboard.supervisor.demo.cast import HOMES, cast
from bellboard.supervisor.demo.stage import Stage, StandIns
from bellboard.supervisor.private import read_once
from bellboard.supervisor.units import Seconds
from bellboard.supervisor.views import text

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

BORN = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
PLAYED_SECONDS = 36.0
STEP_SECONDS = 0.1
NOW = BORN + timedelta(seconds=PLAYED_SECONDS)

PICTURE = Path(__file__).parents[1] / "docs/pictures/board.svg"
WIDTH = 150
BAR = 8

STYLES = {"needs": "bold #e0af68", "working": "#7aa2f7", "waiting": "#a9b1d6", "idle": "#6b7394", "terminal": "#6b7394"}
"""Colours that also the colour-blind tell apart; each state has its word and its glyph besides."""

DIM, LINE, GOOD, BAD = "#6b7394", "#3b4261", "#9ece6a", "#f7768e"

FORMAT = """<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>
.{unique_id}-matrix {{
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace;
  font-size: {char_height}px; line-height: {line_height}px; font-variant-east-asian: full-width;
}}
.{unique_id}-title {{ font-size: 16px; font-weight: bold; font-family: system-ui, sans-serif; }}
{styles}
</style>
<defs><clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}" /></clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}<g class="{unique_id}-matrix">{matrix}</g></g>
</svg>
"""
"""rich's own, without the font that it would have a reader's browser fetch from elsewhere."""


def model() -> Snapshot:
    """Play the demo and return the board as the real pipeline reads it; what differs from run to run is left out."""
    with tempfile.TemporaryDirectory(prefix="bellboard-picture-", dir="/tmp") as home:
        actors = cast(BORN)
        stand_ins = StandIns(len(actors))
        # They began when the play did, for all that anybody can read.
        begun = int(BORN.timestamp() * 1000)
        processes = [structs.replace(process, begun=begun) for process in stand_ins.processes()]
        stage = Stage(home, actors, processes, 0.0)
        try:
            for step in range(round(PLAYED_SECONDS / STEP_SECONDS)):
                clock = step * STEP_SECONDS
                stage.play(clock, BORN + timedelta(seconds=clock))
            sources = {name: SourceConfig(options={"home": f"{home}/{path}"}) for name, path in HOMES.items()}
            everything = Board(since=Seconds("inf"))
            picture = read_once(Config(state_dir=None, runtime_dir=home, sources=sources, board=everything))
        finally:
            stage.close()
            stand_ins.close()
    health = tuple(HealthState(source=each.source, status=each.status) for each in picture.health)
    plain = [structs.replace(each, version=0, last_data_received_at=None) for each in picture.sessions]
    sessions = tuple(sorted(plain, key=lambda each: (text.order(each, NOW), each.source, each.id)))
    return Snapshot(epoch="", seq=0, source_seqs={}, sessions=sessions, health=health)


def draw(picture: Snapshot) -> str:
    """Draw the board as an SVG picture."""
    from rich.console import Console
    from rich.terminal_theme import TerminalTheme

    ink = [(36, 40, 59), (247, 118, 142), (158, 206, 106), (224, 175, 104)]
    theme = TerminalTheme(
        (26, 27, 38), (192, 202, 245), [*ink, (122, 162, 247), (187, 154, 247), (125, 207, 255), (169, 177, 214)]
    )
    with open("/dev/null", "w", encoding="utf-8") as nowhere:
        console = Console(record=True, width=WIDTH, file=nowhere, force_terminal=True, color_system="truecolor")
        _print(console, picture)
    return console.export_svg(title="bellboard", theme=theme, code_format=FORMAT, unique_id="board")


def _print(console: "Console", picture: Snapshot) -> None:
    from rich.text import Text

    waiting = [session for session in picture.sessions if session.needs_you]
    console.print()
    for session in waiting:
        asks = f" ! {_project(session)} needs your {session.waiting_for} for {session.current_tool or 'a tool'}"
        line = Text().append(asks, style=STYLES["needs"]).append(f"   {text.plain(session.title)}", style="#c0caf5")
        known = f"   {text.age(session.last_activity_at, NOW)}"
        if session.evidence is not None:
            known += f", {session.evidence.detail}"
        console.print(line.append(known, style=DIM), no_wrap=True)
    console.print()
    console.print(_counters(picture))
    console.print(_pills(picture))
    console.print(_table(picture))
    console.print()


def _counters(picture: Snapshot) -> "Text":
    from rich.text import Text

    line = Text(" ")
    for activity in ("working", "waiting", "idle", "terminal"):
        count = sum(session.activity == activity for session in picture.sessions)
        if count:
            line.append(f"{text.GLYPHS[activity]} {count} {activity}   ", style=STYLES[activity])
    said = sum(session.message_count for session in picture.sessions)
    called = sum(session.tool_call_count for session in picture.sessions)
    return line.append(f"{said} messages, {called} tool calls", style=DIM)


def _pills(picture: Snapshot) -> "Text":
    from rich.text import Text

    line = Text(" ")
    for state in picture.health:
        style = GOOD if state.status == "healthy" else BAD
        line.append("● ", style=style).append(f"{state.source} {state.status}   ", style=DIM)
    return line


def _table(picture: Snapshot) -> "Table":
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    columns = ("   STATE", "AGENT", "MODEL", "CONTEXT", "MSG", "CALLS", "TOOL NOW", "AGE", "PROJECT", "TITLE")
    table = Table(box=SIMPLE_HEAD, header_style=DIM, border_style=LINE, pad_edge=False, expand=True)
    for name in columns:
        justify = "right" if name in {"MSG", "CALLS", "AGE"} else "left"
        table.add_column(name, justify=justify, no_wrap=True, ratio=1 if name == "TITLE" else None)
    for session in picture.sessions:
        table.add_row(*_cells(session))
    return table


def _cells(session: SessionState) -> list["Text"]:
    from rich.text import Text

    style = STYLES["needs" if session.needs_you else session.activity]
    glyph = "!" if session.needs_you else text.GLYPHS[session.activity]
    running = sum(agent.activity == "working" for agent in session.subagents)
    tool = session.current_tool or ("" if running else "-")
    helpers = f"{' ' if tool else ''}+{running} helpers" if running else ""
    return [
        Text(f" {glyph} {text.state_word(session)}", style=style),
        Text(session.source),
        Text(session.model or "-", style=DIM),
        _bar(session),
        Text(str(session.message_count)),
        Text(str(session.tool_call_count)),
        Text(f"{tool}{helpers}", style="#7dcfff" if session.current_tool or running else DIM),
        Text(text.age(session.last_activity_at, NOW), style=DIM),
        Text(_project(session)).append(f" {session.branch}" if session.branch else "", style=DIM),
        Text(text.plain(session.title), style="#c0caf5"),
    ]


def _bar(session: SessionState) -> "Text":
    from rich.text import Text

    share = session.context_utilization
    if share is None:
        return Text(" " * BAR + text.context(session).rjust(5), style=DIM)
    # A size that is not the client's own number is drawn hatched.
    full = "█" if session.max_context_from == "reported" else "▒"
    filled = max(1, round(share * BAR))
    colour = BAD if share > 0.9 else STYLES["needs"] if share > 0.75 else STYLES["working"]
    bar = Text(full * filled, style=colour).append("·" * (BAR - filled), style=LINE)
    return bar.append(text.context(session).rpartition(" ")[2].rjust(5))


def _project(session: SessionState) -> str:
    return (session.working_dir or "").rpartition("/")[2]


def main() -> int:
    """Make the picture anew."""
    PICTURE.parent.mkdir(parents=True, exist_ok=True)
    PICTURE.write_text(draw(model()), encoding="utf-8")
    sys.stdout.write(f"{PICTURE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

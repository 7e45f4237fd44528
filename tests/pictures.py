"""Pictures: the README's picture of the board: `python -m tests.pictures` (needs the extra `tui`).

It is the real board, drawn by Textual on a made-up afternoon (`tests/support/board_scene.py`), and the same each time.
"""

import asyncio
import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from board_scene import NOW, PICTURE, StillWire

from bellboard.supervisor.live.app import Board

TARGET = Path(__file__).parents[1] / "docs/pictures/board.svg"
SIZE = (148, 36)
KEYS = (*["down"] * 7, "enter")
"""The seventh session has a rich hour: its details are open."""

FONTS = 'ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace'
"""Whatever a reader has: the font that Textual names would be fetched from elsewhere."""


def draw() -> str:
    """Draw the board as an SVG picture."""
    return asyncio.run(_drawn())


async def _drawn() -> str:
    board = Board(StillWire(PICTURE), found_seconds=0, clock=lambda: NOW)  # type: ignore[arg-type]
    async with board.run_test(size=SIZE) as pilot:
        await pilot.press(*KEYS)
        await pilot.pause()
        svg = board.export_screenshot(title="bellboard")
    svg = re.sub(r"@font-face \{[^}]*\}\s*", "", svg)
    svg = re.sub(r"<!--.*?-->\s*", "", svg)
    return svg.replace("Fira Code, monospace", FONTS).replace(
        "font-family: arial", "font-family: system-ui, sans-serif"
    )


def main() -> int:
    """Make the picture anew."""
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(draw(), encoding="utf-8")
    sys.stdout.write(f"{TARGET}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Page: how smoothly the browser draws the board while it moves, by the page's own animation callbacks."""

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bellboard.protocol.testing import MockBoard

from .figures import Figure, Skipped, percentile
from .trees import Trees

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

SESSIONS = 1000
CHANGES_EACH_SECOND = 100
MOVES_EACH = 10
"""One change in so many ends a turn: the row moves."""

SECONDS = 10.0

WATCH = """
if (!window.gaps) {
  let last = performance.now();
  const step = (now) => { window.gaps.push(now - last); last = now; requestAnimationFrame(step); };
  requestAnimationFrame(step);
  const note = (list) => list.getEntries().forEach((entry) => window.long.push(entry.duration));
  new PerformanceObserver(note).observe({type: "longtask"});
}
window.gaps = []; window.long = [];
"""
AT_REST = "document.getAnimations().every((each) => each.playState === 'finished')"


def page(_trees: Trees) -> Iterator[Figure]:
    """1,000 sessions in headless Chromium, drawn in software, while 100 changes come in each second: ten move rows."""
    try:
        from browser import Watched, chromium, open_browser
        from harness import House, short_folder, wait_for
        from synthetic import ago, working
        from web import Web
    except ModuleNotFoundError as error:
        raise Skipped("needs the extras `web` and `browser`") from error
    if chromium() is None:
        raise Skipped("needs Chromium")
    with short_folder() as place, open_browser(chromium()) as chrome:
        house = House(place)
        with MockBoard(str(house.runtime)) as board:
            web = Web(house)
            try:
                wait_for(lambda: web.ask("/readyz").status == 200, 15, "the board")
                facts: dict[str, Any] = {"last_activity_at": ago(30)}
                names = [(f"n{number}", f"p{number % 40}") for number in range(SESSIONS)]
                board.put(*[working("claude", name, name, folder, **facts) for name, folder in names])
                watched = Watched(chrome, web)
                opened = watched.board()
                wait_for(lambda: opened.locator("tbody tr:not(.project)").count() == SESSIONS, 30, "all of them")
                wait_for(lambda: opened.evaluate(AT_REST), 60, "the end of what moves when sessions appear")

                def change(number: int) -> None:
                    turn: dict[str, Any] = {"activity": "waiting", "waiting_for": "prompt"}
                    ends = number % MOVES_EACH == 0
                    name = names[number * 7 % SESSIONS][0]
                    board.session("claude", name, message_count=50 + number, **{**facts, **(turn if ends else {})})

                still = _frames(opened, lambda _: None)
                moving = _frames(opened, change)
                watched.close()
            finally:
                web.close()
    for what, (gaps, long, busy) in (("nothing happens", still), (f"{CHANGES_EACH_SECOND} changes/s", moving)):
        yield Figure(
            what=f"page, 1,000 sessions, {what}: frames", value=len(gaps) / SECONDS, unit="frames/s",
            detail=f"gaps p50 {percentile(gaps, 0.5):.0f}, p99 {percentile(gaps, 0.99):.0f}, longest {max(gaps):.0f} ms; "
            f"{len(long)} tasks above 50 ms, longest {max(long, default=0):.0f} ms; "
            f"{100 * busy / SECONDS:.0f} % of a core in the page's main thread",
        )  # fmt: skip


def _frames(opened: Any, change: Callable[[int], object]) -> tuple[list[float], list[float], float]:
    """Let the page run for a while. Returns the pauses between its frames and its long tasks (ms), and its CPU (s)."""
    line = opened.context.new_cdp_session(opened)
    line.send("Performance.enable", {"timeDomain": "threadTicks"})
    used = _used(line)
    opened.evaluate(WATCH)
    began = time.monotonic()
    for number in range(int(SECONDS * CHANGES_EACH_SECOND)):
        change(number)
        rest = began + (number + 1) / CHANGES_EACH_SECOND - time.monotonic()
        if rest > 0:
            time.sleep(rest)
    found = opened.evaluate("[window.gaps, window.long]")
    return found[0][1:], found[1], _used(line) - used


def _used(line: Any) -> float:
    metrics = line.send("Performance.getMetrics")["metrics"]
    return next(each["value"] for each in metrics if each["name"] == "TaskDuration")

"""Shelves: what one change of OpenCode's database costs, however much is in it."""

import os
import time
from collections.abc import Iterator

from bellboard.sources.catalog import load
from bellboard.sources.contract import Watching
from bellboard.workers.round import Parsed, Round

from .board import folder
from .figures import Figure, middle
from .trees import Trees
from .writer import agent

TIMES = 200
SIZES = ((1, 10), (1_000, 10), (1, 10_000))


def shelves(_trees: Trees) -> Iterator[Figure]:
    """One message more, from the word of the watcher to the update: sessions in the store, messages in that session."""
    costs = [_measured(sessions, messages) for sessions, messages in SIZES]
    for (sessions, messages), cost in zip(SIZES, costs, strict=True):
        what = f"one change of OpenCode's database with {sessions:,} sessions, {messages:,} messages"
        yield Figure(what=f"{what}, CPU", value=cost * 1000, unit="ms", detail=f"{cost / costs[0]:.2f} x the smallest")


def _measured(sessions: int, messages: int) -> float:
    with folder() as place:
        os.environ["BELLBOARD_SPOOL"] = str(place / "spool")
        home = place / "home"
        home.mkdir()
        write = agent("opencode", str(home))
        for number in range(sessions):
            write(number, 1)
        for number in range(2, messages + 1):
            write(0, number)
        source = load("opencode", None, {"home": str(home)})
        assert isinstance(source, Watching)
        work = Round(source)
        work.discover(time.time())
        while work.backlog:
            work.step()
        costs: list[float] = []
        for number in range(TIMES):
            write(0, messages + 1 + number)
            began = time.process_time()
            work.ask(lambda: source.touched([f"{home}/opencode.db-wal"]), time.time())
            found = 0
            while work.backlog:
                step = work.step()
                if isinstance(step, Parsed) and step.facts is not None:
                    found += step.facts.message_count_delta
            costs.append(time.process_time() - began)
            assert found == 1
        return middle(costs)

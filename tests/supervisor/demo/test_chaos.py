import itertools

import msgspec

from bellboard.protocol.session import HealthState
from bellboard.supervisor.demo.chaos import FIRST_SECONDS, MOST_SECONDS, SETTLED_SECONDS, Chaos, Hit

SOURCES = ("claude", "codex", "gemini", "opencode", "pi")


class Crew:
    """Workers as the board would tell of them; time is in seconds of the demo."""

    def __init__(self) -> None:
        self.health = {
            name: HealthState(source=name, pid=100 + number, incarnation=1) for number, name in enumerate(SOURCES)
        }
        self.chaos = Chaos()
        self.clock = 0.0

    def change(self, source: str, **news: object) -> None:
        self.health[source] = msgspec.structs.replace(self.health[source], **news)

    def step(self, seconds: float) -> Hit | None:
        """Let time pass; do what is to be done, and return it."""
        self.clock += seconds
        self.chaos.watch(self.clock, self.health.values())
        hit = self.chaos.next(self.clock, self.health.values())
        if hit is not None:
            self.chaos.done(hit)
        return hit

    def until_hit(self) -> Hit:
        for _ in range(1000):
            hit = self.step(0.1)
            if hit is not None:
                return hit
        raise AssertionError("nobody was hit in 100 s")

    def back(self, source: str) -> None:
        state = self.health[source]
        self.change(source, pid=(state.pid or 0) + 100, incarnation=state.incarnation + 1, status="healthy")


def test_nobody_is_hit_in_the_first_seconds() -> None:
    crew = Crew()
    crew.step(0)
    assert crew.step(FIRST_SECONDS - 0.1) is None
    assert crew.step(0.2) is not None


def test_every_source_has_its_turn_and_both_deeds_are_done() -> None:
    crew = Crew()
    hits: list[Hit] = []
    for _ in range(10):
        hits.append(crew.until_hit())
        crew.back(hits[-1].source)
    assert sorted(hit.source for hit in hits[:5]) == sorted(hit.source for hit in hits[5:]) == list(SOURCES)
    assert [hit.deed for hit in hits].count("hang") == crew.chaos.hung == 3
    assert crew.chaos.killed == 7
    assert max(b.at - a.at for a, b in itertools.pairwise(hits)) <= MOST_SECONDS + SETTLED_SECONDS


def test_one_who_is_away_is_left_alone_until_another_worker_is_well() -> None:
    crew = Crew()
    hit = crew.until_hit()
    crew.change(hit.source, pid=None, status="degraded")
    others = [crew.until_hit().source for _ in range(4)]
    assert hit.source not in others
    assert crew.step(60) is None
    crew.back(hit.source)
    assert crew.step(0) is None
    assert crew.step(SETTLED_SECONDS - 0.1) is None
    again = crew.step(0.2)
    assert again is not None
    assert (again.source, again.incarnation) == (hit.source, 2)


def test_how_long_a_worker_was_away_is_told_in_words() -> None:
    crew = Crew()
    kill, hang = crew.until_hit(), crew.until_hit()
    assert (kill.deed, hang.deed) == ("kill", "hang")
    assert [line.partition("worker ")[2] for line in crew.chaos.lines()] == [
        f"{kill.pid} killed (SIGKILL): away",
        f"{hang.pid} made to hang: waiting to be found",
    ]
    crew.clock = max(kill.at, hang.at)
    crew.back(kill.source)
    crew.back(hang.source)
    kill.at, hang.at = crew.clock - 1.5, crew.clock - 3.5
    crew.chaos.watch(crew.clock, crew.health.values())
    assert [line.partition("worker ")[2] for line in crew.chaos.lines()] == [
        f"{kill.pid} killed (SIGKILL): back after 1.5 s",
        f"{hang.pid} made to hang: found, ended and back after 3.5 s",
    ]


def test_a_worker_that_the_board_calls_unwell_is_not_back() -> None:
    crew = Crew()
    hit = crew.until_hit()
    crew.back(hit.source)
    crew.change(hit.source, status="degraded")
    crew.step(0.1)
    assert hit.away is None

"""A session that kills whoever reads it costs itself, and nobody else."""

import os
import statistics
import time
from collections.abc import Callable

import pytest
from faulty import append, settle
from harness import House, wait_for
from proof import Proof

from bellboard.protocol import Subscriber

SIBLINGS = 5
QUICK = "[limits]\nsuspect = 0.5\nhung = 1.5\nstarved = 6\n"
MOST_DEATHS = 3
CATCH_UP_SECONDS = 5.0
PACE_SECONDS = 0.01


class Pace:
    """Lines at a steady pace in one session of a source, and how long each took to become visible (seconds)."""

    def __init__(self, board: Subscriber, house: House, source: str) -> None:
        self._board, self._house, self._source = board, house, source
        self._lines = 0

    def until(self, done: Callable[[], bool], most: float) -> list[float]:
        """Append until something has come about. Fails if it does not come about within `most` seconds."""
        found: list[float] = []
        started = time.monotonic()
        while not done():
            began = time.monotonic()
            assert began - started < most, "waited for too long"
            append(self._house, self._source, "pace")
            self._lines += 1
            while self._seen() < self._lines:
                self._board.receive(0.05)
                assert time.monotonic() - began < 30, "the line did not become visible"
            found.append(time.monotonic() - began)
            while (rest := began + PACE_SECONDS - time.monotonic()) > 0:
                self._board.receive(rest)
        return found

    def during(self, until: float) -> list[float]:
        """Append until a time (monotonic seconds)."""
        return self.until(lambda: time.monotonic() >= until, 60)

    def _seen(self) -> int:
        state = self._board.sessions.get((self._source, "pace"))
        return 0 if state is None else state.message_count


@pytest.mark.timeout(180)
@pytest.mark.parametrize("deed", ["abort", "segfault", "exit", "loop", "regex"])
def test_a_poisonous_session_is_set_aside_and_its_siblings_and_the_other_sources_go_on(
    house: House, proof: Proof, deed: str
) -> None:
    settle(house, "sick", "well", settings=QUICK)
    for number in range(SIBLINGS):
        append(house, "sick", f"sibling-{number}")
    house.start()
    rounds = proof.many(1, 5)
    calm: list[float] = []
    troubled: list[float] = []
    caught_up: list[float] = []
    with Subscriber(str(house.runtime)) as board:
        board.join()
        pace = Pace(board, house, "well")
        window = proof.many(1, 4)
        pace.during(time.monotonic() + window)  # whoever has just come is slower at first

        def held() -> bool:
            return len(board.health["sick"].quarantined) == number

        def caught() -> bool:
            siblings = [board.sessions["sick", f"sibling-{each}"] for each in range(SIBLINGS)]
            return all(each.message_count == 1 + number for each in siblings)

        for number in range(1, rounds + 1):
            calm += pace.during(time.monotonic() + window)
            until = time.monotonic() + window
            append(house, "sick", f"bad-{number}", "line", deed)
            troubled += pace.until(held, 30)
            began = time.monotonic()
            for sibling in range(SIBLINGS):
                append(house, "sick", f"sibling-{sibling}")
            wait_for(lambda: board.receive(0.1) and caught(), CATCH_UP_SECONDS, "the siblings")
            caught_up.append(time.monotonic() - began)
            troubled += pace.during(until)  # as long as the calm before: the two are a pair
        sick = board.health["sick"]
        assert sorted(sick.quarantined) == [f"bad-{number}" for number in range(1, rounds + 1)]
        assert sick.restarts <= MOST_DEATHS * rounds
        wait_for(
            lambda: f"{rounds} session(s) set aside" in (house.health()["sick"]["reason"] or ""), what="the reason"
        )
        ratio = p99(troubled) / p99(calm)
        proof.figure(
            f"{deed}: {sick.restarts} deaths of {rounds} sessions, siblings after {max(caught_up):.2f} s at most, "
            f"other source {len(calm)} and {len(troubled)} lines, p50 {statistics.median(calm) * 1000:.1f} -> "
            f"{statistics.median(troubled) * 1000:.1f} ms, p99 {p99(calm) * 1000:.1f} -> {p99(troubled) * 1000:.1f} ms, "
            f"ratio {ratio:.2f}"
        )
        if proof.full:
            assert ratio <= 1.5

        for number in range(1, rounds + 1):
            (house.homes / "sick" / f"bad-{number}").write_text("line\nline\nline\n")
        wait_for(lambda: board.receive(0.1) and ("sick", "bad-1") in board.sessions, what="the session that was mended")
        wait_for(lambda: house.health()["sick"]["status"] == "healthy", what="health")
        assert house.health()["sick"]["restarts"] == sick.restarts


def p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99) - 1]


def test_a_source_that_wants_more_memory_than_it_may_loses_one_session_and_no_worker(house: House) -> None:
    settle(house, "sick")
    append(house, "sick", "good")
    append(house, "sick", "bad", "memory")
    house.start()
    health = wait_for(lambda: (found := house.health()["sick"])["parse_failures"] and found, what="the failure")
    assert (health["restarts"], health["last_error"].startswith("MemoryError")) == (0, True)
    append(house, "sick", "good")
    wait_for(lambda: house.sessions().get("good", {}).get("message_count") == 2, what="the sibling")


def test_a_worker_that_grows_beyond_its_limit_is_ended_and_health_says_so(house: House) -> None:
    settle(house, "sick", settings='[limits]\nmemory_soft = "64MiB"\nmemory_hard = "64MiB"\n')
    append(house, "sick", "bad", "hoard")
    house.start()
    health = wait_for(lambda: (found := house.health()["sick"])["restarts"] and found, what="the end of the worker")
    assert health["last_error"] == "it used more memory than it may and was ended"
    assert health["quarantined"] == [], "it was not reading any more"


def test_a_session_that_is_set_aside_is_tried_again_by_command(house: House) -> None:
    settle(house, "sick")
    append(house, "sick", "bad", "abort")
    house.start()
    wait_for(lambda: house.health()["sick"]["quarantined"], what="the quarantine")
    refused = house.command("ctl", "release", "sick", "worse")
    assert refused.returncode == 1
    assert "no session of sick that is set aside begins with 'worse' (set aside: bad)" in refused.stderr
    before = house.health()["sick"]["restarts"]
    assert house.command("ctl", "release", "sick", "ba").returncode == 0
    wait_for(lambda: house.health()["sick"]["restarts"] == before + 1, what="one more death")
    wait_for(lambda: house.health()["sick"]["quarantined"], what="the quarantine again")


def test_one_look_at_a_home_with_a_poisonous_session_ends_and_shows_the_others(house: House) -> None:
    settle(house, "sick")
    append(house, "sick", "good")
    append(house, "sick", "bad", "segfault")
    done = house.command("sessions", "--once")
    assert "good" in done.stdout
    assert "1 session(s) set aside" in done.stderr


def test_many_poisonous_sessions_of_one_source_do_not_silence_the_good_ones(house: House) -> None:
    settle(house, "sick")
    append(house, "sick", "good")
    for number in range(7):
        append(house, "sick", f"bad-{number}", "abort")
    house.start()
    wait_for(lambda: "good" in house.sessions(), 30, "the good session")
    wait_for(lambda: len(house.health()["sick"]["quarantined"]) == 7, 30, "the quarantine of all others")
    append(house, "sick", "good")
    wait_for(lambda: house.sessions()["good"]["message_count"] == 2, what="the good session's next line")


def test_a_poisonous_session_whose_name_is_no_text_is_set_aside_like_any_other(house: House) -> None:
    settle(house, "sick")
    append(house, "sick", "good")
    with open(os.path.join(os.fsencode(house.homes / "sick"), b"bad\xff"), "w", encoding="utf-8") as file:
        file.write("abort\n")
    house.start()
    wait_for(lambda: house.health()["sick"]["quarantined"], what="the quarantine")
    append(house, "sick", "good")
    wait_for(lambda: house.sessions().get("good", {}).get("message_count") == 2, what="the sibling")
    assert house.health()["sick"]["restarts"] <= MOST_DEATHS

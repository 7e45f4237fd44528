"""What a watch makes of what the server says of each message."""

import asyncio
from typing import Any, cast

import pytest

pytest.importorskip("nats", reason="needs the extra `fleet`")
from nats.aio.msg import Msg

from bellboard.supervisor.fleet.errors import EngineLost
from bellboard.supervisor.fleet.nats_bucket import NatsBucket, _ended, _following, _numbers
from bellboard.supervisor.fleet.nats_engine import NatsEngine
from bellboard.supervisor.fleet.nats_line import Line
from bellboard.supervisor.fleet.settings import NatsSettings


class GivenUp:
    """A line, of which only matters whether it was given up."""

    def lost(self) -> EngineLost:
        return EngineLost("given up")


LINE = cast("Any", GivenUp())


def message(number: int) -> Msg:
    return cast("Any", Msg)(_client=None, subject="$KV.b.k", reply=f"$JS.ACK.KV_b.c.1.70.{number}.1700000000.3")


def test_a_message_says_its_revision_its_number_and_its_time_to_this_server_and_to_later_ones() -> None:
    later = cast("Any", Msg)(_client=None, subject="k", reply="$JS.ACK.domain.account.KV_b.c.1.70.4.1700000000.3.token")
    assert _numbers(message(4), LINE) == _numbers(later, LINE) == (70, 4, 1700000000)


@pytest.mark.parametrize("reply", ["", "somebody.else", "$JS.ACK.KV_b.c.1.a.b.c.3", "$JS.ACK.KV_b.c.1.70.4"])
def test_a_message_that_no_server_sent_ends_the_watch(reply: str) -> None:
    with pytest.raises(EngineLost, match="given up"):
        _numbers(cast("Any", Msg)(_client=None, subject="k", reply=reply), LINE)


@pytest.mark.parametrize("said", [b"", b"{", b"\xff", b'{"seq":"x"}', b'{"x":' + b"[" * 100_000])
def test_an_answer_that_no_server_gives_loses_the_line(said: bytes) -> None:
    async def ask(*_: object) -> Msg:
        return cast("Any", Msg)(_client=None, data=said)

    async def play() -> None:
        line = Line(NatsSettings(url="nats://host"))
        line.ask = ask  # type: ignore[method-assign, assignment]
        bucket = NatsBucket("b")
        engine = NatsEngine(NatsSettings(url="nats://host"))
        engine._use(line)
        bucket.use(line)
        for doing in (
            bucket.put("k", b"v", 0),
            bucket.get("k"),
            anext(bucket.watch()),
            engine.append(("h", "s", "i", "k"), b"v", "1"),
        ):
            with pytest.raises(EngineLost, match="was lost"):
                await doing

    asyncio.run(play())


def test_a_gap_in_a_watch_ends_it() -> None:
    assert _following(message(4), 3, LINE) == 4
    for last in (2, 4):
        with pytest.raises(EngineLost, match="given up"):
            _following(message(4), last, LINE)


@pytest.mark.parametrize(
    ("status", "words", "wanted"),
    [
        ("100", "Idle Heartbeat", False),
        ("404", "No Messages", True),
        ("408", "Request Timeout", True),
        ("409", "Batch Completed", True),
    ],
)
def test_a_heartbeat_goes_on_and_the_end_of_a_pull_asks_for_the_next(status: str, words: str, wanted: bool) -> None:
    msg = cast("Any", Msg)(_client=None, headers={"Status": status, "Description": words})
    assert _ended(msg, status, LINE) is wanted


@pytest.mark.parametrize(("status", "words"), [("409", "Consumer Deleted"), ("409", "Server Shutdown"), ("503", "")])
def test_any_other_word_ends_the_watch(status: str, words: str) -> None:
    msg = cast("Any", Msg)(_client=None, headers={"Status": status, "Description": words})
    with pytest.raises(EngineLost, match="given up"):
        _ended(msg, status, LINE)

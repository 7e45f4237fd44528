"""What a watch makes of what the server says of each message."""

from typing import Any, cast

import pytest

pytest.importorskip("nats", reason="needs the extra `fleet`")
from nats.aio.msg import Msg

from bellboard.supervisor.fleet.errors import EngineLost
from bellboard.supervisor.fleet.nats_bucket import _ended, _following, _numbers


class GivenUp:
    """A line, of which only matters whether it was given up."""

    def lost(self) -> EngineLost:
        return EngineLost("given up")


LINE = cast("Any", GivenUp())


def message(number: int) -> Msg:
    return cast("Any", Msg)(_client=None, subject="$KV.b.k", reply=f"$JS.ACK.KV_b.c.1.70.{number}.1700000000.3")


def test_a_message_says_its_revision_its_number_and_its_time_to_this_server_and_to_later_ones() -> None:
    later = cast("Any", Msg)(_client=None, subject="k", reply="$JS.ACK.domain.account.KV_b.c.1.70.4.1700000000.3.token")
    assert _numbers(message(4)) == _numbers(later) == (70, 4, 1700000000)


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

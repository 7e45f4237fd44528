"""What is made of what a server answers."""

from typing import Any, cast

import msgspec
import pytest

pytest.importorskip("nats", reason="needs the extra `fleet`")
from nats.aio.msg import Msg

from bellboard.supervisor.fleet.errors import EngineLost, EngineRefused, FleetError, TooLarge
from bellboard.supervisor.fleet.nats_answer import Answer, accepted
from bellboard.supervisor.fleet.nats_line import Line
from bellboard.supervisor.fleet.settings import NatsSettings


def heard(said: dict[str, object] | None = None, **headers: str) -> Answer:
    msg = cast("Any", Msg)(_client=None, data=msgspec.json.encode(said or {}), headers=headers or None)
    return accepted(msg, "bellboard_state", Line(NatsSettings(url="nats://host")))


def no(code: int, err_code: int, description: str) -> dict[str, object]:
    return {"error": {"code": code, "err_code": err_code, "description": description}}


def test_a_yes_says_what_was_done() -> None:
    assert heard({"stream": "KV_bellboard_state", "seq": 7}) == Answer(seq=7)
    assert heard({"success": True, "purged": 1}) == Answer(purged=1)


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        (no(400, 10054, "message size exceeds maximum allowed"), TooLarge, "bellboard_state: message size exceeds"),
        (no(400, 10077, "maximum bytes exceeded"), EngineRefused, "bellboard_state is full: maximum bytes exceeded"),
        (
            no(503, 10008, "system temporarily unavailable"),
            EngineLost,
            "bellboard_state: system temporarily unavailable",
        ),
        (
            no(404, 10059, "stream not found"),
            EngineRefused,
            "the server has no bellboard_state: `bellboard export nats",
        ),
        (no(400, 10003, "bad request"), EngineRefused, "bellboard_state: bad request"),
    ],
)
def test_a_no_says_whether_to_try_again_and_whose_fault_it_is(
    said: dict[str, object], kind: type[FleetError], words: str
) -> None:
    with pytest.raises(FleetError) as raised:
        heard(said)
    assert (type(raised.value), str(raised.value).startswith(words)) == (kind, True)


@pytest.mark.parametrize(
    ("status", "description", "kind", "words"),
    [
        ("503", "No Responders", EngineRefused, "nobody there takes what is said to bellboard_state: either"),
        ("408", "Request Timeout", EngineLost, "bellboard_state: 408 Request Timeout"),
        ("500", "", EngineLost, "bellboard_state: 500"),
    ],
)
def test_a_status_is_no_answer(status: str, description: str, kind: type[FleetError], words: str) -> None:
    with pytest.raises(FleetError) as raised:
        heard(Status=status, Description=description)
    assert (type(raised.value), str(raised.value).startswith(words)) == (kind, True)

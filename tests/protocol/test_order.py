import msgspec
import pytest

from bellboard.protocol.order import Ack, Drain, Fenced, Grant, Nack, Order, Ping

PROOF = "t"


@pytest.mark.parametrize(
    ("message", "tag"),
    [
        (Grant(inc=1, epoch="e", credit=8), "grant"),
        (Ack(seq=1), "ack"),
        (Nack(seq=1, code="stale_cursor"), "nack"),
        (Ping(), "ping"),
        (Drain(deadline=4.0), "drain"),
        (Fenced(), "fenced"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_each_message_down_has_a_name_that_stays(message: msgspec.Struct, tag: str) -> None:
    assert msgspec.to_builtins(message)["type"] == tag


def test_an_order_asks_for_no_more_than_it_must() -> None:
    order = Order(source="mock", inc=1, token=PROOF, endpoint="ipc:///e", parent_pid=7)
    assert msgspec.to_builtins(order) == {
        "source": "mock",
        "inc": 1,
        "token": "t",
        "endpoint": "ipc:///e",
        "parent_pid": 7,
        "factory": None,
        "options": {},
        "since": None,
        "sweep": 2.0,
        "sweep_watched": 60.0,
        "pulse": 0.5,
        "beat": 2.0,
        "watch": True,
        "spool": None,
        "memory": None,
        "privacy": "full",
        "seal": "",
    }


def test_two_orders_do_not_share_their_options() -> None:
    one, other = (Order(source=name, inc=1, token=PROOF, endpoint="e", parent_pid=7) for name in ("a", "b"))
    one.options["folder"] = "/a"
    assert other.options == {}

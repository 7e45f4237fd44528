import os

from bellboard.protocol.order import Order
from bellboard.supervisor.config import Board, Config, Limits, SourceConfig
from bellboard.supervisor.orders import MEMORY_SLACK, order_for
from bellboard.supervisor.units import Seconds, Size

CONFIG = Config(
    state_dir="/s", runtime_dir="/r", sources={"notes": SourceConfig(factory="notes:Notes", options={"home": "/n"})}
)


def test_an_order_carries_what_the_settings_say_of_its_source() -> None:
    order = order_for(CONFIG, "notes", 7)
    assert order == Order(
        source="notes",
        inc=7,
        token=order.token,
        endpoint="ipc:///r/ingest.sock",
        parent_pid=os.getpid(),
        factory="notes:Notes",
        options={"home": "/n"},
        since=86400.0,
        sweep=1.0,
        sweep_watched=60.0,
        spool="/s/spool",
        memory=(512 << 20) + MEMORY_SLACK,
    )


def test_what_has_no_bound_and_what_keeps_nothing_is_none() -> None:
    free = Config(
        state_dir=None,
        runtime_dir="/r",
        board=Board(since=Seconds("inf")),
        limits=Limits(memory_hard=Size(0)),
        sources=CONFIG.sources,
    )
    order = order_for(free, "notes", 1)
    assert (order.since, order.spool, order.memory) == (None, None, None)


def test_a_token_is_long_and_never_the_same() -> None:
    tokens = {order_for(CONFIG, "notes", 1).token for _ in range(100)}
    assert len(tokens) == 100
    assert {len(token) for token in tokens} == {32}

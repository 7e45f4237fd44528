import msgspec
import pytest

from bellboard.protocol.codec import UPWARD, DecodeFault
from bellboard.protocol.update import Beat, Bye, Fault, Hello, SourceUpdate, Update

PROOF = "t"


def test_what_a_source_does_not_say_is_not_on_the_wire() -> None:
    assert msgspec.to_builtins(SourceUpdate(session_id="s")) == {"session_id": "s"}
    assert msgspec.to_builtins(Update(inc=1, seq=2, handle="h", before="", after="c")) == {
        "type": "update",
        "inc": 1,
        "seq": 2,
        "handle": "h",
        "before": "",
        "after": "c",
    }


def test_none_is_knowledge_and_travels() -> None:
    facts = SourceUpdate(session_id="s", current_tool=None, title="")
    assert msgspec.to_builtins(facts) == {"session_id": "s", "current_tool": None, "title": ""}
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(facts), type=SourceUpdate) == facts


@pytest.mark.parametrize(
    ("message", "tag"),
    [
        (Hello(v=1, source="mock", inc=1, token=PROOF, pid=2), "hello"),
        (Update(inc=1, seq=1, handle="h", before="", after="c"), "update"),
        (Beat(progress=1, phase="reading"), "beat"),
        (Fault(scope="source", code="c", detail="d"), "fault"),
        (Bye(reason="drained"), "bye"),
    ],
    ids=lambda it: it if isinstance(it, str) else "",
)
def test_each_message_up_has_a_name_that_stays(message: msgspec.Struct, tag: str) -> None:
    assert msgspec.to_builtins(message)["type"] == tag


@pytest.mark.parametrize("delta", [-1, (1 << 40) + 1])
def test_a_delta_that_no_source_can_mean_is_refused(delta: int) -> None:
    facts = SourceUpdate(session_id="one", message_count_delta=delta)
    update = Update(inc=1, seq=1, handle="one", before="", after="1", facts=facts)
    fault = UPWARD.decode(UPWARD.encode(update))
    assert isinstance(fault, DecodeFault)
    assert "message_count_delta" in fault.detail

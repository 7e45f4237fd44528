import msgspec
import pytest

from bellboard.protocol.ask import Command, SnapshotRequest


def test_a_snapshot_is_of_all_sources_unless_some_are_named() -> None:
    decoder = msgspec.json.Decoder(SnapshotRequest)
    assert decoder.decode(b'{"request":1}') == SnapshotRequest(request=1, sources=None)
    assert decoder.decode(b'{"request":1,"sources":["pi"]}') == SnapshotRequest(request=1, sources=("pi",))


@pytest.mark.parametrize("verb", ["restart", "pause", "resume", "reset", "drain"])
def test_a_command_is_one_of_a_closed_list(verb: str) -> None:
    decoder = msgspec.json.Decoder(Command)
    assert decoder.decode(b'{"request":1,"verb":"%s"}' % verb.encode()).verb == verb
    with pytest.raises(msgspec.ValidationError):
        decoder.decode(b'{"request":1,"verb":"%s now"}' % verb.encode())

import pytest

from bellboard.protocol.errors import AddressError, NoAnswer, NotRunning, ProtocolError


@pytest.mark.parametrize("kind", [AddressError, NoAnswer, NotRunning])
def test_one_except_catches_whatever_goes_wrong_between_processes(kind: type[ProtocolError]) -> None:
    with pytest.raises(ProtocolError, match="said so"):
        raise kind("said so")

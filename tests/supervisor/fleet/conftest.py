"""What the tests of the fleet share."""

from collections.abc import Iterator

import pytest

from bellboard.protocol.testing import MockBoard


@pytest.fixture
def board() -> Iterator[MockBoard]:
    with MockBoard() as made:
        made.health("claude", pid=7)
        made.session("claude", "one", activity="working", title="Secret plans", working_dir="/home/me/code/shop")
        yield made

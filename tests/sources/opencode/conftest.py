"""Makes `opencode_home.py`, which lies beside the tests of this folder, known to them; a home, and a client in it."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from opencode_home import Client, Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "opencode")


@pytest.fixture
def client(desk: Desk) -> Iterator[Client]:
    made = Client(desk.root / "opencode.db")
    yield made
    made.close()

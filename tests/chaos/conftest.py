"""Fixtures of the proofs; each file is one line of docs/reliability.md."""

from collections.abc import Iterator

import pytest
from harness import House, short_folder


@pytest.fixture
def house() -> Iterator[House]:
    with short_folder() as folder:
        made = House(folder)
        try:
            yield made
        finally:
            made.close()

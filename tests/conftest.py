"""Fixtures for every test: a folder short enough for sockets."""

import shutil
import tempfile
from collections.abc import Iterator

import pytest


@pytest.fixture
def folder() -> Iterator[str]:
    """Make a folder whose path fits into the address of a socket, and remove it afterwards."""
    path = tempfile.mkdtemp(dir="/tmp", prefix="bb")
    yield path
    shutil.rmtree(path, ignore_errors=True)

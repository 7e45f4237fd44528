"""Fixtures of the supervisor's tests."""

import os
import sys
from collections.abc import Callable

import pytest

StandIn = Callable[[str], None]


@pytest.fixture
def stand_in(folder: str, monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Let worker processes be a shell script; in it `$LIFE` is the pipe that says that we live, as a path."""

    def act(script: str) -> None:
        path = os.path.join(folder, "worker")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nLIFE=/dev/fd/$4\n{script}\n")
        os.chmod(path, 0o700)
        monkeypatch.setattr(sys, "executable", path)

    return act

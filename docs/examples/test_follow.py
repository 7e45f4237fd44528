"""A test of a program that follows a board, without any agent: `pytest test_follow.py`."""

import subprocess
import sys
from pathlib import Path

from bellboard.protocol.testing import MockBoard


def test_it_says_who_waits():
    program = [sys.executable, str(Path(__file__).with_name("look.py"))]
    with MockBoard() as board:
        board.session("claude", "4f1", activity="working", title="Fix the bell")
        assert subprocess.call(program, env=board.env) == 0
        board.session("claude", "4f1", activity="waiting", waiting_for="permission")
        assert subprocess.call(program, env=board.env) == 10

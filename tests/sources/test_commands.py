"""The commands of a session are known by a mark in their environment, and only those that began later count."""

import os
import subprocess
import sys
import time

from harness import wait_for

from bellboard.sources.commands import Commands


def start(**marks: str) -> subprocess.Popen[bytes]:
    """Start a command that lasts, with a child of its own."""
    line = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(30)'])"
    return subprocess.Popen([sys.executable, "-c", line], env={**os.environ, **marks}, start_new_session=True)


def end(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, 9)
    process.wait()


def test_a_command_that_runs_is_seen_while_it_runs_and_only_by_its_own_session() -> None:
    commands = Commands("BELLBOARD_TEST_MARK")
    assert commands.acting("one", 0.0) is None
    before = time.time() - 0.1
    process = start(BELLBOARD_TEST_MARK="one")
    try:
        began = wait_for(lambda: commands.acting("one", before), what="the command")
        assert before <= began <= time.time()
        assert commands.acting("two", before) is None
        assert commands.acting("one", began + 0.5) is None
    finally:
        end(process)
    assert commands.acting("one", before) is None


def test_children_of_an_earlier_command_are_no_new_command() -> None:
    commands = Commands("BELLBOARD_TEST_MARK")
    process = start(BELLBOARD_TEST_MARK="three")
    try:
        began = wait_for(lambda: commands.acting("three", 0.0), what="the command")
        wait_for(lambda: len(commands.marked("three")) == 2, what="its child")
        assert commands.acting("three", began + 0.01) is None
    finally:
        end(process)

import os
import subprocess
import sys

import pytest

from bellboard.supervisor import tether

CHILD = "import time; from bellboard.supervisor.tether import tie; tie(); print('tied', flush=True); time.sleep(60)"


def test_a_process_whose_pipe_ends_ends() -> None:
    read, write = os.pipe()
    environ = {**os.environ, tether.ENVIRONMENT: str(read)}
    with subprocess.Popen(
        [sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, pass_fds=(read,), env=environ
    ) as process:
        os.close(read)
        assert process.stdout is not None
        assert process.stdout.readline() == "tied\n"
        assert process.poll() is None
        os.close(write)
        assert process.wait(10) == tether.EXIT_ORPHANED


@pytest.mark.parametrize("given", [None, "", "x", "-1"])
def test_a_process_that_nobody_tied_lives_on(given: str | None) -> None:
    environ = {name: value for name, value in os.environ.items() if name != tether.ENVIRONMENT}
    environ |= {} if given is None else {tether.ENVIRONMENT: given}
    with subprocess.Popen([sys.executable, "-c", CHILD], stdout=subprocess.PIPE, text=True, env=environ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "tied\n"
        assert process.poll() is None
        process.kill()

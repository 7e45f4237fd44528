import signal
import subprocess
import sys
from pathlib import Path

import pytest
from harness import wait_for

from bellboard.sources.staged import HANG_SIGNAL

SCRIPT = """
import sys
from bellboard.sources.staged import make
source = make("pi", sys.argv[1])
print(source.name, len(list(source.discover())), flush=True)
sys.stdin.read()
"""


@pytest.mark.timeout(30)
def test_the_staged_source_is_the_installed_one_and_its_process_hangs_when_told_to(tmp_path: Path) -> None:
    words = [sys.executable, "-c", SCRIPT, str(tmp_path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "pi 0\n"
        process.send_signal(HANG_SIGNAL)
        # The end of its input would end it at once if it still read.
        stat = Path(f"/proc/{process.pid}/status")
        if stat.exists():
            wait_for(lambda: "SigPnd:\t0000000000000000" in stat.read_text(), what="the signal's arrival")
        process.stdin.close()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        process.kill()
        assert process.wait() == -signal.SIGKILL

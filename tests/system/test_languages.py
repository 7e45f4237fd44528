"""Subscribers in other languages follow a board through gaps and restarts. Each skips, and says so, where it cannot run."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from harness import wait_for

from bellboard.protocol.addresses import EVENTS, address, default_runtime_dir
from bellboard.protocol.testing import MockBoard

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

RUNTIMES = {
    "follow.cjs": (
        ["node"],
        ["-e", "require('zeromq')"],
        "Node.js with the package zeromq (NODE_PATH names its folder)",
    ),
    "follow.pl": (["perl"], ["-MZMQ::FFI", "-e1"], "Perl with ZMQ::FFI"),
}


@pytest.fixture(params=RUNTIMES)
def program(request: pytest.FixtureRequest) -> list[str]:
    words, probe, needed = RUNTIMES[request.param]
    if shutil.which(words[0]) is None or subprocess.run([*words, *probe], capture_output=True, check=False).returncode:
        pytest.skip(f"needs {needed}")
    return [*words, str(EXAMPLES / request.param)]


@pytest.fixture
def board() -> Iterator[MockBoard]:
    with MockBoard() as mock:
        yield mock


@pytest.fixture
def lines(program: list[str], board: MockBoard) -> Iterator[Callable[[], list[str]]]:
    """Run the subscriber on a board with sixty sessions; yields what reads its lines."""
    for number in range(60):
        board.session("claude", f"{number}", activity="idle")
    out = Path(board.runtime_dir, "out.txt")
    with out.open("w") as file:
        process = subprocess.Popen(program, stdout=file, stderr=subprocess.STDOUT, env=board.env)
    try:
        yield lambda: out.read_text().splitlines()
    finally:
        process.kill()
        process.wait()


def test_it_joins_follows_notices_a_gap_and_outlives_a_restart(
    board: MockBoard, lines: Callable[[], list[str]]
) -> None:
    def told(count: int) -> None:
        wait_for(lambda: len(lines()) >= count, 20, f"{count} lines")

    told(1)
    board.session("codex", "ä", activity="waiting", waiting_for="permission")
    board.session("codex", "ä", activity="terminal")
    board.health("codex", status="degraded")
    board.remove("codex", "ä")
    told(5)
    with board.losing():
        board.session("claude", "lost", activity="working")
    told(6)
    board.session("claude", "lost", activity="idle")
    told(7)
    board.restart()
    told(8)
    board.session("pi", "new", activity="working")
    told(9)
    assert lines() == [
        "snapshot 60",
        "discovered codex ä waiting",
        "terminal codex ä terminal",
        "health codex degraded",
        "removed codex ä terminal",
        "snapshot 61",
        "updated claude lost idle",
        "snapshot 61",
        "discovered pi new working",
    ]


def test_bare_pyzmq_reads_the_events(board: MockBoard) -> None:
    done = subprocess.Popen(
        [sys.executable, str(EXAMPLES / "subscribe_pyzmq.py"), "removed"],
        stdout=subprocess.PIPE,
        text=True,
        env=board.env,
    )
    assert done.stdout is not None
    beat = done.stdout.readline()  # beside a board on which nothing happens, too
    board.session("pi", "a", activity="working", message_count=2)
    board.remove("pi", "a")
    printed, _ = done.communicate(timeout=20)
    events = [line for line in printed.splitlines() if not line.startswith("heartbeat ")]
    assert re.fullmatch(r"heartbeat \d+\n", beat)
    assert events == ["discovered pi a working 2", "removed pi a working 2"]
    assert os.path.isdir(board.runtime_dir)


STUBS = {
    "zmq.py": """
SUB = 0
class Context:
    def instance(): return Context()
    def socket(self, kind): return self
    def connect(self, address): print(address); raise SystemExit
""",
    "ZMQ/FFI.pm": """
package ZMQ::FFI;
use Exporter 'import'; our @EXPORT_OK = qw(ZMQ_SUB ZMQ_DEALER ZMQ_DONTWAIT);
sub ZMQ_SUB { 0 } sub ZMQ_DEALER { 0 } sub ZMQ_DONTWAIT { 0 }
sub new { bless {} } sub socket { $_[0] }
sub connect { print "$_[1]\\n"; exit 0 }
1;
""",
    "zeromq.js": """
class Socket { connect(address) { console.log(address); process.exit(0); } }
module.exports = { Subscriber: Socket, Dealer: Socket };
""",
}
"""ZeroMQ that says where it would connect."""


@pytest.mark.parametrize(
    ("word", "example"), [(sys.executable, "subscribe_pyzmq.py"), ("perl", "follow.pl"), ("node", "follow.cjs")]
)
@pytest.mark.parametrize("named", [{}, {"XDG_RUNTIME_DIR": "/run/x"}, {"BELLBOARD_RUNTIME_DIR": "/b"}], ids=str)
def test_each_looks_for_the_board_where_bellboard_itself_does(
    word: str, example: str, named: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if shutil.which(word) is None:
        pytest.skip(f"needs {word}")
    for name, text in STUBS.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    for name in ("BELLBOARD_RUNTIME_DIR", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in named.items():
        monkeypatch.setenv(name, folder)
    for name in ("PYTHONPATH", "PERL5LIB", "NODE_PATH"):
        monkeypatch.setenv(name, str(tmp_path))
    done = subprocess.run([word, EXAMPLES / example], capture_output=True, text=True, timeout=20, check=False)
    assert (done.stdout, done.stderr) == (f"{address(default_runtime_dir(), EVENTS)}\n", "")

"""The examples of docs/web.md, run as they stand there."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from harness import House, wait_for

pytest.importorskip("starlette", reason="needs the extra `web`")

from web import Web

from bellboard.protocol import SessionState
from bellboard.protocol.testing import MockBoard

TEXT = (Path(__file__).parents[2] / "docs" / "web.md").read_text(encoding="utf-8")
(SETTING,) = re.findall(r"^export URL=.+$", TEXT, re.MULTILINE)
CURLS = re.findall(r"^curl .+$", TEXT, re.MULTILINE)


@pytest.fixture
def environment(house: House) -> Iterator[dict[str, str]]:
    with MockBoard(str(house.runtime)) as board:
        board.put(SessionState(id="one", source="pi"))
        web = Web(house)
        wait_for(lambda: web.ask("/readyz").status == 200, 15, "the gateway's board")
        state = house.homes / ".local" / "state" / "bellboard"
        state.mkdir(parents=True)
        (state / "web-token").write_text(f"{web.token}\n")
        yield {"HOME": str(house.homes), "PATH": "/usr/bin:/bin", "port": str(web.port)}
        web.close()


def run(example: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[bytes]":
    """Paste the first line of the docs, which says where and with which token, and then the example."""
    assert "localhost:2355" in SETTING
    words = ["/bin/sh", "-c", f"{SETTING.replace('2355', environment['port'])}\n{example}"]
    return subprocess.run(words, env=environment, capture_output=True, timeout=30, check=False)


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_each_curl_of_the_docs_gets_an_answer(environment: dict[str, str]) -> None:
    assert len(CURLS) == 7
    for example in CURLS:
        done = run(example, environment)
        assert (done.returncode, done.stdout != b"") == (0, True), (example, done.stderr)
        assert b'"error"' not in done.stdout


def test_the_python_of_the_docs_reads_the_stream(environment: dict[str, str]) -> None:
    code = TEXT.partition("```python\n")[2].partition("```")[0]
    done = run(f'exec "{sys.executable}" -c "$CODE"', {**environment, "CODE": code})
    assert (done.returncode, b"sessions" in done.stdout) == (0, True), done.stderr

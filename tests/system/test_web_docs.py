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
CURLS = re.findall(r"^curl .+$", TEXT, re.MULTILINE)


@pytest.fixture
def environment(house: House) -> Iterator[dict[str, str]]:
    with MockBoard(str(house.runtime)) as board:
        board.put(SessionState(id="one", source="pi"))
        web = Web(house)
        wait_for(lambda: web.ask("/readyz").status == 200, 15, "the gateway's board")
        yield {
            "URL": f"http://localhost:{web.port}",
            "PORT": str(web.port),
            "TOKEN": web.token,
            "PATH": "/usr/bin:/bin",
        }
        web.close()


@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
def test_each_curl_of_the_docs_gets_an_answer(environment: dict[str, str]) -> None:
    assert len(CURLS) == 7
    for example in CURLS:
        done = subprocess.run(["/bin/sh", "-c", example], env=environment, capture_output=True, timeout=30, check=False)
        assert (done.returncode, done.stdout != b"") == (0, True), (example, done.stderr)
        assert b'"error"' not in done.stdout


def test_the_python_of_the_docs_reads_the_stream(environment: dict[str, str]) -> None:
    code = TEXT.partition("```python\n")[2].partition("```")[0]
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, timeout=30, check=False)
    assert (done.returncode, b"sessions" in done.stdout) == (0, True), done.stderr

"""Without locks the process that was seen with a thread's file is watched: its end is the thread's end."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from codex_home import DAY, THREAD
from harness import wait_for

from bellboard.protocol import Evidence
from bellboard.sources.codex import CodexSource
from bellboard.sources.codex.openers import Openers
from bellboard.sources.process import SystemProcesses

BEGUN = (
    '{"timestamp":"2026-11-22T12:00:00.000Z","type":"session_meta","payload":{"id":"%s","cwd":"/w",'
    '"timestamp":"2026-11-22T12:00:00.000Z","cli_version":"0.142.5","source":"cli"}}\n'
    '{"timestamp":"2026-11-22T12:00:00.000Z","type":"event_msg","payload":{"type":"task_started","turn_id":"t"}}\n'
)
OVER = '{"timestamp":"2026-11-22T12:00:09.000Z","type":"event_msg","payload":{"type":"task_complete","turn_id":"t"}}\n'
HOLD = "import sys, time; file = open(sys.argv[1], 'a'); print('open', flush=True); time.sleep(60)"


@pytest.fixture
def rollout(tmp_path: Path) -> Path:
    path = tmp_path / DAY / f"rollout-2026-11-22T12-00-00-{THREAD}.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(BEGUN % THREAD)
    return path


@pytest.fixture
def client(tmp_path: Path, rollout: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is called like the client and has the file open, as a client without locks has."""
    program = tmp_path / "codex"
    program.symlink_to(sys.executable)
    process = subprocess.Popen([str(program), "-c", HOLD, str(rollout)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_client_without_locks_that_is_killed_in_a_turn_is_gone(
    tmp_path: Path, rollout: Path, client: subprocess.Popen[str]
) -> None:
    assert Openers(SystemProcesses()).of(str(rollout)) is not None
    source = CodexSource(home=str(tmp_path))
    (handle,) = source.discover()
    said, cursor = source.parse(handle, "")
    assert said is not None
    assert (said.activity, said.terminal) == ("working", False)
    assert list(source.pulse()) == []

    # Another worker goes on from the cursor, and then the client is killed.
    source = CodexSource(home=str(tmp_path))
    (handle,) = source.discover()
    assert source.parse(handle, cursor) == (None, cursor)
    client.kill()
    client.wait()
    (gone,) = wait_for(lambda: list(source.pulse()), what="the end of the process")
    said, cursor = source.parse(gone, cursor)
    assert said is not None
    assert (said.activity, said.end_reason) == ("terminal", "process gone")
    assert list(source.pulse()) == []
    assert source.parse(handle, cursor) == (None, cursor)


def test_a_client_without_locks_that_ends_at_its_prompt_is_gone_and_no_more_is_said(
    tmp_path: Path, rollout: Path, client: subprocess.Popen[str]
) -> None:
    with rollout.open("a") as file:
        file.write(OVER)
    source = CodexSource(home=str(tmp_path))
    (handle,) = source.discover()
    _, cursor = source.parse(handle, "")
    client.kill()
    client.wait()
    (gone,) = wait_for(lambda: list(source.pulse()), what="the end of the process")
    said, cursor = source.parse(gone, cursor)
    assert said is not None
    assert (said.activity, said.end_reason) == ("terminal", "process gone")
    assert said.evidence == Evidence(kind="process", detail="the process that had the thread open is gone")


@pytest.mark.usefixtures("rollout")
def test_a_process_that_was_never_seen_proves_nothing(tmp_path: Path) -> None:
    source = CodexSource(home=str(tmp_path))
    (handle,) = source.discover()
    said, _ = source.parse(handle, "")
    assert said is not None
    assert said.activity == "working"
    assert list(source.pulse()) == []

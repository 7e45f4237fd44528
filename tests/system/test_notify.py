"""`bellboard notify` on a real board: what workers find out becomes a notice, once, whatever happens to the supervisor."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from harness import COMMAND, House, wait_for

WAITS = {"activity": "waiting", "waiting_for": "permission", "current_tool": "Bash", "working_dir": "/srv/webshop"}


def write(home: Path, session: str, **fields: Any) -> None:
    since = {"kind": "record", "since": "2026-11-28T03:04:05Z"}
    with (home / f"{session}.jsonl").open("a") as file:
        file.write(json.dumps({"session_id": session, "evidence": since, **fields}) + "\n")


@pytest.mark.parametrize("keeps", [(), ("--ephemeral",)], ids=["with a database", "with nothing on disk"])
def test_what_stands_told_survives_a_killed_supervisor_and_is_taken_back_by_the_next(
    house: House, keeps: tuple[str, ...]
) -> None:
    home = house.homes / "mock"
    home.mkdir()
    house.config.write_text("[notify]\nsettle = 0.2\ngrace = 0.5\ncooldown = 0.5\n[work]\nsweep = 0.1\n")
    supervisor = house.start("--source", f"mock={home}", *keeps)
    out, err = house.root / "told.txt", house.root / "said.txt"
    with out.open("w") as file, err.open("w") as complaints:
        notify = subprocess.Popen(
            [*COMMAND, "notify", "--dry-run"], stdout=file, stderr=complaints, env={**os.environ, **house.env}
        )

    def told(count: int, what: str) -> list[str]:
        wait_for(lambda: len(out.read_text().splitlines()) >= count, 20, what)
        return [line.partition(" ")[2].partition(", ")[0] for line in out.read_text().splitlines()]

    try:
        write(home, "one", activity="working")
        write(home, "one", **WAITS)
        told(1, "the first wait")
        supervisor.send_signal(signal.SIGKILL)
        supervisor.wait(10)
        wait_for(lambda: "the supervisor is not heard any more: waiting for it\n" in err.read_text(), 20, "the silence")
        house.start("--source", f"mock={home}", *keeps)
        write(home, "two", **WAITS)
        told(2, "the second wait, after the restart")
        assert err.read_text().endswith("the supervisor is heard again\n")
        write(home, "one", activity="working")
        write(home, "two", activity="terminal")
        assert sorted(told(4, "the end of both")) == [
            "over        session/mock/one",
            "over        session/mock/two",
            "ring        mock needs permission in webshop - Bash",
            "ring        mock needs permission in webshop - Bash",
        ]
    finally:
        notify.kill()
        notify.wait()

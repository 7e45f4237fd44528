"""No crash changes a number: load goes on while workers and supervisors are killed, and the sums equal a clean read."""

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from harness import House, wait_for

CHAOS = Path(__file__).parents[1] / "support" / "chaos"
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "subscribe_pyzmq.py"
SESSIONS = 6
WORKER_KILLS = 20
SUPERVISOR_KILLS = 3


def claude_rows(session: str, number: int) -> str:
    """Return the rows of one step: a prompt, a tool call told in two rows of one message, its result."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    base = {"sessionId": session, "cwd": "/home/you/app", "version": "2.0.40", "timestamp": now}
    use: dict[str, Any] = {"type": "tool_use", "id": f"toolu_{number}", "name": "Bash", "input": {}}
    usage = {"input_tokens": 1, "output_tokens": 10}
    message = {"id": f"msg_{number}", "role": "assistant", "model": "claude-opus-5-5", "usage": usage}
    result = [{"type": "tool_result", "tool_use_id": f"toolu_{number}", "content": "ok"}]
    rows: list[dict[str, Any]] = [
        {**base, "type": "user", "message": {"role": "user", "content": f"prompt {number}"}},
        {**base, "type": "assistant", "message": {**message, "content": [{"type": "text", "text": "x" * 200}]}},
        {**base, "type": "assistant", "message": {**message, "content": [use]}},
        {**base, "type": "user", "message": {"role": "user", "content": result}},
    ]
    return "".join(json.dumps({**row, "uuid": f"{number}-{place}"}) + "\n" for place, row in enumerate(rows))


class Load:
    """Appends steps to sessions, now and then in two torn pieces, until it is stopped."""

    def __init__(self, home: Path) -> None:
        folder = home / "projects" / "-home-you-app"
        folder.mkdir(parents=True)
        self.ids = [f"00000000-0000-4000-8000-{number:012d}" for number in range(SESSIONS)]
        self.steps = dict.fromkeys(self.ids, 0)
        self._paths = {name: folder / f"{name}.jsonl" for name in self.ids}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        chance = random.Random(7)
        for number in itertools.count():
            if self._over.is_set():
                return
            name = self.ids[number % SESSIONS]
            data = claude_rows(name, number).encode()
            cut = chance.randrange(len(data)) if chance.random() < 0.3 else len(data)
            for part in filter(None, (data[:cut], data[cut:])):
                with self._paths[name].open("ab") as file:
                    file.write(part)
                time.sleep(0.002)  # the load's own pace
            self.steps[name] += 1


def kill_and_restart(house: House, env: dict[str, str]) -> None:
    """Kill the worker twenty times and the supervisor three times while the load runs."""
    supervisor = house.start("--source", f"claude={house.homes}", env=env)
    for round_number in range(SUPERVISOR_KILLS + 1):
        for _ in range(WORKER_KILLS // (SUPERVISOR_KILLS + 1)):
            (worker,) = wait_for(house.workers, what="a worker")
            time.sleep(random.uniform(0.05, 0.4))  # not waiting for anything: the moment of the kill is to be arbitrary
            worker.send_signal(signal.SIGKILL)
            wait_for(
                lambda gone=worker.pid: [each for each in house.workers() if each.pid != gone], what="the next worker"
            )
        if round_number < SUPERVISOR_KILLS:
            supervisor.kill()
            supervisor.wait()
            wait_for(lambda: not house.workers(), 2.0, "the end of the orphans")
            supervisor = house.start("--source", f"claude={house.homes}", env=env)


def counts(house: House) -> dict[str, tuple[int, int]]:
    return {name: (each["message_count"], each["tool_call_count"]) for name, each in house.sessions().items()}


@pytest.mark.timeout(180)
@pytest.mark.parametrize("loose", [False, True], ids=["exact", "negative control: a loosened ledger over-counts"])
def test_counts_equal_a_clean_read_after_twenty_worker_and_three_supervisor_kills(house: House, loose: bool) -> None:
    env = {"PYTHONPATH": os.pathsep.join([str(CHAOS), house.env["PYTHONPATH"]]), "BELLBOARD_TEST_WIRE": "1"}
    if loose:
        env["BELLBOARD_TEST_LOOSE"] = "1"
    load = Load(house.homes)
    try:
        kill_and_restart(house, env)
    finally:
        load.stop()
    truth = {name: (2 * steps, steps) for name, steps in load.steps.items()}
    assert sum(load.steps.values()) > 200
    if not loose:
        wait_for(lambda: counts(house) == truth, 40, "the exact counts")
        return
    wait_for(lambda: all(counts(house)[name] >= truth[name] for name in truth), 40, "the end of reading")
    assert sum(messages for messages, _ in counts(house).values()) > sum(messages for messages, _ in truth.values())


def test_the_bare_pyzmq_example_sees_each_append(house: House) -> None:
    folder = house.homes / "projects" / "-home-you-app"
    folder.mkdir(parents=True)
    path = folder / "00000000-0000-4000-8000-000000000001.jsonl"
    path.write_text(claude_rows(path.stem, 0))
    house.start("--source", f"claude={house.homes}")
    wait_for(lambda: path.stem in house.sessions(), what="the session")
    out = house.root / "seen.txt"
    with out.open("w") as file:
        example = subprocess.Popen(
            [sys.executable, str(EXAMPLE)], stdout=file, stderr=subprocess.STDOUT, env={**os.environ, **house.env}
        )
    try:
        number = itertools.count(1)

        def appended() -> bool:
            with path.open("a") as file:
                file.write(claude_rows(path.stem, next(number)))
            return "updated claude" in out.read_text()

        wait_for(appended, what="the first event")  # the example may still have been joining
        for _ in range(10):
            step = next(number)
            with path.open("a") as file:
                file.write(claude_rows(path.stem, step))
            expected = f"{path.stem} working {2 * (step + 1)}\n"
            wait_for(lambda text=expected: text in out.read_text(), 1.0, f"an event with {expected!r} within a second")
    finally:
        example.terminate()
        example.wait()

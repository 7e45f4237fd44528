"""Sessions of Claude that grow step by step while somebody breaks things, with the counts that are true of them."""

import itertools
import json
import random
import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

SESSIONS = 6


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

    @property
    def truth(self) -> dict[str, tuple[int, int]]:
        """Messages and tool calls by session, as the files have them."""
        return {name: (2 * steps, steps) for name, steps in self.steps.items()}

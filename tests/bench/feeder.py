"""Feeder: a worker that has nothing to read. `python -m tests.bench.feeder ENDPOINT UPDATES SESSIONS CREDIT RATE`.

It speaks as the worker `feed:1`, as fast as its credit allows, or RATE updates in a second; RATE 0 is no limit.
"""

import sys
import time
from datetime import UTC, datetime

from bellboard.protocol.channel import Asking, Poll
from bellboard.protocol.codec import DOWNWARD, UPWARD, DecodeFault
from bellboard.protocol.cursor import digest
from bellboard.protocol.order import Ack, Grant
from bellboard.protocol.session import Evidence
from bellboard.protocol.update import PROTOCOL_VERSION, Hello, SourceUpdate, Update

TOKEN = "t"
PAGE = 32


def updates(count: int, sessions: int) -> list[bytes]:
    """Return encoded updates, such as a source makes them, that walk round the sessions."""
    made: list[bytes] = []
    before = [""] * sessions
    moment = datetime.now(UTC)
    for number in range(count):
        which = number % sessions
        after = f"{number:x}.100.200|{'s' * 600}"
        name = f"{which:08d}-0000-4000-8000-000000000000"
        facts = SourceUpdate(
            session_id=name, title="Add an export button to the report page", activity="working",
            evidence=Evidence(kind="tool", detail="Bash has no result yet", since=moment), model="claude-opus-5-5",
            working_dir="/home/you/reports", branch="main", context_tokens=48_000 + number, output_tokens=number,
            max_context_tokens=1_000_000, max_context_from="table", message_count_delta=1, current_tool="Bash",
            current_tool_started_at=moment, input_tokens=number, cache_read_tokens=number, started_at=moment,
            last_activity_at=moment, client_version="2.1.330",
        )  # fmt: skip
        update = Update(inc=1, seq=number + 1, handle=name, before=before[which], after=after, facts=facts, live=True)
        before[which] = digest(after)
        made.append(UPWARD.encode(update))
    return made


def main() -> None:
    """Introduce ourselves, wait for a line on stdin, say everything, end when all of it is acknowledged."""
    endpoint, count, sessions, credit, rate = sys.argv[1], *(int(word) for word in sys.argv[2:6])
    ready = updates(count, sessions)
    with Asking(endpoint, name=b"feed:1") as asking:
        poll = Poll()
        poll.add(asking)
        hello = UPWARD.encode(Hello(v=PROTOCOL_VERSION, source="feed", inc=1, token=TOKEN, pid=1))
        while not asking.send([hello]):
            poll.wait(0.05)
        granted, acked, sent = False, 0, 0
        began = 0.0
        while acked < count:
            poll.wait(0.001 if rate else 1.0)
            while (frames := asking.receive()) is not None:
                for frame in frames:
                    message = DOWNWARD.decode(frame)
                    assert not isinstance(message, DecodeFault)
                    acked += 1 + len(message.also) if isinstance(message, Ack) else 0
                    granted = granted or isinstance(message, Grant)
            if granted and not began:
                sys.stdout.write("ready\n")
                sys.stdout.flush()
                sys.stdin.readline()
                began = time.monotonic()
            allowed = count if not rate else int((time.monotonic() - began) * rate)
            while granted and sent < min(count, acked + credit, allowed):
                page = ready[sent : min(count, acked + credit, allowed, sent + PAGE)]
                if not asking.send(page):
                    break
                sent += len(page)


if __name__ == "__main__":
    main()

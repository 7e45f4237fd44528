"""Gateway: many readers at many events, some of which do not read; and the page with a thousand sessions.

The board is a real intake, store and voice that a feeder fills (`throughput.py`); the gateway is `bellboard serve` as it is
installed; the readers are one process that reads all streams and notes when each event came.
"""

import contextlib
import importlib.util
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import msgspec
import psutil
from msgspec import Struct

from bellboard.protocol.addresses import EVENTS, SNAPSHOT, address
from bellboard.protocol.channel import Poll
from bellboard.protocol.event import Heartbeat, Snapshot, Updated
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.clock import Moment
from bellboard.supervisor.crew.restart import Policy
from bellboard.supervisor.crew.roster import Roster
from bellboard.supervisor.intake import Intake
from bellboard.supervisor.pictures import Pictures
from bellboard.supervisor.store import Store
from bellboard.supervisor.voice import Voice

from .board import folder, memory
from .feeder import TOKEN
from .figures import Figure, Skipped, clean, percentile, python
from .trees import Trees

READERS, STALLED, RATE, SECONDS = 200, 20, 500, 20
SESSIONS = 200
CREDIT = 64


class _Stream:
    """One reader: a socket and what of the next event has come."""

    def __init__(self, port: int, token: str, *, small: bool = False) -> None:
        self.line = socket.socket()
        if small:
            self.line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.line.connect(("127.0.0.1", port))
        head = f"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {token}\r\n\r\n"
        self.line.sendall(head.encode())
        self.line.setblocking(False)
        self.rest = b""
        self.heard = 0

    def read(self, *, closely: bool) -> list[bytes]:
        """Count the events that have come; returns them, whole, if they are to be looked at."""
        try:
            data = self.line.recv(1 << 18)
        except BlockingIOError:
            return []
        if not data:
            raise ConnectionError
        if not closely:
            self.heard += data.count(b"\nevent: updated")  # one that is cut in two here is not counted
            return []
        *whole, self.rest = (self.rest + data).split(b"\n\n")
        found = [each for each in whole if b"event: updated" in each]
        self.heard += len(found)
        return found


class _Found(Struct):
    """What one run found. Lags and seconds are in seconds, memory in MB."""

    lags: list[float]
    heard: list[int]
    cut: int
    cpu: float
    peak: float
    seconds: float
    taken: float
    board_cpu: float


def gateway(_trees: Trees) -> Iterator[Figure]:
    """How late events come at 180 readers while 20 do not read, and what that costs."""
    if importlib.util.find_spec("starlette") is None:
        raise Skipped("needs the extra `web`")
    for readers, stalled in ((1, 0), (READERS - STALLED, STALLED)):
        yield from _measured(readers, stalled)


def _measured(readers: int, stalled: int) -> Iterator[Figure]:
    name = f"{readers + stalled} stream{'s' if readers > 1 else ''} ({stalled} stalled), {RATE} events/s"
    with folder() as place:
        told = subprocess.Popen(python("-m", "tests.bench.gateway", str(place)), env=clean())
        try:
            with _served(place) as (process, port, token):
                found = _listen(place, process, port, token, readers, stalled)
        finally:
            told.terminate()
            told.wait()
    yield Figure(
        what=f"{name}: event -> reader, p50", value=percentile(found.lags, 0.5) * 1000, unit="ms",
        detail=f"p99 {percentile(found.lags, 0.99) * 1000:.0f} ms of {len(found.lags):,} looked at",
    )  # fmt: skip
    yield Figure(
        what=f"{name}: CPU of the gateway", value=100 * found.cpu / found.seconds, unit="% of a core",
        detail=f"{sum(found.heard) / found.seconds:,.0f} deliveries/s; {min(found.heard):,} to {max(found.heard):,} each",
    )  # fmt: skip
    yield Figure(what=f"{name}: peak memory of the gateway", value=found.peak, unit="MB")
    yield Figure(
        what=f"{name}: the board took in meanwhile", value=found.taken / found.seconds, unit="updates/s",
        detail=f"with {1e6 * found.board_cpu / max(1, found.taken):.0f} us of CPU for each",
    )  # fmt: skip
    if stalled:
        yield Figure(what=f"{name}: stalled ones that were cut off", value=found.cut, unit=f"of {stalled}")


@contextlib.contextmanager
def _served(place: Path) -> Generator[tuple[psutil.Process, int, str]]:
    environment = {"BELLBOARD_RUNTIME_DIR": str(place), "BELLBOARD_STATE_DIR": str(place / "state"), "HOME": str(place)}
    words = [sys.executable, "-m", "bellboard.supervisor", "serve", "--port", "0"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=clean(environment))
    try:
        assert process.stderr is not None
        port = int(process.stderr.readline().partition("localhost:")[2].partition("/")[0])
        yield psutil.Process(process.pid), port, (place / "state" / "web-token").read_text().strip()
    finally:
        process.terminate()
        process.wait()
        if process.stderr is not None:
            process.stderr.close()


def _listen(place: Path, process: psutil.Process, port: int, token: str, readers: int, stalled: int) -> _Found:
    stuck = [_Stream(port, token, small=True) for _ in range(stalled)]
    good = [_Stream(port, token) for _ in range(readers)]
    lags, began = _read(good, 60.0, lambda: all(stream.heard for stream in good)), _now(place, process)
    for stream in good:
        stream.heard = 0
    lags = _read(good, SECONDS, lambda: False)
    ended = _now(place, process)
    cut = sum(_was_cut(stream) for stream in stuck)
    peak = memory(process.pid)["VmHWM"]
    for stream in (*good, *stuck):
        stream.line.close()
    used, taken, board_cpu, seconds = (after - before for before, after in zip(began, ended, strict=True))
    heard = [stream.heard for stream in good]
    return _Found(
        lags=lags, heard=heard, cut=cut, cpu=used, peak=peak, seconds=seconds, taken=taken, board_cpu=board_cpu
    )


def _read(streams: list[_Stream], seconds: float, done: Callable[[], bool]) -> list[float]:
    """Read all streams; returns how late events came."""
    decoder = msgspec.json.Decoder(Updated)
    lags: list[float] = []
    until = time.monotonic() + seconds
    with selectors.DefaultSelector() as waiting:
        for stream in streams:
            waiting.register(stream.line, selectors.EVENT_READ, stream)
        while time.monotonic() < until and not done():
            for key, _ in waiting.select(0.1):
                now = datetime.now(UTC).timestamp()
                # Decoding all of them would be the load: two streams are looked at, the first and the last that was opened.
                events = key.data.read(closely=key.data in {streams[0], streams[-1]})
                heard = (decoder.decode(event.partition(b"data: ")[2]) for event in events)
                lags.extend(now - each.at.timestamp() for each in heard)
    return lags


def _now(place: Path, process: psutil.Process) -> tuple[float, float, float, float]:
    """CPU of the gateway; updates and CPU of the board, and when that was."""
    seq, cpu, at = (place / "told").read_text().split()
    used = process.cpu_times()
    return used.user + used.system, float(seq), float(cpu), float(at)


def _was_cut(stream: _Stream) -> bool:
    stream.line.settimeout(1.0)
    try:
        while stream.line.recv(1 << 18):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def main() -> None:
    """Be the board: take in so many updates a second, and say each moment how many it were and what they cost."""
    place = Path(sys.argv[1])
    at = partial(address, str(place))
    book, roster, aggregator, voice = (
        HealthBook(Thresholds()),
        Roster(Policy()),
        Aggregator("e", Rules()),
        Voice(at(EVENTS)),
    )
    book.open("feed")
    roster.add("feed")
    intake = Intake(at("ingest.sock"), aggregator, Store(str(place)), book, roster, voice, CREDIT)
    intake.expect("feed", 1, TOKEN)
    pictures = Pictures(at(SNAPSHOT), lambda: aggregator.seq, lambda: _taken(aggregator), lambda _: b"{}")
    poll = Poll()
    for channel in (intake.channel, pictures.channel, voice.channel):
        poll.add(channel)
    words = [str(each) for each in (RATE * 300, SESSIONS, CREDIT, RATE)]
    with subprocess.Popen(
        python("-m", "tests.bench.feeder", at("ingest.sock"), *words), stdin=subprocess.PIPE, text=True, env=clean()
    ) as feeder:
        assert feeder.stdin is not None
        feeder.stdin.write("\n")
        feeder.stdin.flush()

        def end(_signal: int, _frame: object) -> None:
            feeder.kill()

        signal.signal(signal.SIGTERM, end)
        told, parent = 0.0, os.getppid()
        while feeder.poll() is None and os.getppid() == parent:
            poll.wait(0.05)
            now = Moment(datetime.now(UTC), time.monotonic())
            intake.drain(now)
            pictures.serve(now.clock)
            voice.listen()
            if voice.heartbeat_due(now.clock):
                beat = Heartbeat(epoch="e", seq=aggregator.seq, source_seqs=dict(aggregator.source_seqs), at=now.wall)
                voice.heartbeat(beat, now.clock)
            if now.clock - told > 0.1:
                told = now.clock
                (place / "telling").write_text(f"{aggregator.seq} {time.process_time()} {now.clock}")
                (place / "telling").replace(place / "told")
        feeder.kill()


def _taken(board: Aggregator) -> Snapshot:
    return Snapshot(
        epoch=board.epoch, seq=board.seq, source_seqs=dict(board.source_seqs), sessions=tuple(board.sessions()), health=()
    )  # fmt: skip


if __name__ == "__main__":
    os.umask(0o077)
    main()

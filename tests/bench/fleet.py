"""Fleet: how late a viewer of all machines is, what carrying costs, and what the machine's own board notices of it."""

import contextlib
import shutil
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from importlib.util import find_spec
from pathlib import Path

import psutil

from bellboard.protocol import SessionState, Subscriber
from bellboard.protocol.testing import MockBoard

from .board import COMMAND, Board, folder, memory
from .figures import Figure, Skipped, clean, middle, percentile
from .latency import measured
from .trees import Trees

sys.path.insert(0, str(Path(__file__).parent.parent / "support"))

PAIRS = 3
HOSTS, SESSIONS = 50, 40
RATES = (500, 1500)
SECONDS = 20.0
EXPORTERS = Path(__file__).parent.parent / "support" / "chaos" / "exporters.py"


def fleet(_trees: Trees) -> Iterator[Figure]:
    """One real machine to a viewer, in pairs with and without the fleet; then fifty machines on one server."""
    if find_spec("nats") is None:
        raise Skipped("needs the extra `fleet`")
    if shutil.which("nats-server", path="/usr/sbin:/usr/bin:/usr/local/bin") is None:
        raise Skipped("needs nats-server")
    yield from _one()
    for rate in RATES:
        yield from _many(rate)


def _one() -> Iterator[Figure]:
    from nats_server import nats_server

    with folder() as place, nats_server(place / "nats") as server:
        plain: list[list[float]] = []
        beside: list[list[float]] = []
        cpu: list[tuple[float, float]] = []

        @contextlib.contextmanager
        def local(running: Board, *, exported: bool) -> Generator[str]:
            process = psutil.Process(running.process.pid)
            with _exporter(running, server.url) if exported else contextlib.nullcontext():
                before = _cpu(process)
                yield running.runtime
                used.append(_cpu(process) - before)

        for _ in range(PAIRS):
            used: list[float] = []
            plain.append(measured("claude", lambda running: local(running, exported=False)))
            beside.append(measured("claude", lambda running: local(running, exported=True)))
            cpu.append((used[0], used[1]))
        there = measured("claude", lambda running: _viewed(running, server.url))
    yield Figure(what="append -> a fleet's viewer, p50", value=percentile(there, 0.5), unit="ms")
    yield Figure(what="append -> a fleet's viewer, p99", value=percentile(there, 0.99), unit="ms")
    yield Figure(what="append -> a fleet's viewer, missed", value=there.count(float("inf")), unit=f"of {len(there)}")
    for share in (0.5, 0.99):
        ratios = [percentile(two, share) / percentile(one, share) for one, two in zip(plain, beside, strict=True)]
        yield Figure(
            what=f"append -> the machine's own subscriber, p{share * 100:.0f}, with an exporter / without",
            value=middle(ratios), unit="x", detail=", ".join(f"{each:.2f}" for each in ratios),
        )  # fmt: skip
    ratios = [two / one for one, two in cpu]
    yield Figure(
        what="CPU of the supervisor meanwhile, with an exporter / without", value=middle(ratios), unit="x",
        detail=", ".join(f"{two:.2f} / {one:.2f} s" for one, two in cpu),
    )  # fmt: skip


def _many(rate: int) -> Iterator[Figure]:
    from nats_server import nats_server

    with folder() as place, nats_server(place / "nats") as server, contextlib.ExitStack() as held:
        boards = [held.enter_context(MockBoard()) for _ in range(HOSTS)]
        for board in boards:
            board.put(*[SessionState(id=f"s{n}", source="claude") for n in range(SESSIONS)])
            board.health("claude", pid=1)
        words = [f"host-{number:02}={board.runtime_dir}" for number, board in enumerate(boards)]
        exporters = psutil.Popen([sys.executable, str(EXPORTERS), server.url, str(place / "boxes"), *words],
                                 stderr=subprocess.DEVNULL, env=clean())  # fmt: skip
        held.callback(exporters.wait)
        held.callback(exporters.kill)
        where = held.enter_context(_lodging(server.url))
        viewer = held.enter_context(Subscriber(where, patience=60))
        _until(viewer, HOSTS * SESSIONS)
        nats = psutil.Process(server.pid)
        before, began = (_cpu(nats), _cpu(exporters)), time.monotonic()
        late, done = _drive(boards, viewer, rate)
        wall = time.monotonic() - began
        used = _cpu(nats) - before[0], _cpu(exporters) - before[1]
        sizes = [memory(each.pid)["VmRSS"] for each in (nats, exporters)]
    title = f"{HOSTS} machines of {SESSIONS} sessions, {rate} events/s"
    yield Figure(
        what=f"{title}: carried out", value=done / wall, unit="events/s", detail=f"{len(late)} arrived of {done}"
    )
    yield Figure(what=f"{title}: board -> viewer, p50", value=percentile(late, 0.5), unit="ms",
                 detail=f"p99 {percentile(late, 0.99):.0f} ms")  # fmt: skip
    for name, each, size in zip(("nats-server", f"all {HOSTS} exporters"), used, sizes, strict=True):
        yield Figure(what=f"{title}: CPU of {name}", value=100 * each / wall, unit="% of a core",
                     detail=f"{1e6 * each / done:.0f} us for each event; {size:.0f} MB")  # fmt: skip


def _drive(boards: list[MockBoard], viewer: Subscriber, rate: int) -> tuple[list[float], int]:
    """Let sessions say something, each time a larger number; returns how late each was (ms), and how many they were."""
    said: dict[tuple[str, str, int], float] = {}
    late: list[float] = []
    began, done, ended = time.monotonic(), 0, None
    while ended is None or (time.monotonic() - ended < 5 and len(late) < done):
        due = int(min(SECONDS, time.monotonic() - began) * rate) - done
        for _ in range(min(due, 20)):
            number, name = done % HOSTS, f"s{done // HOSTS % SESSIONS}"
            count = 1 + done // (HOSTS * SESSIONS)
            said[f"host-{number:02}", name, count] = time.monotonic()
            boards[number].session("claude", name, message_count=count)
            done += 1
        if ended is None and time.monotonic() - began >= SECONDS:
            ended = time.monotonic()
        for item in viewer.receive(0.001):
            session = getattr(item, "session", None)
            if session is not None and (at := said.pop((session.host, session.id, session.message_count), None)):
                late.append((time.monotonic() - at) * 1000)
    return late, done


def _until(viewer: Subscriber, sessions: int) -> None:
    viewer.join()
    deadline = time.monotonic() + 60
    while len(viewer.sessions) < sessions:
        if time.monotonic() > deadline:
            raise RuntimeError(f"only {len(viewer.sessions)} of {sessions} sessions at the viewer")
        viewer.receive(0.2)


@contextlib.contextmanager
def _exporter(running: Board, url: str) -> Generator[None]:
    words = [*COMMAND, "export", "nats", "--url", url, "--host-name", "bench"]
    process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, env=clean(running.environment))
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if "is told to the fleet" in line:
                break
        yield
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


@contextlib.contextmanager
def _viewed(running: Board, url: str) -> Generator[str]:
    with _exporter(running, url), _lodging(url) as where:
        yield where


@contextlib.contextmanager
def _lodging(url: str) -> Generator[str]:
    from bellboard.supervisor.fleet.lodging import Lodging
    from bellboard.supervisor.fleet.view import View

    with Lodging(View(url=url)) as lodging:
        lodging.wait()
        yield lodging.folder


def _cpu(process: psutil.Process) -> float:
    used = process.cpu_times()
    return used.user + used.system

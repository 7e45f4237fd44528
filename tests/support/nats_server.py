"""A real nats-server on loopback, with JetStream in a folder of the test; skips where there is none."""

import asyncio
import contextlib
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from bellboard.supervisor.fleet.engine import Bucket, Entry, Whole
from bellboard.supervisor.fleet.settings import NatsSettings

PROGRAM = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
SHIPPED = Path(__file__).parents[2] / "docs" / "examples" / "fleet" / "nats-server.conf"
USERS = ("admin", "laptop", "desktop", "viewer")
PATIENCE_SECONDS = 15.0


def needs_server() -> None:
    """Skip the module unless both the server and its client are there."""
    pytest.importorskip("nats", reason="needs the extra `fleet`")
    if PROGRAM is None:
        pytest.skip("needs nats-server (Debian: apt-get install nats-server)", allow_module_level=True)


class NatsServer:
    """One server; killed and started again it has the same port and the same folder."""

    def __init__(self, folder: Path, config: str | None = None, *, scheme: str = "nats") -> None:
        self.folder = folder
        self.port = _free_port()
        self.url = f"{scheme}://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self._config = folder / "server.conf"
        self._config.write_text(_placed(config or _PLAIN, folder, self.port))

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        return self._process.pid

    def log(self) -> str:
        """Return what it has said."""
        return (self.folder / "server.log").read_text()

    def checked(self) -> subprocess.CompletedProcess[str]:
        """Let the server say whether its configuration is right."""
        words = [str(PROGRAM), "-c", str(self._config), "-t"]
        return subprocess.run(words, capture_output=True, text=True, timeout=30, check=False)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with (self.folder / "server.log").open("ab") as log:
            words = [str(PROGRAM), "-c", str(self._config)]
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not _listens(self.port):
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill it without a word."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._process = None

    def pause(self) -> None:
        """Let it stand still: it takes connections and answers nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def close(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@contextlib.contextmanager
def nats_server(folder: Path, config: str | None = None, *, scheme: str = "nats") -> Generator[NatsServer]:
    """Run a server for as long as the block runs."""
    folder.mkdir(exist_ok=True)
    server = NatsServer(folder, config, scheme=scheme)
    try:
        server.start()
        yield server
    finally:
        server.close()


def shipped(folder: Path) -> str:
    """Return the configuration that we ship, with passwords and credentials of its users in a folder."""
    folder.mkdir(exist_ok=True)
    lines: list[str] = []
    for user in USERS:
        password = secrets.token_hex(12)
        lines.append(f'{user.upper()}: "{password}"\n')
        creds = folder / user
        creds.write_text(f"{user}:{password}\n")
        creds.chmod(0o600)
    (folder / "passwords.conf").write_text("".join(lines))
    return SHIPPED.read_text(encoding="utf-8")


async def standing(bucket: Bucket, prefix: str = "") -> dict[str, Entry]:
    """Return all that stands in a bucket."""
    found: dict[str, Entry] = {}
    async with contextlib.aclosing(bucket.watch(prefix)) as told:
        async for each in told:
            if isinstance(each, Whole):
                break
            found[each.key] = each
    return found


def look(settings: NatsSettings) -> dict[str, Entry]:
    """Return all that stands in the state bucket of a server."""
    from bellboard.supervisor.fleet.nats_engine import NatsEngine

    async def ask() -> dict[str, Entry]:
        engine = NatsEngine(settings)
        try:
            await engine.connect()
            return await standing(engine.state)
        finally:
            await engine.close()

    return asyncio.run(ask())


_PLAIN = """
listen: "127.0.0.1:4222"
jetstream { store_dir: "/var/lib/nats" }
"""


def _placed(config: str, folder: Path, port: int) -> str:
    """Put the folder and the port of a test into a configuration."""
    placed, count = re.subn(r'"127\.0\.0\.1:4222"', f'"127.0.0.1:{port}"', config)
    assert count == 1
    placed, count = re.subn(r'"/var/lib/nats"', f'"{folder}/store"', placed)
    assert count == 1
    return placed


def _free_port() -> int:
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def _listens(port: int) -> bool:
    with socket.socket() as made:
        made.settimeout(1)
        return made.connect_ex(("127.0.0.1", port)) == 0

"""Stage: one genuine client, one real board on its temporary home, and the record of what was true and what was said.

A scenario drives the client (`screen`, `run`), says what is true (`true`), and asks at the end whether the board agreed
(`verdict`). Where that is possible (root on Linux) the client is cut off from every network but its own loopback. All
that is started is ended by its process id.
"""

import contextlib
import itertools
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
from harness import House, command, short_folder, wait_for
from live_timeline import Moment, Truth, disagreements, lags, sums, transcript

from bellboard.protocol import Snapshot, Subscriber
from bellboard.protocol.event import SessionEvent
from bellboard.protocol.session import SessionState

_NUMBERS = itertools.count()

TICK_SECONDS = 0.02
"""A file's time of change is from a coarse clock: what is written at once may seem older than the key that caused it."""

VARIABLES = (
    "CLAUDE_CONFIG_DIR CODEX_HOME GEMINI_CLI_HOME XDG_DATA_HOME XDG_CONFIG_HOME XDG_STATE_HOME PI_CODING_AGENT_DIR"
)


class Board(threading.Thread):
    """Follows the board like anybody could, and notes when each word of it arrived."""

    def __init__(self, runtime: Path) -> None:
        super().__init__(daemon=True)
        self.moments: list[Moment] = []
        self.undone = False
        self._runtime = runtime

    def run(self) -> None:
        """Listen until told to stop."""
        with Subscriber(str(self._runtime), patience=15) as board:
            board.join()
            while not self.undone:
                for item in board.receive(0.05):
                    at = time.time()
                    if isinstance(item, Snapshot):
                        self.moments += [Moment(at=at, kind="snapshot", session=each) for each in item.sessions]
                    elif isinstance(item, SessionEvent):
                        self.moments.append(Moment(at=at, kind=item.kind, session=item.session))


class Files(threading.Thread):
    """Notes when the client wrote what: the file's own time, and the bytes that were new."""

    def __init__(self, folders: Sequence[Path]) -> None:
        super().__init__(daemon=True)
        self.writes: list[tuple[float, Path, bytes]] = []
        self.undone = False
        self._folders = folders
        self._known: dict[Path, tuple[int, int, int]] = {}

    def run(self) -> None:
        """Look at all known files every few milliseconds, and for new ones less often."""
        turn = 0
        while not self.undone:
            if turn % 8 == 0:
                for folder in self._folders:
                    self._find(folder)
            for path in list(self._known):
                self._look(path)
            turn += 1
            time.sleep(0.004)

    def _find(self, folder: Path) -> None:
        with contextlib.suppress(OSError):  # a folder that went while it was listed: the next look sees more
            for path in itertools.chain(folder.rglob("*.json*"), folder.rglob("*.db-wal")):
                if "node_modules" not in path.parts:
                    self._known.setdefault(path, (0, 0, 0))

    def _look(self, path: Path) -> None:
        inode, size, stamp = self._known[path]
        try:
            status = path.stat()
            if (status.st_ino, status.st_size, status.st_mtime_ns) == (inode, size, stamp):
                return
            with path.open("rb") as file:
                # A file that is appended to shows its new bytes, any other one shows all of them.
                if path.suffix == ".jsonl" and status.st_ino == inode and status.st_size >= size:
                    file.seek(size)
                data = file.read()
        except OSError:
            del self._known[path]
            self.writes.append((time.time(), path, b""))
            return
        self._known[path] = (status.st_ino, status.st_size, status.st_mtime_ns)
        self.writes.append((status.st_mtime_ns / 1e9, path, data))


class Stage:
    """One scenario's world. `home` is the HOME of client and board."""

    def __init__(self, root: Path, agent: str, version: str, environment: Mapping[str, str]) -> None:
        self.root, self.agent, self.version = root, agent, version
        self.house = House(root)
        self.home = self.house.homes
        self.cwd = root / "project"
        self.cwd.mkdir()
        self.environment = {**environment, "HOME": str(self.home), "BELLBOARD_STATE_DIR": str(self.house.state)}
        self.truths: list[Truth] = []
        self.board: Board | None = None
        self._watched: tuple[str, ...] = ()
        self.deleted: dict[str, int] = {}
        """What the client took out of its files again, as names of `sums`: counted once, but no new reading finds it."""
        self.files = Files([self.home, self.house.state])
        self._started: list[subprocess.Popen[Any]] = []
        self._screens: list[Screen] = []
        self._namespace: int | None = None

    # the model and the board

    def serve(self, script: Path, scenario: Mapping[str, Any], *words: str) -> str:
        """Start a stand-in model server, which prints its address; it is the only other end of the client's network."""
        told = self.root / "scenario.json"
        told.write_text(json.dumps(scenario))
        line = [sys.executable, str(script), str(told), *words]
        if os.name == "posix" and os.geteuid() == 0 and shutil.which("unshare") and shutil.which("ip"):
            line = ["unshare", "-n", "sh", "-c", 'ip link set lo up && exec "$@"', "sh", *line]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, text=True)
        self._started.append(process)
        if line[0] == "unshare":
            self._namespace = process.pid
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address, "the stand-in model server did not start"
        return address

    def watch(self, *words: str) -> None:
        """Start `bellboard run` on the home, join it, and begin the record."""
        self._watched = words
        self.house.start(*words, env=dict.fromkeys(VARIABLES.split(), ""))
        self.files.start()
        self.board = Board(self.house.runtime)
        self.board.start()

    def hooks(self) -> None:
        """Install our hooks into the home, as a person would."""
        done = command("hooks", "install", self.agent, env={**self.house.env, **dict.fromkeys(VARIABLES.split(), "")})
        assert done.returncode == 0, done.stderr

    # the client

    def inside(self, words: Sequence[str]) -> list[str]:
        """Return a command that runs in the client's network."""
        return [*(["nsenter", f"--net=/proc/{self._namespace}/ns/net"] if self._namespace else []), *words]

    def screen(self, words: Sequence[str], *, size: tuple[int, int] = (150, 50)) -> "Screen":
        """Start an interactive client in a terminal of its own."""
        screen = Screen(self, words, size)
        self._screens.append(screen)
        return screen

    def run(self, words: Sequence[str], text: str | None = None) -> subprocess.Popen[str]:
        """Start a client that answers and ends. `text` is its standard input."""
        with (self.root / "client.out").open("a") as out:
            process = subprocess.Popen(
                self.inside(words), cwd=self.cwd, env=self.environment, text=True, start_new_session=True,
                stdin=subprocess.PIPE if text is not None else subprocess.DEVNULL, stdout=out, stderr=out,
            )  # fmt: skip
        self._started.append(process)
        if text is not None and process.stdin is not None:
            process.stdin.write(text)
            process.stdin.close()
        return process

    def release(self, gate: str) -> float:
        """Let a tool end that waits for a file in the project's folder; returns when."""
        at = self.moves()
        (self.cwd / gate).touch()
        return at

    # the record

    def true(
        self,
        session: str,
        name: str,
        says: Mapping[str, Any],
        *,
        at: float | None = None,
        mark: str = "",
        brief: bool = False,
    ) -> None:
        """Note what is true from now on (or from `at`); `mark` is a regular expression of the write that tells it."""
        moment = time.time() if at is None else at
        written = self.written(mark, moment) if mark else None
        moment = min(moment, written or moment)
        moment = max([moment, *(each.at for each in self.truths if 0 < each.at - moment < TICK_SECONDS)])
        self.truths.append(Truth(at=moment, session=session, name=name, says=says, written=written, brief=brief))

    def moves(self) -> float:
        """Note that the scenario does something: what was true until now may change at once. Returns the time."""
        at = time.time()
        for session in {truth.session for truth in self.truths}:
            self.truths.append(Truth(at=at, session=session, name="something is done", says={}))
        return at

    def hold(self, seconds: float) -> None:
        """Let the present truth last: what is proven is that the board goes on saying it."""
        time.sleep(seconds)

    def written(self, mark: str, since: float, seconds: float = 3.0) -> float | None:
        """Return when the client wrote something that matches, from a moment before `since` on; None if it did not."""
        pattern = re.compile(mark.encode())

        def find() -> float | None:
            recent = [each for each in self.files.writes if each[0] > since - 0.5]
            return next((at for at, path, data in recent if pattern.search(path.name.encode() + b"\n" + data)), None)

        with contextlib.suppress(AssertionError):
            return wait_for(find, seconds)
        return None

    def verdict(self) -> dict[str, float]:
        """Compare all of it; returns the time from each write to the board's word. Raises AssertionError."""
        assert self.board is not None
        end, moments = time.time(), list(self.board.moments)
        wrong = disagreements(self.truths, moments, end)
        told = transcript(self.truths, moments)
        assert not wrong, "\n".join([*wrong, "", told])
        assert self.truths, "a scenario that knows nothing proves nothing"
        print(told)  # noqa: T201 - pytest shows it with -rP
        return lags(self.truths, moments)

    def compare_with_a_new_reading(self) -> None:
        """End the client, and compare where the board ended with what one reading of the files from nothing finds.

        A session of which nothing was ever said may be on one side only: a client's registry names it and forgets it.
        """
        self._end_client()
        env = {**self.house.env, **dict.fromkeys(VARIABLES.split(), "")}
        done = command("sessions", "--once", "--json", *self._watched, env=env, timeout=60)
        assert done.returncode == 0, done.stderr
        read = [msgspec.convert(each, SessionState) for each in json.loads(done.stdout)["sessions"]]
        wanted = {each.id: sums(each) for each in read if each.message_count}

        for each in wanted.values():
            each |= {name: each[name] + amount for name, amount in self.deleted.items()}

        def stood() -> dict[str, dict[str, Any]]:
            last = {moment.session.id: moment.session for moment in self.board.moments} if self.board else {}
            return {each.id: sums(each) for each in last.values() if each.message_count}

        with contextlib.suppress(AssertionError):
            wait_for(lambda: stood() == wanted, 10, "the same")
        assert stood() == wanted, "the board ended elsewhere than a new reading of the same files"

    def _end_client(self) -> None:
        for screen in self._screens:
            screen.close()
        for process in self._started:
            process.kill()
            process.wait(10)
            if process.stdout is not None:
                process.stdout.close()
        self._screens, self._started = [], []

    def close(self) -> None:
        """End all that was started, by its process id."""
        if self.files.is_alive():
            self.files.undone = True
            self.files.join(5)
        if self.board is not None:
            self.board.undone = True
            self.board.join(5)
        self._end_client()
        self.house.close()


class Screen:
    """An interactive client in a private terminal, as a person sees it."""

    def __init__(self, stage: Stage, words: Sequence[str], size: tuple[int, int]) -> None:
        self._stage = stage
        self._base = ["tmux", "-S", str(stage.root / f"tmux{next(_NUMBERS)}")]
        env = [f"{name}={value}" for name, value in stage.environment.items()]
        line = shlex.join(["exec", "env", "-i", *env, *words])
        start = [*self._base, "-f", "/dev/null", "new-session", "-d", "-s", "s", "-x", str(size[0]), "-y", str(size[1])]
        subprocess.run(
            stage.inside([*start, "-c", str(stage.cwd), f"{line}"]), check=True, env={**stage.environment, "TMUX": ""}
        )
        self._tmux("set-option", "-g", "remain-on-exit", "on")
        self.pid = int(self._tmux("display-message", "-p", "-t", "s", "#{pane_pid}"))
        self._server = int(self._tmux("display-message", "-p", "#{pid}"))

    def _tmux(self, *words: str) -> str:
        done = subprocess.run([*self._base, *words], capture_output=True, text=True, check=False)
        return done.stdout.strip("\n")

    def text(self) -> str:
        """Return what stands on the screen."""
        return self._tmux("capture-pane", "-p", "-t", "s")

    def see(self, pattern: str, seconds: float = 25) -> float:
        """Wait until the screen matches; returns when it did."""
        try:
            wait_for(lambda: re.search(pattern, self.text()), seconds, f"{pattern!r} on the screen")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.text()}") from None
        return time.time()

    def type(self, text: str, *, enter: bool = True) -> float:
        """Type a line; returns when Enter was pressed."""
        self._tmux("send-keys", "-t", "s", "-l", text)
        time.sleep(0.5)  # a paste would be another thing than typing
        return self.press("Enter") if enter else time.time()

    def press(self, key: str) -> float:
        """Press one key; returns when."""
        at = self._stage.moves()
        self._tmux("send-keys", "-t", "s", key)
        return at

    def end(self, number: signal.Signals = signal.SIGKILL) -> float:
        """End the client's process by a signal; returns when."""
        at = self._stage.moves()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)
        return at

    def close(self) -> None:
        """End the client and its terminal."""
        self.end()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._server, signal.SIGTERM)


@contextlib.contextmanager
def stage_of(agent: str, version: str, environment: Mapping[str, str]) -> Generator[Stage]:
    """Make a stage and end everything on it afterwards; a scenario that went well ends with a new reading."""
    with short_folder() as folder:
        stage = Stage(folder, agent, version, environment)
        try:
            yield stage
            stage.compare_with_a_new_reading()
        finally:
            stage.close()

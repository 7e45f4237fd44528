"""Real exporters, a real server: whatever is killed, the fleet says in the end what the board says."""

import asyncio
import contextlib
import os
import re
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import nats_server
import psutil
import pytest
from exporting import Picture, exporting, picture, until, wanted
from faulty import append, settle
from harness import COMMAND, House, command, wait_for

from bellboard.protocol.session import SessionState
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.fleet.errors import EngineLost, EngineRefused, FleetError
from bellboard.supervisor.fleet.keys import session_key
from bellboard.supervisor.fleet.settings import NatsSettings, exporters_inbox

nats_server.needs_server()
from bellboard.supervisor.fleet import nats_engine
from bellboard.supervisor.fleet.nats_engine import STREAMS, NatsEngine

NATS = cast("Any", import_module("nats"))
"""The server's own client, whose types say little."""

SETTLE_SECONDS = 45.0


class Exporters:
    """Processes of `bellboard export nats`, and what they said."""

    def __init__(self, folder: Path, board: MockBoard) -> None:
        self.folder = folder
        self.board = board
        self._running: list[subprocess.Popen[bytes]] = []

    def start(self, *words: str, state: str = "state") -> subprocess.Popen[bytes]:
        """Start one; it needs a state folder of its own."""
        line = [*COMMAND, "export", "nats", "--state-dir", str(self.folder / state), "--host-name", "laptop", *words]
        with (self.folder / "export.log").open("ab") as log:
            process = subprocess.Popen(line, stdout=log, stderr=log, env=self.env)
        self._running.append(process)
        return process

    @property
    def env(self) -> dict[str, str]:
        """An environment in which nothing of whoever runs the tests is found."""
        return {**self.board.env, "HOME": str(self.folder), "BELLBOARD_CONFIG": os.devnull}

    def said(self) -> str:
        """What they said so far."""
        return (self.folder / "export.log").read_text()

    def close(self) -> None:
        """End them, also those that stand still."""
        for process in self._running:
            process.kill()
            process.wait()


@pytest.fixture
def board() -> Iterator[MockBoard]:
    with MockBoard() as made:
        made.health("claude", pid=7)
        for number in range(20):
            made.session("claude", f"s{number}", activity="working", title="Secret")
        yield made


@pytest.fixture
def exporters(tmp_path: Path, board: MockBoard) -> Iterator[Exporters]:
    made = Exporters(tmp_path, board)
    yield made
    made.close()


@contextlib.contextmanager
def server_of(tmp_path: Path, config: str | None = None, scheme: str = "nats") -> Generator[nats_server.NatsServer]:
    with nats_server.nats_server(tmp_path / "nats", config, scheme=scheme) as server:
        yield server


def stands(settings: NatsSettings) -> Picture:
    """What stands on the server; nothing while it is not reached."""
    try:
        return picture(nats_server.look(settings))
    except FleetError:
        return {}


def settled(board: MockBoard, settings: NatsSettings) -> Callable[[], bool]:
    return lambda: stands(settings) == wanted(board)


async def stand(board: MockBoard, settings: NatsSettings) -> None:
    """Wait until a server says what the board says. Raises TimeoutError."""
    async with asyncio.timeout(SETTLE_SECONDS):
        while not await asyncio.to_thread(settled(board, settings)):  # noqa: ASYNC110 - happens elsewhere
            await asyncio.sleep(0.05)


def load(board: MockBoard, rounds: int, start: int = 0) -> None:
    for number in range(start, start + rounds):
        board.session("claude", f"s{number % 20}", message_count=number + 1)


def history(server: nats_server.NatsServer) -> tuple[int, int]:
    """How many messages the history has, and how many different ones."""
    log: list[str] = []

    async def ask() -> None:
        client = await NATS.connect(server.url)
        subscription = await client.jetstream().subscribe("bellboard.>", ordered_consumer=True)
        with contextlib.suppress(TimeoutError):
            while True:
                message = await subscription.next_msg(timeout=1)
                log.append(message.headers["Nats-Msg-Id"])
        await client.close()

    asyncio.run(ask())
    return len(log), len(set(log))


def test_the_fleet_says_what_the_board_says(tmp_path: Path, board: MockBoard, exporters: Exporters) -> None:
    with server_of(tmp_path) as server:
        settings = NatsSettings(url=server.url)
        process = exporters.start("--url", server.url)
        wait_for(settled(board, settings), SETTLE_SECONDS, "the board in the engine")
        load(board, 200)
        board.session("claude", "s3", activity="terminal", lifecycle="terminal")
        board.remove("claude", "s3")
        wait_for(settled(board, settings), SETTLE_SECONDS, "the changes in the engine")
        wait_for(lambda: history(server) == (202, 202), SETTLE_SECONDS, "the whole history")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
        assert exporters.said() == "bellboard: export: laptop is told to the fleet (privacy: names)\n"


def test_a_server_that_is_killed_under_load_gets_all_of_it(
    tmp_path: Path, board: MockBoard, exporters: Exporters
) -> None:
    with server_of(tmp_path) as server:
        settings = NatsSettings(url=server.url)
        exporters.start("--url", server.url)
        wait_for(settled(board, settings), SETTLE_SECONDS)
        for turn in range(3):
            load(board, 100, turn * 200)
            server.kill()
            load(board, 100, turn * 200 + 100)
            server.start()
            wait_for(settled(board, settings), SETTLE_SECONDS, f"the board after kill {turn}")
        wait_for(lambda: history(server)[1] == 600, SETTLE_SECONDS, "the whole history")
        assert history(server) == (600, 600)


def test_an_exporter_that_is_killed_under_load_is_made_good_by_the_next(
    tmp_path: Path, board: MockBoard, exporters: Exporters
) -> None:
    with server_of(tmp_path) as server:
        settings = NatsSettings(url=server.url)
        for turn in range(3):
            process = exporters.start("--url", server.url)
            wait_for(settled(board, settings), SETTLE_SECONDS, f"the board before kill {turn}")
            load(board, 100, turn * 100)
            process.kill()
            process.wait()
            board.session("claude", f"new{turn}", activity="idle")
            board.session("claude", f"s{turn}", activity="terminal", lifecycle="terminal")
            board.remove("claude", f"s{turn}")
        exporters.start("--url", server.url)
        wait_for(settled(board, settings), SETTLE_SECONDS, "the board after the last")
        assert "another exporter" not in exporters.said()
        many, different = history(server)
        assert many == different


def test_a_server_that_stands_still_is_never_felt_and_gets_all_when_it_goes_on(
    tmp_path: Path, board: MockBoard, exporters: Exporters
) -> None:
    with server_of(tmp_path) as server:
        settings = NatsSettings(url=server.url)
        exporters.start("--url", server.url)
        wait_for(settled(board, settings), SETTLE_SECONDS)
        server.pause()
        load(board, 500)
        wait_for(lambda: "does not answer" in exporters.said(), SETTLE_SECONDS, "the exporter's word")
        server.go_on()
        wait_for(settled(board, settings), SETTLE_SECONDS, "the board")
        wait_for(lambda: history(server)[1] == 500, SETTLE_SECONDS, "the whole history")


def test_wrong_credentials_are_said_and_may_be_mended(tmp_path: Path, board: MockBoard) -> None:
    async def play() -> None:
        folder = server.folder
        await NatsEngine(NatsSettings(url=server.url, creds=str(folder / "admin"))).set_up()
        creds = folder / "mine"
        creds.write_text("laptop:wrong-secret\n")
        creds.chmod(0o600)
        settings = NatsSettings(url=server.url, creds=str(creds), inbox=exporters_inbox("laptop"))
        async with exporting(board, NatsEngine(settings)) as exporter:
            await until(lambda: exporter.heard("does not accept these credentials"))
            assert not exporter.heard("secret")
            creds.write_text((folder / "laptop").read_text())
            await stand(board, NatsSettings(url=server.url, creds=str(folder / "viewer")))

    with server_of(tmp_path, nats_server.shipped(tmp_path / "nats")) as server:
        asyncio.run(play())


def test_a_machine_without_the_right_is_told_what_may_be_wrong(
    tmp_path: Path, board: MockBoard, exporters: Exporters
) -> None:
    with server_of(tmp_path, nats_server.shipped(tmp_path / "nats")) as server:
        folder = server.folder
        assert (
            command("export", "nats", "--init", "--url", server.url, "--creds", str(folder / "admin")).returncode == 0
        )
        exporters.start("--url", server.url, "--creds", str(folder / "desktop"))  # as `laptop`
        wait_for(lambda: "--host-name" in exporters.said(), 15, "the word")
        assert stands(NatsSettings(url=server.url, creds=str(folder / "viewer"))) == {}


def test_the_configuration_that_we_ship_is_right_and_set_up_twice_is_set_up_once(tmp_path: Path) -> None:
    with server_of(tmp_path, nats_server.shipped(tmp_path / "nats")) as server:
        assert server.checked().returncode == 0, server.checked().stderr
        words = ("export", "nats", "--init", "--url", server.url, "--creds")
        first, second, refused = (command(*words, str(server.folder / user)) for user in ("admin", "admin", "laptop"))
        assert (first.returncode, second.returncode, refused.returncode) == (0, 0, 1)
        assert first.stderr.count(": made") == len(STREAMS)
        assert second.stderr.count(": as it should be") == len(STREAMS)
        assert re.match(r"bellboard: .*admin", refused.stderr)


def test_a_machine_that_is_gone_for_good_is_forgotten_but_by_itself_and_the_admin_only(tmp_path: Path) -> None:
    async def settle(where: NatsSettings) -> None:
        engine = NatsEngine(where)
        await engine.set_up()
        await engine.connect()
        for key in ("laptop.h.claude", "laptop.s.claude.a", "desktop.h.claude"):
            await engine.state.put(key, b"{}", 0)
        await engine.close()

    with server_of(tmp_path, nats_server.shipped(tmp_path / "nats")) as server:
        admin = NatsSettings(url=server.url, creds=str(server.folder / "admin"))
        asyncio.run(settle(admin))
        words = ("export", "nats", "--forget", "laptop", "--url", server.url, "--creds")
        refused = command(*words, str(server.folder / "desktop"))
        assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
        assert nats_server.look(admin).keys() == {"laptop.h.claude", "laptop.s.claude.a", "desktop.h.claude"}
        done = command(*words, str(server.folder / "laptop"))
        assert (done.returncode, done.stderr) == (0, "bellboard: laptop: 2 key(s) forgotten\n")
        assert nats_server.look(admin).keys() == {"desktop.h.claude"}


def test_each_machine_writes_and_reads_its_own_keys_alone_also_if_it_means_harm(tmp_path: Path) -> None:
    def settings(user: str) -> NatsSettings:
        inbox = "_INBOX_view" if user == "viewer" else exporters_inbox(user)
        return NatsSettings(url=server.url, creds=str(server.folder / user), inbox=inbox)

    async def refused(doing: "asyncio.Future[object] | object") -> None:
        with pytest.raises((EngineRefused, EngineLost)):
            await doing  # type: ignore[misc]

    async def play() -> None:
        await NatsEngine(settings("admin")).set_up()
        admin, laptop, desktop, viewer = (NatsEngine(settings(user)) for user in nats_server.USERS)
        for engine in (admin, laptop, desktop, viewer):
            await engine.connect()
        await desktop.state.put("desktop.s.claude.x", b"mine", 0)
        revision = await laptop.state.put("laptop.s.claude.x", b"evil", 0)
        await laptop.append(("laptop", "claude", "x", "updated"), b"{}", "1")
        assert list(await nats_server.standing(laptop.state, "laptop")) == ["laptop.s.claude.x"]

        await refused(laptop.state.put("desktop.s.claude.y", b"evil", 0))
        await refused(laptop.hosts.put("desktop", b"evil", 0))
        await refused(laptop.append(("desktop", "claude", "x", "updated"), b"{}", "2"))
        await refused(laptop.state.get("desktop.s.claude.x"))
        await refused(nats_server.standing(laptop.state, "desktop"))
        await refused(nats_server.standing(laptop.state))
        await refused(nats_server.standing(laptop.hosts))
        await refused(viewer.state.put("laptop.s.claude.x", b"evil", revision))
        await refused(viewer.hosts.put("laptop", b"evil", 0))

        # A server answers where a question asks it to: this is how one account would not keep them apart.
        for engine, api in ((laptop, "FLEET.API"), (viewer, "FLEET.API"), (laptop, "$JS.API"), (viewer, "$JS.API")):
            line = engine._line
            assert line is not None
            asked = f"{api}.DIRECT.GET.KV_bellboard_state.$KV.bellboard_state.laptop.s.claude.x"
            for target in ("$KV.bellboard_state.desktop.s.claude.z", "$KV.bellboard_hosts.desktop"):
                await line.publish(asked, b"", target)
                await line.publish("$KV.bellboard_state.laptop.s.claude.z", b"x", target)
            with contextlib.suppress(FleetError):
                await engine.state.get("laptop.s.claude.x")  # so that the server has been through with them
        keys = sorted(await nats_server.standing(viewer.state))
        assert [key for key in keys if not key.startswith("laptop.")] == ["desktop.s.claude.x"]
        assert await nats_server.standing(viewer.hosts) == {}
        for engine in (admin, laptop, desktop, viewer):
            await engine.close()

    with server_of(tmp_path, nats_server.shipped(tmp_path / "nats")) as server:
        asyncio.run(play())


def test_an_nkey_is_as_good_as_a_password(tmp_path: Path) -> None:
    nkeys = pytest.importorskip("nkeys")
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    creds = tmp_path / "seed"
    creds.write_text(seed.decode())
    creds.chmod(0o600)
    plain = 'listen: "127.0.0.1:4222"\njetstream { store_dir: "/var/lib/nats" }\n'
    config = f"{plain}authorization {{ users: [{{nkey: {public}}}] }}\n"
    with server_of(tmp_path, config) as server:
        assert nats_server.look(NatsSettings(url=server.url, creds=str(creds))) == {}
        with pytest.raises(EngineRefused, match="does not accept these credentials"):
            nats_server.look(NatsSettings(url=server.url))


TLS = """
listen: "127.0.0.1:4222"
jetstream { store_dir: "/var/lib/nats" }
tls { cert_file: "CERT", key_file: "KEY" }
"""


def test_with_tls_nothing_is_said_in_the_open_and_nobody_unknown_is_trusted(tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fleet"]
    words += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    try:
        subprocess.run(words, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("needs openssl")
    config = TLS.replace("CERT", str(cert)).replace("KEY", str(key))
    with server_of(tmp_path, config, scheme="tls") as server:
        assert nats_server.look(NatsSettings(url=server.url, ca=str(cert))) == {}
        with pytest.raises(EngineRefused, match="is not trusted: name the one that signed it with --ca"):
            nats_server.look(NatsSettings(url=server.url))
    with nats_server.nats_server(tmp_path / "plain") as plain:
        for settings in (
            NatsSettings(url=plain.url, ca=str(cert)),
            NatsSettings(url=plain.url.replace("nats:", "tls:")),
        ):
            with pytest.raises(EngineRefused, match="offers no TLS: nothing was told to it"):
                nats_server.look(settings)


def test_a_server_without_room_is_said_and_gets_all_once_there_is_some(tmp_path: Path, board: MockBoard) -> None:
    async def play() -> None:
        settings = NatsSettings(url=server.url)
        await NatsEngine(settings).set_up()
        client = await NATS.connect(server.url)
        manager = client.jetstream()
        narrow = (await manager.stream_info("KV_bellboard_state")).config
        narrow.max_bytes = 4096
        await manager.update_stream(narrow)
        async with exporting(board, NatsEngine(settings)) as exporter:
            await until(lambda: exporter.heard("bellboard_state is full"))
            assert len(picture(await asyncio.to_thread(nats_server.look, settings))) < len(wanted(board))
            narrow.max_bytes = -1
            await manager.update_stream(narrow)
            await stand(board, settings)
        await client.close()

    with server_of(tmp_path) as server:
        asyncio.run(play())


def test_without_jetstream_it_is_said_what_is_missing(tmp_path: Path, exporters: Exporters) -> None:
    config = 'listen: "127.0.0.1:4222"\n# store_dir: "/var/lib/nats"\n'
    with server_of(tmp_path, config) as server:
        exporters.start("--url", server.url)
        wait_for(lambda: "JetStream" in exporters.said() or "--init" in exporters.said(), 15, "the word")


def test_a_second_exporter_of_the_same_board_is_refused(tmp_path: Path, board: MockBoard, exporters: Exporters) -> None:
    with server_of(tmp_path) as server:
        exporters.start("--url", server.url)
        wait_for(settled(board, NatsSettings(url=server.url)), SETTLE_SECONDS)
        assert exporters.start("--url", server.url).wait(15) == 1
        assert "another exporter of this board is running" in exporters.said()


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        ((), 2, "where to?"),
        (("--url", "http://localhost"), 2, "write nats://HOST:PORT"),
        (("--url", "nats://me:secret@localhost"), 2, "--creds"),
        (("--url", "nats://localhost", "--creds", "nowhere"), 2, "cannot read the credentials nowhere"),
        (("--url", "tls://localhost", "--ca", "nowhere"), 2, "cannot read the certificates nowhere"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_once(
    exporters: Exporters, words: tuple[str, ...], code: int, sentence: str
) -> None:
    assert exporters.start(*words).wait(15) == code
    assert sentence in exporters.said()
    assert "secret" not in exporters.said()


def test_a_supervisor_keeps_an_exporter_and_starts_it_again(house: House, tmp_path: Path) -> None:
    with server_of(tmp_path) as server:
        settle(house, "well", settings=f'[export]\nurl = "{server.url}"\nhost_name = "laptop"\n')
        append(house, "well", "one")
        supervisor = house.start("--export")
        settings = NatsSettings(url=server.url)

        def told() -> bool:
            found = {
                state.id: state.message_count for state in stands(settings).values() if isinstance(state, SessionState)
            }
            return found == {name: state["message_count"] for name, state in house.sessions().items()} != {}

        def exporter() -> psutil.Process:
            children = psutil.Process(supervisor.pid).children()
            return next(each for each in children if "export" in each.cmdline())

        wait_for(told, SETTLE_SECONDS, "the board in the engine")
        first = exporter()
        first.kill()
        append(house, "well", "two")
        wait_for(told, SETTLE_SECONDS, "the board in the engine again")
        second = exporter()
        assert second.pid != first.pid
        supervisor.kill()
        wait_for(lambda: not second.is_running(), 15, "the exporter's end")


def test_run_refuses_to_export_nowhere(house: House) -> None:
    settle(house, "well")
    done = house.command("run", "--export")
    assert (done.returncode, "Set `export.url`" in done.stderr) == (2, True)


def test_setting_up_again_purges_the_markers_of_keys_that_are_gone_for_an_hour(
    tmp_path: Path, board: MockBoard, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def play() -> None:
        settings = NatsSettings(url=server.url)
        admin = NatsEngine(settings)
        async with exporting(board, NatsEngine(settings)) as exporter:
            board.session("codex", "gone", activity="idle")
            await until(lambda: exporter.heard("is told"))
            await standing_as(wanted(board))
            board.remove("codex", "gone")
            await standing_as(wanted(board))
            key = session_key("laptop", "codex", "gone")
            looking = NatsEngine(settings)
            await looking.connect()
            await looking.state.drop("away.s.claude.x", await looking.state.put("away.s.claude.x", b"x", 0))
            await looking.state.drop("back.s.claude.x", await looking.state.put("back.s.claude.x", b"x", 0))
            marker = await looking.state.get("back.s.claude.x")
            assert marker is not None
            assert marker.value is None
            assert (await admin.set_up())[-1] == "bellboard_state: 0 markers of keys that are gone were purged"

            await looking.state.put("back.s.claude.x", b"again", marker.revision)
            assert await looking.state.purge_marker(marker) == 0
            monkeypatch.setattr(nats_engine, "MARKERS_STAY", timedelta(0))
            assert (await admin.set_up())[-1] == "bellboard_state: 2 markers of keys that are gone were purged"
            assert [await looking.state.get(each) for each in (key, "away.s.claude.x")] == [None, None]
            stays = await looking.state.get("back.s.claude.x")
            assert stays is not None
            assert stays.value == b"again"

            board.session("codex", "gone", activity="working")  # its exporter knows the marker that is no more
            await looking.state.drop("back.s.claude.x", stays.revision)
            await standing_as(wanted(board))
            await looking.close()

    async def standing_as(what: object) -> None:
        async with asyncio.timeout(15):
            while picture(await asyncio.to_thread(nats_server.look, NatsSettings(url=server.url))) != what:  # noqa: ASYNC110 - it is a question each time
                await asyncio.sleep(0.05)

    with server_of(tmp_path) as server:
        asyncio.run(play())

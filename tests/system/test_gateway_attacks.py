"""The gateway as an adversary meets it: odd requests, slow ones, floods, and ends in the middle of everything."""

import contextlib
import json
import os
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psutil
import pytest
from harness import COMMAND, House, command, short_folder, wait_for

pytest.importorskip("starlette", reason="needs the extra `web`")

import hasty
from web import Web
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bellboard.protocol import SessionState
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor.gateway.serve import IDLE_SECONDS

Serve = Callable[..., Web]


@pytest.fixture
def house() -> Iterator[House]:
    with short_folder() as folder:
        yield House(folder)


@pytest.fixture
def board(house: House) -> Iterator[MockBoard]:
    with MockBoard(str(house.runtime)) as made:
        made.put(SessionState(id="one", source="pi", title="Mend the gate"))
        yield made


@pytest.fixture
def serve(house: House, board: MockBoard) -> Iterator[Serve]:
    """Gateways to a board; none of them may ever have shown a traceback."""
    made: list[Web] = []

    def start(*words: str, ready: bool = True, command: Sequence[str] = COMMAND) -> Web:
        made.append(Web(house, *words, command=command))
        if ready:
            wait_for(lambda: made[-1].ask("/readyz").status == 200, 15, "the gateway's board")
        return made[-1]

    yield start
    for each in made:
        each.close()
        assert "Traceback" not in each.log()


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[Web, MockBoard]]:
    """One gateway and its board for all tests that leave nothing behind."""
    with short_folder() as folder:
        home = House(folder)
        with MockBoard(str(home.runtime)) as board:
            board.put(SessionState(id="one", source="pi", title="Mend the gate"))
            web = Web(home)
            try:
                wait_for(lambda: web.ask("/readyz").status == 200, 15, "the gateway's board")
                yield web, board
                assert "Traceback" not in web.log()
            finally:
                web.close()


def raw(web: Web, data: bytes, seconds: float = 10) -> bytes:
    """Say something that no HTTP library would say; return all that comes back until the line is closed."""
    with socket.create_connection(("127.0.0.1", web.port), seconds) as line:
        with contextlib.suppress(ConnectionError):
            line.sendall(data)
        found = b""
        with contextlib.suppress(ConnectionError):
            while piece := line.recv(65536):
                found += piece
        return found


def lost(line: socket.socket) -> bool:
    """Whether the other end closed the line, be it in order or, where words of ours were still on their way, by a reset."""
    try:
        return not line.recv(65536)
    except TimeoutError:
        return False
    except ConnectionError:
        return True


def request(web: Web, path: str = "/healthz", *headers: str, method: str = "GET") -> bytes:
    lines = [f"{method} {path} HTTP/1.1", f"Host: localhost:{web.port}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


@pytest.mark.parametrize("name", ["a/b", "a%2Fb", "ütf/😀", "x/history", "a?b#c", "..", "a b&c"])
def test_any_id_can_be_asked_for(shared: tuple[Web, MockBoard], name: str) -> None:
    web, board = shared
    board.put(SessionState(id=name, source="pi", message_count=7))
    path = f"/api/v1/sessions/pi/{quote(name, safe='')}"
    wait_for(lambda: web.ask(path).status == 200, what="the session")
    assert web.ask(path).json["session"]["id"] == name
    assert web.ask(f"{path}/history").json["history"]["id"] == name


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\nConnection: close\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + b"9" * 6000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close, upgrade\r\nUpgrade: h2c\r\n\r\n",
    ],
)
def test_what_is_no_proper_request_is_refused_and_the_next_one_answered(
    shared: tuple[Web, MockBoard], data: bytes
) -> None:
    web, _ = shared
    answer = raw(web, data)
    assert answer == b"" or answer.split()[1] in {b"400", b"403", b"405", b"413", b"421", b"431"}, answer[:200]
    assert web.ask("/api/v1/sessions/pi/one").status == 200
    assert web.log().count("\n") == 2, "nothing of it is logged"


def test_other_methods_than_get_are_refused_and_head_has_no_body(shared: tuple[Web, MockBoard]) -> None:
    web, _ = shared
    for method in ("POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"):
        for path in ("/", "/api/v1/sessions", "/api/v1/events", "/metrics", "/healthz", "/page/app.js"):
            assert web.ask(path, method=method).status == 405, (method, path)
    head = web.ask("/api/v1/sessions", method="HEAD")
    assert (head.status, head.body, int(head.headers["content-length"]) > 100) == (200, b"", True)
    assert web.ask("/api/v1/sessions", method="HEAD", token=False).status == 401


@pytest.mark.parametrize(
    "last", ["", ".", "x", ".0", "-1", "1e9", "9" * 6000, "\xff\xfe", "e." + "9" * 6000, "' OR 1=1", "%00", "½.½", "²"]
)
def test_a_place_that_never_was_gets_the_whole_picture(shared: tuple[Web, MockBoard], last: str) -> None:
    web, _ = shared
    epoch = web.ask("/api/v1/sessions").json["epoch"]
    for place in (last, f"{epoch}.{last}"):
        with web.events(place) as stream:
            assert next(stream)[1] == "snapshot", place


@pytest.mark.parametrize(
    "cookie",
    [
        "bellboard",
        "bellboard=",
        'bellboard="\\377\\000"',
        "bellboard=\xff\xe4",
        "=;=;=",
        "a" * 8000,
        "$Version=1; bellboard=x",
    ],
)
def test_odd_cookies_and_tokens_are_no_token(shared: tuple[Web, MockBoard], cookie: str) -> None:
    web, _ = shared
    assert b" 401 " in raw(web, request(web, "/api/v1/sessions", f"Cookie: {cookie}"))[:20]
    assert b" 401 " in raw(web, request(web, "/api/v1/sessions", f"Authorization: Bearer {cookie}"))[:20]
    assert b" 401 " in raw(web, request(web, f"/login?code={quote(cookie, encoding='latin-1')}"))[:20]


def test_whoever_does_not_finish_a_request_loses_the_line(serve: Serve) -> None:
    web = serve(command=hasty.COMMAND)
    begun = [
        b"",
        b"G",
        b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ",
        request(web).replace(b"Connection: close\r\n", b"") + b"GET",
    ]
    with contextlib.ExitStack() as stack:
        lines = [stack.enter_context(socket.create_connection(("127.0.0.1", web.port), 10)) for _ in begun]
        started = time.monotonic()
        for line, data in zip(lines, begun, strict=True):
            line.sendall(data)
        drip = lines[2]
        for line in lines:
            line.settimeout(0.5)
            while not lost(line):
                assert time.monotonic() - started < IDLE_SECONDS / 2, "it is still open"
                with contextlib.suppress(OSError):
                    drip.sendall(b"a")
    assert web.ask("/healthz").status == 200


def test_a_form_that_does_not_come_is_not_waited_for(serve: Serve) -> None:
    web = serve(command=hasty.COMMAND)
    head = (
        f"POST /login HTTP/1.1\r\nHost: localhost:{web.port}\r\nContent-Length: 99\r\nConnection: close\r\n\r\ntoken="
    )
    assert b" 408 " in raw(web, head.encode())[:20]


def test_a_flood_of_wrong_tokens_does_not_lock_out_the_link(serve: Serve) -> None:
    web = serve()
    found = [web.ask("/login", method="POST", token=False, body=b"token=guess").status for _ in range(12)]
    assert found.count(429) >= 4
    assert web.ask("/login?code=guess", token=False).status == 401
    assert web.ask(f"/login?code={web.code}", token=False).status == 303


def dial(web: Web) -> Any:
    return connect(
        f"ws://localhost:{web.port}/api/v1/events", additional_headers={"authorization": f"Bearer {web.token}"}
    )


def test_a_websocket_client_that_does_not_stop_talking_is_cut_off(serve: Serve) -> None:
    web = serve()
    with dial(web) as line, pytest.raises(ConnectionClosed) as closed:
        for _ in range(100_000):
            line.send("x" * 4000)
        while True:
            line.recv(10)
    assert closed.value.rcvd is None or closed.value.rcvd.code == 1008
    with dial(web) as line, pytest.raises(ConnectionClosed) as closed:
        line.send("x" * 5000)
        while True:
            line.recv(10)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1009, "too big"
    wait_for(lambda: b"bellboard_gateway_streams 0.0" in web.ask("/metrics").body, what="no stream left")


def test_a_websocket_that_is_not_read_is_cut_off(serve: Serve, board: MockBoard) -> None:
    web = serve(command=hasty.COMMAND)
    key = (
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: " + "A" * 22 + "==",
    )
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("127.0.0.1", web.port))
    with stuck:
        asked = request(web, "/api/v1/events", *key, f"Authorization: Bearer {web.token}")
        stuck.sendall(asked.replace(b"Connection: close\r\n", b""))
        wait_for(lambda: b"bellboard_gateway_streams 1.0" in web.ask("/metrics").body, what="the stream")
        until = time.monotonic() + 45
        while b"bellboard_gateway_streams 1.0" in web.ask("/metrics").body:
            assert time.monotonic() < until, "it was not cut off"
            board.put(*[SessionState(id=f"n{n}", source="pi", title="x" * 80, slug="y" * 400) for n in range(1000)])
            time.sleep(0.05)
        wait_for(lambda: b"streams_dropped_total 1.0" in web.ask("/metrics").body, what="that it is counted")


def test_the_gateway_may_be_there_before_the_board_and_outlives_many_of_them(
    house: House, serve: Serve, board: MockBoard
) -> None:
    board.stop()
    web = serve(ready=False)
    assert web.ask("/readyz").json["error"]["code"] == "no_board"
    assert web.ask("/api/v1/sessions").json["sessions"] == []
    assert web.ask("/api/v1/pulses").status == 503
    with web.events() as stream:
        assert next(stream)[2]["sessions"] == []
        board.start()
        assert [
            each["id"]
            for each in next(data for _, kind, data in stream if kind == "snapshot" and data["epoch"])["sessions"]
        ] == ["one"]
        process = psutil.Process(web.process.pid)
        seen: list[int] = []
        for _ in range(12):
            board.stop()
            board.start()
            assert next(data for _, kind, data in stream if kind == "snapshot")["sessions"]
            seen.append(process.num_fds())
    assert max(seen[6:]) <= max(seen[:6]) + 2, seen
    assert web.ask("/readyz").status == 200


@pytest.mark.parametrize(("word", "codes"), [("SIGTERM", {0}), ("SIGINT", {130})])
def test_it_ends_within_three_seconds_with_everything_open(serve: Serve, word: str, codes: set[int]) -> None:
    web = serve()
    lines = [socket.create_connection(("127.0.0.1", web.port), 10) for _ in range(4)]
    for line in lines[:2]:
        line.sendall(
            request(web, "/api/v1/events", f"Authorization: Bearer {web.token}").replace(b"Connection: close\r\n", b"")
        )
    lines[2].sendall(b"GET / HT")
    with dial(web) as socket_:
        json.loads(socket_.recv(10))
        assert lines[0].recv(10).startswith(b"HTTP/1.1 2")
        began = time.monotonic()
        web.process.send_signal(getattr(signal, word))
        assert web.process.wait(10) in codes
        took = time.monotonic() - began
    for line in lines:
        line.close()
    assert took < 3.0, took
    assert web.log().count("\n") == 2 + (word == "SIGINT" and "interrupted" in web.log()), web.log()


@pytest.mark.parametrize(("word", "code"), [("SIGTERM", 0), ("SIGINT", 130)])
def test_it_ends_also_when_it_is_told_to_while_it_starts(house: House, word: str, code: int) -> None:
    for _ in range(3):
        with subprocess.Popen(
            [*COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env={**os.environ, **house.env}
        ) as process:
            assert process.stderr is not None
            assert "serving" in process.stderr.readline()
            process.send_signal(getattr(signal, word))
            try:
                assert process.wait(10) == code
                assert "Traceback" not in process.stderr.read()
            finally:
                process.kill()


@pytest.mark.parametrize("port", ["70000", "-1"])
def test_a_port_that_cannot_be_is_refused_in_a_sentence(house: House, port: str) -> None:
    done = command("serve", "--port", port, env=house.env)
    said = f"bellboard: cannot listen on 127.0.0.1, port {port}: ports are 0 to 65535; choose another with --port\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert "Traceback" not in done.stderr


def test_it_listens_on_version_six_and_says_so(house: House, board: MockBoard) -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    log = house.root / "six.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*COMMAND, "serve", "--host", "::1", "--port", "0"], stderr=file, env={**os.environ, **house.env}
        )
    try:
        wait_for(lambda: "login?code=" in log.read_text(), 15, "the link")
        port = int(log.read_text().partition("serving http://[::1]:")[2].partition("/")[0])
        with socket.create_connection(("::1", port), 10) as line:
            line.sendall(f"GET /healthz HTTP/1.1\r\nHost: [::1]:{port}\r\nConnection: close\r\n\r\n".encode())
            assert line.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        process.terminate()
        process.wait(10)


def no_token(path: Path) -> Iterator[tuple[str, Callable[[], object], str]]:
    """Files that hold no token, and a word of what is said of them."""
    yield "empty", lambda: path.write_text(""), "is no token"
    yield "binary", lambda: path.write_bytes(b"\xff" * 40), "cannot be read"
    yield "newlines", lambda: path.write_text("abcdefgh\nijklmnopqrst"), "is no token"
    yield "endless", lambda: path.write_text("a" * 10_000_000), "is no token"
    yield "unicode", lambda: path.write_text("ä" * 20), "is no token"
    yield "folder", path.mkdir, "cannot be read"
    yield "pipe", lambda: os.mkfifo(path, 0o600), "is no token"
    yield "device", lambda: path.symlink_to("/dev/zero"), "others may read"


@pytest.mark.parametrize("number", range(8))
def test_a_file_that_holds_no_token_is_refused_at_once(house: House, number: int) -> None:
    path = house.root / "token"
    name, make, words = list(no_token(path))[number]
    make()
    if path.is_file() and not path.is_symlink():
        path.chmod(0o600)
    elif path.is_dir():
        path.chmod(0o700)
    done = command("serve", "--port", "0", "--token-file", str(path), env=house.env, timeout=20)
    assert (name, done.returncode, words in done.stderr) == (name, 1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_gateways_that_start_together_agree_on_the_token(house: House, board: MockBoard) -> None:
    env = {**os.environ, **house.env}
    others = [
        subprocess.Popen([*COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True, env=env)
        for _ in range(3)
    ]
    web = Web(house)
    try:
        for other in others:
            assert other.stderr is not None
            assert "serving" in other.stderr.readline()
        path = house.state / "web-token"
        assert (stat.S_IMODE(path.stat().st_mode), path.read_text().strip()) == (0o600, web.token)
        assert [each.name for each in house.state.iterdir()] == ["web-token"], "nothing is left beside it"
    finally:
        for other in others:
            other.terminate()
            other.wait(10)
            if other.stderr is not None:
                other.stderr.close()
        web.close()

"""The gateway as browsers and programs meet it: a real supervisor, a real `bellboard serve`, real sockets."""

import json
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from faulty import append, settle
from harness import COMMAND, House, command, wait_for

pytest.importorskip("starlette", reason="needs the extra `web`")
jsonschema = pytest.importorskip("jsonschema", reason="answers are validated with jsonschema")

import hasty
from web import Web
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect

Serve = Callable[..., Web]


@pytest.fixture
def serve(house: House) -> Iterator[Serve]:
    """A board with one session, and gateways to it."""
    settle(house, "sick", "well")
    append(house, "well", "one", "line", "line")
    house.start()
    made: list[Web] = []

    def start(*words: str, command: Sequence[str] = COMMAND) -> Web:
        made.append(Web(house, *words, command=command))
        wait_for(lambda: made[-1].ask("/readyz").status == 200, 15, "the gateway's board")
        return made[-1]

    yield start
    for each in made:
        each.close()


def test_each_answer_is_what_the_openapi_document_says(serve: Serve) -> None:
    web = serve()
    whole = web.ask("/api/v1/openapi.json").json
    assert whole["openapi"].startswith("3.1")
    shapes = whole["components"]["schemas"]
    assert "\n    " not in "".join(each.get("description", "") for each in shapes.values()), "no margins of the code"
    asked: dict[str, str] = {
        "/api/v1/sessions": "/api/v1/sessions?source=well&activity=working&needs_you=false",
        "/api/v1/sessions/{source}/{id}": "/api/v1/sessions/well/one",
        "/api/v1/sessions/{source}/{id}/history": "/api/v1/sessions/well/one/history",
    }
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    for path, methods in whole["paths"].items():
        for status, response in methods["get"]["responses"].items():
            ((kind, content),) = response["content"].items()
            if status != "200" or kind != "application/json":
                continue
            answer = web.ask(asked.get(str(path), str(path)))
            assert (answer.status, answer.headers["content-type"]) == (200, "application/json"), path
            jsonschema.validate(answer.json, {**content["schema"], "components": whole["components"]})
    problem = whole["components"]["schemas"]["ProblemDocument"]
    for path in ("/nowhere", "/api/v1/sessions/well/nobody", "/api/v1/sessions?activity=dancing"):
        jsonschema.validate(web.ask(path).json, {**problem, "components": whole["components"]})


def test_what_is_asked_for_is_what_is_on_the_board(serve: Serve, house: House) -> None:
    web = serve()
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    assert web.ask("/api/v1/sessions").json["sessions"] == list(house.sessions().values())
    assert web.ask("/api/v1/sessions/well/one").json["session"]["message_count"] == 2
    assert web.ask("/api/v1/sessions?source=sick").json["sessions"] == []
    assert web.ask("/api/v1/sessions?needs_you=true").json["sessions"] == []
    sources = web.ask("/api/v1/sources").json["sources"]
    assert sources == [
        {"source": "sick", "status": "healthy", "sessions": 0},
        {"source": "well", "status": "healthy", "sessions": 1},
    ]
    append(house, "well", "one")
    wait_for(lambda: web.ask("/api/v1/sessions/well/one").json["session"]["message_count"] == 3, what="the third line")
    history = web.ask("/api/v1/sessions/well/one/history").json["history"]
    assert [mark["messages"] for mark in history["marks"]] == [2, 3]
    (pulse,) = web.ask("/api/v1/pulses").json["pulses"]
    assert (pulse["source"], pulse["id"], sum(pulse["counts"])) == ("well", "one", 1)


@pytest.mark.parametrize(
    ("path", "method", "headers", "status", "code"),
    [
        ("/nowhere", "GET", {}, 404, "not_found"),
        ("/page/../serve.py", "GET", {}, 404, "not_found"),
        ("/api/v1/health/", "GET", {}, 404, "not_found"),
        ("/api/v1/sessions/9a", "GET", {}, 404, "not_found"),
        ("/page/nothing.js", "GET", {}, 404, "not_found"),
        ("/api/v1/sessions/well/nobody", "GET", {}, 404, "no_such_session"),
        ("/api/v1/sessions/well/nobody/history", "GET", {}, 404, "no_such_session"),
        ("/api/v1/sessions?wanted=all", "GET", {}, 400, "bad_query"),
        ("/api/v1/sessions?needs_you=perhaps", "GET", {}, 400, "bad_query"),
        ("/api/v1/sessions", "POST", {}, 405, "wrong_method"),
        ("/api/v1/events", "DELETE", {}, 405, "wrong_method"),
        ("/metrics", "PUT", {}, 405, "wrong_method"),
        ("/api/v1/sessions", "POST", {"content-length": "70000"}, 413, "too_large"),
        ("/login", "POST", {"content-length": "4097"}, 413, "too_large"),
        ("/api/v1/sessions", "GET", {"transfer-encoding": "chunked"}, 413, "too_large"),
        ("/api/v1/sessions", "GET", {"host": "evil.example"}, 421, "wrong_host"),
        ("/api/v1/events", "GET", {"host": "evil.example"}, 421, "wrong_host"),
        ("/page/login.css", "GET", {"host": "evil.example"}, 421, "wrong_host"),
        ("/api/v1/events", "GET", {"origin": "http://evil.example"}, 403, "wrong_origin"),
        ("/metrics", "GET", {"authorization": "Bearer wrong"}, 401, "wrong_token"),
        ("/api/v1/events", "GET", {"authorization": ""}, 401, "no_token"),
    ],
)
def test_what_is_refused_is_refused_with_a_word_and_a_sentence(
    serve: Serve, path: str, method: str, headers: dict[str, str], status: int, code: str
) -> None:
    answer = serve().ask(path, method=method, headers=headers)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["message"]
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_who_asks_for_a_session_without_its_source_is_told_so(serve: Serve) -> None:
    said = serve().ask("/api/v1/sessions/9a").json["error"]["message"]
    assert said == "a session has its source before its id: /api/v1/sessions/SOURCE/ID"


def test_a_stream_begins_with_the_whole_picture_and_goes_on_with_events(serve: Serve, house: House) -> None:
    web = serve()
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    with web.events() as stream:
        place, kind, picture = next(stream)
        assert (kind, [each["id"] for each in picture["sessions"]]) == ("snapshot", ["one"])
        assert place == f"{picture['epoch']}.{picture['seq']}"
        assert [(kind, data["connected"]) for _, kind, data in [next(stream)]] == [("board", True)]
        append(house, "well", "one")
        first = next(each for each in stream if each[1] == "updated")
    assert first[2]["session"]["message_count"] == 3
    assert first[0] == f"{picture['epoch']}.{first[2]['seq']}"
    append(house, "well", "one")
    wait_for(lambda: web.ask("/api/v1/sessions/well/one").json["session"]["message_count"] == 4, what="the fourth line")
    with web.events(first[0]) as stream:
        _, kind, data = next(each for each in stream if each[1] != "health")
        assert (kind, data["session"]["message_count"]) == ("updated", 4), "what was missed, and no picture"
    with web.events("other.1") as stream:
        assert next(stream)[1] == "snapshot"


def test_a_restart_of_the_supervisor_is_told_and_then_the_new_picture(serve: Serve, house: House) -> None:
    web = serve()
    with web.events() as stream:
        _, _, before = next(stream)
        next(stream)
        house._running[0].send_signal(signal.SIGKILL)
        gone = next(each for each in stream if each[1] == "board")
        assert gone[2]["connected"] is False
        assert web.log().endswith("bellboard: the supervisor is not heard any more: waiting for it\n")
        assert web.ask("/readyz").status == 503
        assert web.ask("/api/v1/health").json["board"]["connected"] is False
        assert web.ask("/api/v1/sessions/well/one").json["session"]["message_count"] == 2, "the last picture stays"
        house.start()
        after = next(each for each in stream if each[1] == "snapshot")
        assert after[2]["epoch"] != before["epoch"]
        wait_for(lambda: web.ask("/readyz").status == 200, what="the board")


def dial(web: Web, **headers: str) -> ClientConnection:
    sent = {"authorization": f"Bearer {web.token}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return connect(f"ws://localhost:{web.port}/api/v1/events", additional_headers=sent, open_timeout=10)


def said(line: ClientConnection, kind: str) -> dict[str, Any]:
    """The next message of a kind."""
    while (message := json.loads(line.recv(timeout=15)))["kind"] != kind:
        pass
    return message


def test_a_websocket_says_the_same_and_hears_nothing(serve: Serve, house: House) -> None:
    web = serve()
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    with dial(web) as line:
        assert [each["id"] for each in said(line, "snapshot")["snapshot"]["sessions"]] == ["one"]
        assert said(line, "board")["board"]["connected"] is True
        line.send('{"verb": "drain"}')
        append(house, "well", "one")
        assert said(line, "updated")["session"]["message_count"] == 3


@pytest.mark.parametrize("headers", [{"authorization": "Bearer wrong"}, {"origin": "http://evil.example"}])
def test_a_websocket_of_a_stranger_is_refused(serve: Serve, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus):
        dial(serve(), **headers)


def test_the_link_opens_the_board_once_and_the_cookie_from_then_on(serve: Serve) -> None:
    web = serve()
    first = web.ask(f"/login?code={web.code}", token=False)
    assert (first.status, first.headers["location"]) == (303, "/")
    cookie = first.headers["set-cookie"]
    assert {"HttpOnly", "Path=/", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    again = web.ask(f"/login?code={web.code}", token=False)
    assert (again.status, "set-cookie" in again.headers) == (401, False)
    shown = cookie.partition(";")[0]
    assert web.ask("/api/v1/sessions", token=False, headers={"cookie": shown}).status == 200
    stranger = web.ask("/", token=False, headers={"accept": "text/html"})
    assert (stranger.status, b"<form" in stranger.body) == (401, True)
    assert web.code not in again.body.decode()


def test_the_token_can_be_typed_and_guessing_is_slow(serve: Serve) -> None:
    web = serve()
    right = web.ask("/login", method="POST", token=False, body=f"token={web.token}".encode())
    assert (right.status, right.headers["location"]) == (303, "/")
    found = [web.ask("/login", method="POST", token=False, body=b"token=guess").status for _ in range(6)]
    assert set(found) == {401, 429}
    assert web.ask("/api/v1/sessions").status == 200, "whoever has the token does not notice"


def test_too_many_requests_are_told_when_to_come_again(serve: Serve) -> None:
    web = serve()
    line = socket.create_connection(("localhost", web.port), 10)
    with line:
        one = f"GET /healthz HTTP/1.1\r\nHost: localhost:{web.port}\r\n\r\n".encode()
        line.sendall(one * 600)
        seen = b""
        while seen.count(b"HTTP/1.1 ") < 600:
            seen += line.recv(65536)
    assert b"HTTP/1.1 429" in seen
    assert re.search(rb"retry-after: [1-9]", seen)
    wait_for(lambda: web.ask("/healthz").status == 200, 15, "the next allowed request")


def test_metrics_name_every_state_of_every_source(serve: Serve, house: House) -> None:
    web = serve()
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    append(house, "well", "one")
    wait_for(lambda: b'bellboard_messages_total{source="well"} 1.0' in web.ask("/metrics").body, what="the new line")
    text = web.ask("/metrics").body.decode()
    assert web.ask("/metrics").headers["content-type"].startswith("text/plain; version=0.0.4")
    for source in ("sick", "well"):
        for activity in ("idle", "working", "waiting", "terminal"):
            count = float((source, activity) == ("well", "working"))
            assert f'bellboard_sessions{{activity="{activity}",source="{source}"}} {count}' in text
        for what in ("permission", "plan", "question"):
            assert f'bellboard_sessions_needing_you{{source="{source}",waiting_for="{what}"}} 0.0' in text
        for status in ("healthy", "degraded", "failed", "paused"):
            assert (
                f'bellboard_source_status{{source="{source}",status="{status}"}} {float(status == "healthy")}' in text
            )
        assert f'bellboard_worker_up{{source="{source}"}} 1.0' in text
    assert "bellboard_up 1.0" in text
    assert re.search(r"bellboard_event_lag_seconds_count [1-9]", text)


def test_privacy_is_applied_before_anything_leaves(serve: Serve, house: House) -> None:
    web = serve("--privacy", "minimal")
    wait_for(lambda: web.ask("/api/v1/sessions").json["sessions"], what="the session")
    session = web.ask("/api/v1/sessions/well/one").json["session"]
    assert (session["message_count"], session["working_dir"], session["title"]) == (2, None, None)
    append(house, "well", "one")
    with web.events() as stream:
        assert next(stream)[2]["sessions"][0]["title"] is None


def test_a_reader_that_does_not_read_is_cut_off_and_the_others_go_on(serve: Serve, house: House) -> None:
    web = serve(command=hasty.COMMAND)
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.connect(("localhost", web.port))
    with stuck, web.events() as stream:
        request = (
            f"GET /api/v1/events HTTP/1.1\r\nHost: localhost:{web.port}\r\nAuthorization: Bearer {web.token}\r\n\r\n"
        )
        stuck.sendall(request.encode())
        wait_for(lambda: b"bellboard_gateway_streams 2.0" in web.ask("/metrics").body, what="both streams")
        lines = 2
        until = time.monotonic() + 45
        while b"bellboard_gateway_streams_dropped_total 1.0" not in web.ask("/metrics").body:
            assert time.monotonic() < until, "the reader was not cut off"
            for number in range(200):
                append(house, "well", f"busy-{number}")
            lines += 1
            append(house, "well", "one")
            next(each for each in stream if each[1] == "updated" and each[2]["id"] == "one")
        wait_for(lambda: b"bellboard_gateway_streams 1.0" in web.ask("/metrics").body, what="one stream less")
    assert web.ask("/api/v1/sessions/well/one").json["session"]["message_count"] == lines


def test_what_is_not_safe_is_refused_at_the_start(house: House) -> None:
    beyond = command("serve", "--host", "0.0.0.0", "--port", "0", env=house.env)
    assert beyond.returncode == 1
    assert "say --expose if that is meant" in beyond.stderr
    token = house.root / "token"
    for text, mode, words in (("short", 0o600, "is no token"), ("x" * 32, 0o644, "chmod 600")):
        token.write_text(text)
        token.chmod(mode)
        refused = command("serve", "--port", "0", "--token-file", str(token), env=house.env)
        assert (refused.returncode, words in refused.stderr) == (1, True), refused.stderr
    missing = command("serve", "--port", "0", "--token-file", str(house.root / "none"), env=house.env)
    assert (missing.returncode, "write one there" in missing.stderr) == (1, True)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        busy = command("serve", "--port", str(port), env=house.env)
    assert (busy.returncode, f"cannot listen on 127.0.0.1, port {port}" in busy.stderr) == (1, True)


def test_the_token_file_is_ours_alone_and_stays_the_same(serve: Serve) -> None:
    first, second = serve(), serve()
    assert first.token == second.token
    assert first.code != second.code
    assert first.token not in first.log()

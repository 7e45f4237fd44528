"""A gateway for tests: `bellboard serve` on a port of its own in a house, and a client that asks it."""

import contextlib
import http.client
import json
import os
import re
import subprocess
from collections.abc import Generator, Iterator, Sequence
from typing import Any

from harness import COMMAND, House, wait_for
from msgspec import Struct


class Answer(Struct, frozen=True):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The word of an error."""
        return self.json["error"]["code"]


class Web:
    """A running gateway."""

    def __init__(self, house: House, *words: str, command: Sequence[str] = COMMAND) -> None:
        self._house = house
        self._log = house.root / "gateway.log"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [*command, "serve", "--port", "0", *words], stdout=log, stderr=log, env={**os.environ, **house.env}
            )
        found = wait_for(lambda: self._said(r"serving http://localhost:(\d+)/ \(token in (.+)\)"), 15, "the gateway")
        self.port = int(found[1])
        with open(found[2], encoding="utf-8") as file:
            self.token = file.read().strip()
        self.code = wait_for(lambda: self._said(r"/login\?code=(\S+)"), 5, "the link")[1]

    def _said(self, pattern: str) -> re.Match[str] | None:
        assert self.process.poll() is None, self.log()
        return re.search(pattern, self.log())

    def log(self) -> str:
        """What the gateway wrote."""
        return self._log.read_text()

    def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        token: bool = True,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Ask something, with the token unless told otherwise."""
        sent = ({"authorization": f"Bearer {self.token}"} if token else {}) | (headers or {})
        line = http.client.HTTPConnection("localhost", self.port, timeout=20)
        with contextlib.closing(line):
            line.request(method, path, body=body, headers=sent)
            answer = line.getresponse()
            named = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, named, answer.read())

    @contextlib.contextmanager
    def events(self, last: str | None = None) -> Generator[Iterator[tuple[str, str, Any]]]:
        """Open the event stream. Yields (id, kind, data) of each message as it comes."""
        line = http.client.HTTPConnection("localhost", self.port, timeout=20)
        headers = {"authorization": f"Bearer {self.token}"} | ({} if last is None else {"last-event-id": last})
        with contextlib.closing(line):
            line.request("GET", "/api/v1/events", headers=headers)
            answer = line.getresponse()
            assert (answer.status, answer.getheader("content-type")) == (200, "text/event-stream; charset=utf-8")
            yield messages(answer)

    def close(self) -> None:
        """End it by its process id."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def messages(lines: http.client.HTTPResponse) -> Iterator[tuple[str, str, Any]]:
    """Yield the messages of an event stream."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        elif "data" in fields:
            yield fields.get("id", ""), fields["event"], json.loads(fields["data"])
            fields = {}
        else:
            fields = {}

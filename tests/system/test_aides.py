"""A supervisor that keeps a gateway besides its workers."""

import http.client
import json
import os
import re
import signal

import psutil
import pytest
from faulty import append, settle
from harness import House, alive, wait_for

pytest.importorskip("starlette", reason="needs the extra `web`")


class Kept:
    """A board with one session that keeps a gateway."""

    def __init__(self, house: House) -> None:
        self.house = house
        settle(house, "well", settings='[serve]\nport = 0\nprivacy = "names"\n')
        append(house, "well", "one")
        self.supervisor = house.start("--serve")

    def links(self) -> list[int]:
        """The ports of all gateways so far."""
        return [int(port) for port in re.findall(r"serving http://localhost:(\d+)/", self.house.log())]

    def gateway(self) -> psutil.Process:
        """The process of the present one."""
        children = psutil.Process(self.supervisor.pid).children()
        return next(each for each in children if "serve" in each.cmdline())

    def status(self, port: int) -> int:
        """What the gateway says of the session."""
        token = (self.house.state / "web-token").read_text().strip()
        line = http.client.HTTPConnection("localhost", port, timeout=10)
        try:
            line.request("GET", "/api/v1/sessions/well/one", headers={"authorization": f"Bearer {token}"})
            answer = line.getresponse()
            answer.read()
        except OSError:
            return 0
        finally:
            line.close()
        return answer.status


@pytest.fixture
def kept(house: House) -> Kept:
    return Kept(house)


def test_the_gateway_is_started_again_when_it_dies_and_the_board_does_not_notice(kept: Kept) -> None:
    (first,) = wait_for(kept.links, 15, "the gateway")
    wait_for(lambda: kept.status(first) == 200, 15, "the board on it")
    before = kept.house.health()["well"]["pid"]
    kept.gateway().kill()
    second = wait_for(lambda: kept.links()[1:], 15, "the next gateway")[0]
    wait_for(lambda: kept.status(second) == 200, 15, "the board on the next one, by the same token")
    append(kept.house, "well", "one")
    wait_for(lambda: kept.house.sessions()["one"]["message_count"] == 2, what="the next line")
    assert kept.house.health()["well"]["pid"] == before
    assert "gateway: it ended: killed by SIGKILL" in kept.house.log()


@pytest.mark.parametrize("stopped", [False, True], ids=["running", "stopped"])
def test_no_gateway_outlives_a_killed_supervisor_by_a_second(kept: Kept, stopped: bool) -> None:
    (port,) = wait_for(kept.links, 15, "the gateway")
    wait_for(lambda: kept.status(port) == 200, 15, "the board on it")
    gateway = kept.gateway()
    if stopped:
        os.kill(gateway.pid, signal.SIGSTOP)
    kept.supervisor.kill()
    kept.supervisor.wait()
    wait_for(lambda: not alive(gateway), 1.0, "the end of the gateway")


def test_a_supervisor_that_ends_ends_its_gateway(kept: Kept) -> None:
    (port,) = wait_for(kept.links, 15, "the gateway")
    wait_for(lambda: kept.status(port) == 200, 15, "the board on it")
    gateway = kept.gateway()
    kept.supervisor.terminate()
    assert kept.supervisor.wait(15) == 0
    assert not gateway.is_running()
    assert "Traceback" not in kept.house.log()


def test_what_a_gateway_is_set_to_is_shown(kept: Kept) -> None:
    shown = json.loads(kept.house.command("config", "show", "--json").stdout)["settings"]
    values = {each["key"]: (each["value"], each["origin"]) for each in shown if each["key"].startswith("serve.")}
    assert values == {
        "serve.host": ("127.0.0.1", "default"),
        "serve.port": (0, "file"),
        "serve.token_file": ("", "default"),
        "serve.allow_hosts": ([], "default"),
        "serve.expose": (False, "default"),
        "serve.privacy": ("names", "file"),
    }

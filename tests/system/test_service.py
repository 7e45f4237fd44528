"""A supervisor as a service manager sees it."""

import itertools
import json
import signal
import socket
import time

import psutil
from harness import House, wait_for


def test_systemd_hears_of_a_life_from_ready_to_stopping_and_no_worker_speaks_for_us(house: House) -> None:
    (house.homes / "mock").mkdir()
    (house.homes / "mock" / "one.jsonl").write_text(json.dumps({"activity": "working"}) + "\n")
    heard: list[str] = []
    alive: list[float] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(house.root / "notify.sock"))
        systemd.setblocking(False)

        def said(word: str, times: int = 1) -> bool:
            try:
                while True:
                    words = systemd.recv(4096).decode().split("\n")
                    heard.extend(words)
                    alive.extend([time.monotonic()] * words.count("WATCHDOG=1"))
            except BlockingIOError:
                return heard.count(word) >= times

        env = {"NOTIFY_SOCKET": str(house.root / "notify.sock"), "WATCHDOG_USEC": "4000000"}
        supervisor = house.start("--source", f"mock={house.homes / 'mock'}", env=env)
        wait_for(lambda: said("READY=1") and said("STATUS=1 healthy"), what="READY and a status")
        wait_for(lambda: said("WATCHDOG=1", 4), 20, what="four signs of life")
        assert max(after - before for before, after in itertools.pairwise(alive)) < 3.5, (
            "of four seconds that it is given"
        )
        (worker,) = wait_for(house.workers, what="the worker")
        assert not {"NOTIFY_SOCKET", "WATCHDOG_USEC"} & worker.environ().keys()
        assert psutil.Process(supervisor.pid).status() != psutil.STATUS_ZOMBIE
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(15) == 0
        assert said("STOPPING=1")
        assert heard.count("READY=1") == 1


def test_the_command_prints_the_file_and_installs_nothing(house: House) -> None:
    done = house.command("service", "install", "--print", "--state-dir", "/data/board")
    assert (done.returncode, done.stderr) == (0, "")
    assert "--state-dir" in done.stdout
    assert str(house.runtime) in done.stdout, "what the environment says is written down"
    assert list(house.homes.iterdir()) == []
    assert house.command("service", "status").returncode == 3

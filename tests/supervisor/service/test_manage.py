import os
import sys
from pathlib import Path

import pytest

from bellboard.supervisor.service import manage
from bellboard.supervisor.service.files import MARK
from bellboard.supervisor.service.manage import ServiceError, run

STAND_IN = """#!/bin/sh
echo "$0 $*" >> "$JOURNAL"
[ -z "$REFUSE" ] || { echo "Failed to connect to bus" >&2; exit 1; }
case "$*" in
  *is-active*) [ -e "$ACTIVE" ] && echo active && exit 0; echo inactive; exit 3;;
  *print*) [ -e "$ACTIVE" ] && echo "state = running" && exit 0; exit 113;;
  *enable*|*bootstrap*) touch "$ACTIVE";;
  *disable*|*bootout*) rm -f "$ACTIVE";;
esac
"""


class Machine:
    """A home of its own, and a service manager that notes what it is told."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, platform: str) -> None:
        self.root = root
        self.said: list[str] = []
        programs = root / "bin"
        programs.mkdir()
        for name in ("systemctl", "launchctl"):
            (programs / name).write_text(STAND_IN)
            (programs / name).chmod(0o755)
        patch.setattr(sys, "platform", platform)
        for name, value in {
            "HOME": str(root),
            "PATH": f"{programs}:/usr/bin:/bin",
            "JOURNAL": str(root / "journal"),
            "ACTIVE": str(root / "active"),
        }.items():
            patch.setenv(name, value)
        patch.delenv("XDG_CONFIG_HOME", raising=False)
        place = ".config/systemd/user/bellboard.service"
        self.file = root / ("Library/LaunchAgents/io.github.bellboard.plist" if platform == "darwin" else place)

    def do(self, verb: str, *options: str, only_print: bool = False) -> int:
        self.said.clear()
        return run(verb, options, self.said.append, only_print=only_print)

    def told(self) -> list[str]:
        path = self.root / "journal"
        return [line.partition("/bin/")[2] for line in path.read_text().splitlines()] if path.exists() else []


@pytest.fixture(params=["linux", "darwin"])
def machine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch, request.param)


def test_a_service_is_installed_runs_and_is_removed(machine: Machine) -> None:
    assert machine.do("status") == 3
    assert machine.said == ["not installed (`bellboard service install`)"]
    assert machine.do("install", "--state-dir", "/data/board") == 0
    assert MARK in machine.file.read_text()
    assert "/data/board" in machine.file.read_text()
    assert machine.do("status") == 0
    assert machine.do("install") == 0, "installing again is an update"
    (machine.root / "active").unlink()
    assert machine.do("status") == 3
    assert machine.do("remove") == 0
    assert not machine.file.exists()
    assert machine.do("remove") == 0
    assert machine.said == ["not installed: nothing to remove"]


def test_printing_writes_the_file_to_stdout_and_touches_nothing(machine: Machine) -> None:
    assert machine.do("install", only_print=True) == 0
    assert MARK in machine.said[0]
    assert sys.executable in machine.said[0]
    assert (machine.file.exists(), machine.told()) == (False, [])


def test_somebody_elses_file_is_left_alone(machine: Machine) -> None:
    machine.file.parent.mkdir(parents=True)
    machine.file.write_text("mine")
    for verb in ("install", "remove"):
        with pytest.raises(ServiceError, match="was not written by bellboard: move it away first"):
            machine.do(verb)
    assert (machine.file.read_text(), machine.told()) == ("mine", [])


def test_without_a_service_manager_it_is_said_what_can_be_done(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(
        ServiceError, match=r"there is no (systemctl|launchctl) here; `bellboard service install --print`"
    ):
        machine.do("install")
    assert not machine.file.exists()


def test_a_systemd_that_does_not_run_for_this_user_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    machine = Machine(tmp_path, monkeypatch, "linux")
    monkeypatch.setenv("REFUSE", "1")
    with pytest.raises(ServiceError, match=r"no systemd runs for this user \(Failed to connect to bus\)"):
        machine.do("install")
    assert not machine.file.exists()


def test_a_file_is_removed_though_the_manager_refuses_to_stop_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.do("install")
    monkeypatch.setenv("REFUSE", "1")
    assert machine.do("remove") == 0
    assert "could not be stopped" in machine.said[0]
    assert not machine.file.exists()


def test_another_system_has_no_known_manager(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="no service manager is known for plan9"):
        manage.manager("plan9", [], {"HOME": str(tmp_path)})
    assert os.listdir(tmp_path) == []

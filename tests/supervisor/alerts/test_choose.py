import io
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bellboard.supervisor.alerts import choose
from bellboard.supervisor.alerts.backends import NotifySend, OsaScript, Program, Terminal
from bellboard.supervisor.alerts.choose import backend, way
from bellboard.supervisor.alerts.settings import Notify, Way
from bellboard.supervisor.errors import UsageError

BUS = {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}
KITTY = {"TERM": "xterm-kitty"}


@pytest.fixture
def have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the machine have these programs and no others."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(choose.sys, "platform", "linux")

    def make(*names: str) -> None:
        for name in names:
            (tmp_path / name).write_text("")
            (tmp_path / name).chmod(stat.S_IRWXU)

    return make


@pytest.mark.parametrize(
    ("settings", "environ", "there", "chosen"),
    [
        (Notify(command=("beep",)), {**BUS, **KITTY}, ["notify-send"], "command"),
        (Notify(), {**BUS, **KITTY}, ["notify-send"], "notify-send"),
        (Notify(), {**BUS, **KITTY}, [], "osc99"),
        (Notify(), KITTY, ["notify-send"], "osc99"),
        (Notify(), {"TERM": "xterm"}, [], "bell"),
        (Notify(way="osc9"), BUS, ["notify-send"], "osc9"),
    ],
)
def test_your_command_comes_first_then_the_desktop_then_the_terminal(
    have: Callable[..., None], settings: Notify, environ: dict[str, str], there: list[str], chosen: Way
) -> None:
    have(*there)
    assert way(settings, environ, terminal=True) == chosen


def test_a_mac_has_its_own(have: Callable[..., None], monkeypatch: pytest.MonkeyPatch) -> None:
    have("osascript", "notify-send")
    monkeypatch.setattr(choose.sys, "platform", "darwin")
    assert way(Notify(), BUS, terminal=True) == "osascript"


def test_the_socket_of_the_bus_is_enough(have: Callable[..., None], tmp_path: Path) -> None:
    have("notify-send")
    (tmp_path / "bus").write_text("")
    assert way(Notify(), {"XDG_RUNTIME_DIR": str(tmp_path)}, terminal=False) == "notify-send"


def test_where_nobody_can_be_told_it_says_what_to_do(have: Callable[..., None]) -> None:
    have()
    with pytest.raises(UsageError, match="no way to notify anybody here: install notify-send"):
        way(Notify(), BUS, terminal=False)


def test_each_way_has_its_backend(have: Callable[..., None]) -> None:
    have("notify-send", "osascript", "beep")
    made = [
        backend(each, Notify(command=("beep",)), {}, io.StringIO())
        for each in ("notify-send", "osascript", "command", "bell", "osc9", "osc777", "osc99")
    ]
    assert [type(each) for each in made] == [NotifySend, OsaScript, Program, *4 * [Terminal]]


@pytest.mark.parametrize("each", ["notify-send", "osascript", "command"])
def test_a_program_that_is_not_there_is_said_at_once(have: Callable[..., None], each: Way) -> None:
    have()
    with pytest.raises(UsageError, match="was not found"):
        backend(each, Notify(command=("beep",)), {}, io.StringIO())

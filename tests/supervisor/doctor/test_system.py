import os
import sys
from pathlib import Path

import pytest

from bellboard.protocol.sight import Sight
from bellboard.supervisor.doctor import system
from bellboard.supervisor.doctor.sources import MORE_WATCHES
from bellboard.supervisor.doctor.system import findings, used
from bellboard.supervisor.version import VERSION
from bellboard.supervisor.views.document import Finding
from bellboard.workers.watches import Watches

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="inotify is Linux")


def amiss(found: list[Finding]) -> list[tuple[str, str, str | None]]:
    return [(each.what, each.text, each.mend) for each in found if each.verdict == "problem"]


def test_a_machine_that_is_well_has_nothing_amiss() -> None:
    found = findings({"a": Sight(version=VERSION), "b": "it died"})
    assert amiss(found) == []
    assert {each.what for each in found} == {"versions", "clock", "inotify"}


def test_workers_of_another_version_are_told() -> None:
    ((what, text, mend),) = amiss(findings({"a": Sight(version="0.0.1"), "b": Sight(version="")}))
    assert (what, mend) == ("versions", "install it once more: pip install --force-reinstall bellboard")
    assert text.endswith("; workers are of version 0.0.1")


def test_a_clock_that_was_never_set_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system, "YEAR", 9999)
    ((what, text, mend),) = amiss(findings({}))
    assert (what, text.startswith("it says 20"), mend) == ("clock", True, "sudo timedatectl set-ntp true")


@LINUX
def test_a_limit_of_inotify_that_is_nearly_reached_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "max_user_instances").write_text("10\n")
    (tmp_path / "max_user_watches").write_text("100\n")
    monkeypatch.setattr(system, "INOTIFY", str(tmp_path))
    monkeypatch.setattr(system, "used", lambda: (9, 89))
    assert amiss(findings({})) == [("inotify", "max_user_instances: 9 of 10 in use", MORE_WATCHES)]
    (tmp_path / "max_user_watches").unlink()
    assert findings({})[-1].text == f"{tmp_path}/max_user_watches cannot be read"


@LINUX
def test_watches_that_are_in_use_are_counted(tmp_path: Path) -> None:
    watches = Watches()
    try:
        watches.sync([str(tmp_path)])
        instances, watched = used()
    finally:
        watches.close()
    assert (instances > 0, watched > 0) == (True, True)
    assert used(str(tmp_path / "none")) == (0, 0)


@LINUX
def test_only_ones_own_processes_are_counted(tmp_path: Path) -> None:
    folder = tmp_path / "1"
    (folder / "fd").mkdir(parents=True)
    (folder / "fdinfo").mkdir()
    for fd, target in (("3", "anon_inode:inotify"), ("4", "/dev/null")):
        (folder / "fd" / fd).symlink_to(target)
        (folder / "fdinfo" / fd).write_text("pos: 0\ninotify wd:2 ino:1\ninotify wd:1 ino:1\n")
    assert os.stat(folder).st_uid == os.getuid()
    assert used(str(tmp_path)) == (1, 2)

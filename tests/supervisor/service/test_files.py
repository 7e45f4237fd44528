import plistlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bellboard.supervisor.service.files import LABEL, MARK, UNIT, plist, unit

ODD = ["/opt/with space/py%thon", "-m", "bellboard.supervisor", "run", "--state-dir", '/a/$HOME "x" \\y']
ENVIRON = {
    "CODEX_HOME": "/data/my codex",
    "BELLBOARD_CONFIG": "/c%d.toml",
    "SECRET_TOKEN": "s3cret",
    "XDG_DATA_HOME": "",
}


def test_a_command_and_its_variables_are_written_as_systemd_reads_them() -> None:
    text = unit(ODD, ENVIRON)
    lines = text.splitlines()
    assert (
        'ExecStart="/opt/with space/py%%thon" -m bellboard.supervisor run --state-dir "/a/$$HOME \\"x\\" \\\\y"'
        in lines
    )
    assert [line for line in lines if line.startswith("Environment")] == [
        'Environment="BELLBOARD_CONFIG=/c%%d.toml"',
        'Environment="CODEX_HOME=/data/my codex"',
    ]
    assert "s3cret" not in text
    assert lines[0] == f"# {MARK}"
    for wanted in ("Type=notify", "WatchdogSec=30", "KillMode=mixed", "RestrictAddressFamilies=AF_UNIX", "UMask=0077"):
        assert wanted in lines


ANALYZE = shutil.which("systemd-analyze")


@pytest.mark.skipif(ANALYZE is None, reason="this system has no systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    path = tmp_path / UNIT
    path.write_text(unit([sys.executable, "-m", "bellboard.supervisor", "run"], ENVIRON))
    done = subprocess.run(
        [str(ANALYZE), "--user", "verify", "--man=no", path],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"},
    )
    ours = [line for line in done.stderr.splitlines() if UNIT in line]
    assert (done.returncode, ours) == (0, []), done.stderr


def test_the_property_list_says_the_same_to_launchd() -> None:
    text = plist(ODD, ENVIRON, "/h/Library/Logs/bellboard.log")
    assert MARK in text
    content = plistlib.loads(text.encode())
    assert content["ProgramArguments"] == ODD
    assert content["EnvironmentVariables"] == {"BELLBOARD_CONFIG": "/c%d.toml", "CODEX_HOME": "/data/my codex"}
    assert (content["Label"], content["KeepAlive"], content["Umask"]) == (LABEL, {"SuccessfulExit": False}, 0o077)

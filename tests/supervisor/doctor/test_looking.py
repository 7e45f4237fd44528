from pathlib import Path

import pytest

from bellboard.protocol.sight import Question, Sight
from bellboard.supervisor.doctor import looking
from bellboard.supervisor.doctor.looking import look

TROUBLE = """
import ctypes, os, sys, time
from bellboard.sources import SessionHandle

class Source:
    name = "trouble"

    def __init__(self, trouble=""):
        self.trouble = trouble

    def discover(self):
        print("this is said on stdout")
        if self.trouble == "abort":
            os.abort()
        if self.trouble == "exit":
            sys.exit("enough")
        if self.trouble == "hang":
            time.sleep(600)
        if self.trouble == "raise":
            raise ValueError("not today")
        return [SessionHandle(id="one", path="/one", source="trouble", modified_at=5.0)]

    def parse(self, handle, cursor):
        return None, cursor
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "trouble_source.py").write_text(TROUBLE)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def question(trouble: str) -> Question:
    return Question(source=trouble or "well", factory="trouble_source:Source", options={"trouble": trouble})


def test_each_source_is_looked_at_by_a_process_of_its_own_and_spoils_only_its_own_answer() -> None:
    troubles = ("", "abort", "exit", "raise")
    missing = Question(source="missing", factory="no_such_module:Source")
    found = look([*(question(trouble) for trouble in troubles), missing])
    well = found.pop("well")
    assert isinstance(well, Sight)
    assert (well.error, well.sessions, well.newest) == (None, 1, 5.0)
    raised, absent = found.pop("raise"), found.pop("missing")
    assert isinstance(raised, Sight)
    assert raised.error == "cannot list its sessions: ValueError: not today"
    assert isinstance(absent, Sight)
    assert absent.error == "cannot be loaded: ModuleNotFoundError: No module named 'no_such_module'"
    assert isinstance(found["abort"], str)
    assert found["abort"].startswith("its process ended: killed by SIGABRT")
    assert found["exit"] == "its process ended: exit code 1 (enough)"


def test_one_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "LOOK_SECONDS", 1.0)
    assert look([question("hang")]) == {"hang": "it did not come to an end within 1 s"}

"""The mock: told in the same process, or through the files of a folder."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.catalog import load
from bellboard.sources.conformance import Conformance, Step
from bellboard.sources.contract import Registry, SessionHandle, Source, Watching
from bellboard.sources.errors import SourceError, SourceUnavailable
from bellboard.sources.mock import FolderSource, MockError, MockSource, register

SAID = SourceUpdate(session_id="a", message_count_delta=1)
DONE = SourceUpdate(session_id="a", activity="waiting")


def test_a_script_is_taken_step_by_step_and_every_call_is_recorded() -> None:
    source = MockSource({"a": [SAID, None, DONE], "b": []}, name="pretend")
    first, second = source.discover()

    assert first == SessionHandle(id="a", path="/mock/a", source="pretend")
    assert source.parse(first, "") == (SAID, "1")
    assert source.parse(first, "1") == (None, "2")
    assert source.parse(first, "2") == (DONE, "3")
    assert source.parse(first, "3") == (None, "3")
    assert source.parse(second, "") == (None, "")
    assert source.parse(SessionHandle(id="c", path="", source="pretend"), "") == (None, "")
    assert source.calls[:3] == [("discover",), ("parse", "a", ""), ("parse", "a", "1")]
    assert len(source.calls) == 7

    source.script["a"].append(SAID)
    assert source.parse(first, "3") == (SAID, "4")


def test_an_error_in_a_script_is_raised_once() -> None:
    source = MockSource({"a": [SAID, OSError("no"), DONE]})
    (handle,) = source.discover()

    with pytest.raises(OSError, match="no"):
        source.parse(handle, "1")
    assert source.parse(handle, "1") == (DONE, "3")
    assert source.parse(handle, "1") == (DONE, "3")


def test_discover_fails_on_demand() -> None:
    source = MockSource()
    source.discover_error = SourceError("broken")
    with pytest.raises(SourceError, match="broken"):
        source.discover()
    source.discover_error = None
    assert source.discover() == []


def write(folder: Path, *rows: Any, name: str = "a") -> None:
    with (folder / f"{name}.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)


def test_a_folder_s_lines_are_updates_one_at_a_call(tmp_path: Path) -> None:
    evidence = {"kind": "record", "detail": "x", "since": "2026-01-02T03:04:05Z"}
    write(
        tmp_path, {"activity": "working", "message_count_delta": 2, "evidence": evidence}, "\n", {"session_id": "other"}
    )
    source = FolderSource(str(tmp_path))
    (handle,) = source.discover()
    assert (handle.id, handle.path, handle.source) == ("a", str(tmp_path / "a.jsonl"), "mock")

    first, cursor = source.parse(handle, "")
    since = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    told = Evidence(kind="record", detail="x", since=since)
    assert first == SourceUpdate(session_id="a", activity="working", message_count_delta=2, evidence=told)
    blank, cursor = source.parse(handle, cursor)
    third, cursor = FolderSource(str(tmp_path)).parse(handle, cursor)
    assert (blank, third) == (None, SourceUpdate(session_id="other"))
    assert source.parse(handle, cursor) == (None, cursor)
    assert source.parse(SessionHandle(id="a", path=handle.path, source="mock"), cursor) == (None, cursor)

    write(tmp_path, "garbage\n", "5\n", '{"message_count_delta": "many"}\n', '{"sleep": "long"}\n', '{"torn": ')
    (handle,) = source.touched([handle.path, "elsewhere.jsonl", str(tmp_path)])
    for _ in range(4):
        update, cursor = source.parse(handle, cursor)
        assert update == SourceUpdate(session_id="a", unknown_records_delta=1)
    assert source.parse(handle, cursor)[0] is None


def test_a_script_that_is_written_anew_begins_anew(tmp_path: Path) -> None:
    write(tmp_path, {"message_count_delta": 2}, {"message_count_delta": 3})
    source = FolderSource(str(tmp_path))
    (handle,) = source.discover()
    _, cursor = source.parse(handle, "")
    _, cursor = source.parse(handle, cursor)

    (tmp_path / "a.jsonl").write_text("")
    update, cursor = source.parse(source.discover()[0], cursor)
    assert update == SourceUpdate(session_id="a", restart=True)
    write(tmp_path, {"message_count_delta": 1})
    update, cursor = source.parse(source.discover()[0], cursor)
    assert update == SourceUpdate(session_id="a", message_count_delta=1)

    (tmp_path / "a.jsonl").unlink()
    assert source.discover() == []
    assert source.parse(SessionHandle(id="a", path=handle.path, source="mock"), cursor) == (None, cursor)


def test_an_order_to_raise_stands_until_it_is_lifted(tmp_path: Path) -> None:
    write(tmp_path, {"raise": "out of order", "unless": "repaired"}, {"message_count_delta": 1})
    source = FolderSource(str(tmp_path))
    (handle,) = source.discover()
    for _ in range(2):
        with pytest.raises(MockError, match="out of order"):
            source.parse(handle, "")
    (tmp_path / "repaired").touch()
    update, cursor = source.parse(handle, "")
    assert update is None
    assert source.parse(handle, cursor)[0] == SourceUpdate(session_id="a", message_count_delta=1)


def test_discover_obeys_an_order_of_its_own(tmp_path: Path) -> None:
    source = FolderSource(str(tmp_path))
    (tmp_path / "discover.json").write_text('{"raise": "no list today"}')
    with pytest.raises(MockError, match="no list today"):
        source.discover()
    (tmp_path / "discover.json").unlink()
    assert source.discover() == []


def test_an_order_to_sleep_takes_its_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    write(tmp_path, {"sleep": 0.5})
    source = FolderSource(str(tmp_path))
    assert source.parse(source.discover()[0], "")[0] is None
    assert slept == [0.5]


def ordered(folder: Path, row: dict[str, Any]) -> subprocess.Popen[bytes]:
    """Let a process of its own take one line; it says so before."""
    write(folder, row)
    code = """if True:
        import sys
        from bellboard.sources.mock import FolderSource
        source = FolderSource(sys.argv[1])
        print("now", flush=True)
        source.parse(source.discover()[0], "")
    """
    command = [sys.executable, "-c", code, str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


@pytest.mark.parametrize(("row", "code"), [({"exit": 3}, 3), ({"abort": True}, -signal.SIGABRT), ({"sleep": 0}, 0)])
def test_orders_that_end_the_process_end_it(tmp_path: Path, row: dict[str, Any], code: int) -> None:
    with ordered(tmp_path, row) as process:
        assert process.wait(20) == code


def test_an_order_to_spin_is_not_ended_by_a_polite_signal(tmp_path: Path) -> None:
    with ordered(tmp_path, {"spin": True}) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"now\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        os.kill(process.pid, signal.SIGKILL)
        assert process.wait(20) == -signal.SIGKILL


def test_without_a_folder_there_is_nothing_to_find(tmp_path: Path) -> None:
    registry = Registry()
    register(registry)
    with pytest.raises(SourceUnavailable) as error:
        registry.create("mock").discover()
    assert error.value.looked == ()

    missing = FolderSource(str(tmp_path / "none"))
    with pytest.raises(SourceUnavailable) as error:
        missing.discover()
    assert error.value.looked == (str(tmp_path / "none"),)
    assert FolderSource(None).watch() == []


def test_it_comes_through_the_door_of_all_sources(tmp_path: Path) -> None:
    write(tmp_path, {"message_count_delta": 1})
    source = load("mock", None, {"home": str(tmp_path)})
    assert [handle.id for handle in source.discover()] == ["a"]
    assert isinstance(source, Watching)
    assert (list(source.watch()), list(source.pulse())) == ([str(tmp_path)], [])


class TestFolder(Conformance):
    """A folder of scripts keeps the contract."""

    told = f'"activity": "working", "evidence": {{"kind": "none"}}, "remark": "{"." * 4000}"'
    steps = (
        Step(b'{%s, "message_count_delta": 1}\n' % told.encode(), messages=1),
        Step(b'{%s, "tool_call_count_delta": 2, "message_count_delta": 1}\n' % told.encode(), messages=1, tool_calls=2),
    )  # fmt: skip

    def source(self, home: Path) -> Source:
        return FolderSource(str(home))

    def artifact(self, home: Path) -> Path:
        return home / "a.jsonl"

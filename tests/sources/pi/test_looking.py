"""Which sessions there are, and to which of them a change on the disk belongs."""

import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pi_home import OTHER, PROJECT, SESSION, Home, assistant, header, lines, name_of, user

from bellboard.sources import Registry, SourceUnavailable
from bellboard.sources.contract import SessionHandle, Watching
from bellboard.sources.pi import PiSource, register
from bellboard.sources.pi.naming import HEADER_LIMIT, born_of, id_in

VARIABLES = ("PI_CODING_AGENT_DIR", "PI_CODING_AGENT_SESSION_DIR")


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return Home(tmp_path / ".pi")


def put(folder: Path, name: str, session: str = SESSION) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_bytes(lines(header(session), user("a", None, 1)))
    return path


def ids(handles: Iterable[SessionHandle]) -> list[str]:
    return sorted(handle.id for handle in handles)


def test_without_a_home_the_agent_is_not_installed(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        PiSource(home=str(tmp_path / "none")).discover()
    assert caught.value.looked == (str(tmp_path / "none"),)


def test_an_empty_home_has_no_sessions(home: Home) -> None:
    assert home.source().discover() == []


def test_a_handle_says_what_names_and_times_tell(home: Home) -> None:
    path = home.write(header())
    os.utime(path, (1000, 2000))

    (handle,) = home.source().discover()

    assert (handle.id, handle.path, handle.source, handle.live) == (SESSION, str(path), "pi", False)
    assert (handle.modified_at, handle.started_at) == (2000, datetime(2026, 1, 2, 3, 4, tzinfo=UTC))
    assert handle.stamp
    assert "|" not in handle.stamp


@pytest.mark.parametrize(
    "folder", ["agent/sessions/--w--", "agent/sessions", "sessions/--w--", "sessions", "--w--", ""]
)
def test_the_folder_may_be_the_home_the_agents_or_that_of_the_sessions(home: Home, folder: str) -> None:
    put(home.root / folder, name_of())

    assert ids(home.source().discover()) == [SESSION]


@pytest.mark.parametrize("folder", ["w", "agent/--w--", "agent/sessions/--w--/deeper", "sessions/--w--/run-1"])
def test_other_folders_are_nobodys(home: Home, folder: str) -> None:
    put(home.root / folder, name_of())

    assert home.source().discover() == []


def test_the_client_looks_in_its_own_folder_and_where_the_environment_says(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(home.root / "agent/sessions/--w--", name_of())
    put(tmp_path / "agent/sessions/--w--", name_of(OTHER), OTHER)
    put(tmp_path / "flat", "chosen.jsonl", "chosen")
    assert ids(PiSource().discover()) == [SESSION]

    monkeypatch.setenv("PI_CODING_AGENT_SESSION_DIR", str(tmp_path / "flat"))
    assert ids(PiSource().discover()) == [SESSION, "chosen"]

    monkeypatch.setenv("PI_CODING_AGENT_DIR", str(tmp_path / "agent"))
    assert ids(PiSource().discover()) == [OTHER, "chosen"]

    # a named home is that home and nothing else
    assert ids(home.source().discover()) == [SESSION]


def test_settings_may_name_the_folder(home: Home, tmp_path: Path) -> None:
    source = PiSource()
    put(tmp_path / "mine", "a.jsonl", "a")
    settings = home.root / "agent/settings.json"
    settings.parent.mkdir()
    assert source.discover() == []

    settings.write_text('{"sessionDir": "~/mine"}', encoding="utf-8")
    assert ids(source.discover()) == ["a"]
    assert str(tmp_path / "mine") in source.watch()

    for text in ('{"sessionDir": "relative"}', '{"sessionDir": 7}', "[]", '{"sessionDir": "/\\u0000"}', "{", ""):
        settings.write_text(text, encoding="utf-8")
        assert source.discover() == []
        assert source.watch() == [f"{home.root}/agent", f"{home.root}/agent/sessions"]


def test_several_homes(home: Home, tmp_path: Path) -> None:
    put(home.root / "agent/sessions", name_of())
    put(tmp_path / "second/sessions", name_of(OTHER), OTHER)

    source = PiSource(home=[str(home.root), str(tmp_path / "second"), str(tmp_path / "none")])

    assert ids(source.discover()) == [SESSION, OTHER]


def test_names_and_first_lines_tell_whose_file_it_is(home: Home) -> None:
    folder = home.root / "agent/sessions/--w--"
    put(folder, name_of(), "another id in the header")
    put(folder, "2026-01-02T03-04-05-000Z_my_own.jsonl", "my_own")
    put(folder, "given.jsonl", "given")
    put(folder, f"{OTHER}.jsonl", "named like an id")
    (folder / "empty.jsonl").touch()
    (folder / "notes.jsonl").write_bytes(lines(user("a", None, 1)))
    (folder / "torn.jsonl").write_bytes(lines(header("torn"))[:-1])
    (folder / "garbage.jsonl").write_bytes(b"\xff\n")
    (folder / "number.jsonl").write_bytes(lines({"type": "session", "id": 7}))
    (folder / "long.jsonl").write_bytes(lines(header("long", cwd="x" * HEADER_LIMIT)))
    put(folder, "marked.jsonl").write_bytes(b"\xef\xbb\xbf\n\0" + lines(header("marked")))
    put(folder, "other.txt", "other")

    assert ids(home.source().discover()) == [SESSION, "given", "marked", "my_own", "named like an id"]


def test_a_first_line_is_looked_at_once_in_each_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(home.root / "sessions", "given.jsonl", "given")
    torn = put(home.root / "sessions", "torn.jsonl")
    torn.write_bytes(lines(header("torn"))[:-1])
    (home.root / "sessions/notes.jsonl").write_bytes(lines(user("a", None, 1)))
    source = home.source()
    assert ids(source.discover()) == ["given"]

    with path.open("ab") as file:
        file.write(lines(assistant("b", "a", 2)))
    with torn.open("ab") as file:
        file.write(b"\n")
    looked: list[str] = []
    pread = os.pread

    def counting(fd: int, size: int, offset: int) -> bytes:
        looked.append(os.readlink(f"/proc/self/fd/{fd}"))
        return pread(fd, size, offset)

    monkeypatch.setattr(os, "pread", counting)
    assert ids(source.discover()) == ["given", "torn"]
    assert ids(source.discover()) == ["given", "torn"]
    assert looked == [str(torn)]


def test_of_two_files_with_one_id_the_one_last_written_counts(home: Home) -> None:
    first = home.write(header(), user("a", None, 1))
    second = put(home.root / "agent/sessions/--other--", name_of())
    os.utime(first, (1000, 3000))
    os.utime(second, (1000, 2000))
    assert [handle.path for handle in home.source().discover()] == [str(first)]

    os.utime(second, (1000, 4000))
    assert [handle.path for handle in home.source().discover()] == [str(second)]


def test_unchanged_files_keep_their_handles(home: Home) -> None:
    home.write(header())
    source = home.source()
    (before,) = source.discover()
    (after,) = source.discover()
    assert after is before

    home.write(user("a", None, 1))
    (later,) = source.discover()
    assert later.stamp != before.stamp


def test_a_root_that_cannot_be_read_is_an_error_and_a_project_hides_only_itself(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.write(header())
    closed = home.root / "agent/sessions/--closed--"
    closed.mkdir()
    scandir = os.scandir

    def refuse(path: str) -> object:
        if path == str(closed):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert ids(home.source().discover()) == [SESSION]

    closed = home.root / "agent/sessions"
    with pytest.raises(PermissionError):
        home.source().discover()


def test_changes_belong_to_sessions(home: Home) -> None:
    path = home.write(header())
    other = home.write(header(OTHER), session=OTHER)
    source = home.source()
    before = source.discover()

    home.write(user("a", None, 1))
    (handle,) = source.touched([str(path), str(path)])
    assert handle.id == SESSION
    assert handle.stamp not in {each.stamp for each in before}
    assert ids(source.touched([str(path.parent)])) == [SESSION, OTHER]
    assert ids(source.touched([f"{path.parent}/"])) == [SESSION, OTHER]

    elsewhere = [home.root, home.root / "agent/settings.json", path.parent / "x.tmp", path.parent / "none.jsonl"]
    assert source.touched([*map(str, elsewhere), "", "/", "/etc/passwd.jsonl"]) == []

    other.unlink()
    assert source.touched([str(other)]) == []


def test_a_new_file_is_found_by_its_change_alone(home: Home) -> None:
    source = home.source()
    path = home.write(header())

    assert ids(source.touched([str(path)])) == [SESSION]


def test_a_copy_is_not_the_session_unless_it_is_written(home: Home) -> None:
    first = home.write(header())
    second = put(home.root / "agent/sessions/--other--", name_of())
    os.utime(second, (1000, 2000))
    source = home.source()
    source.discover()

    assert [handle.path for handle in source.touched([str(second)])] == [str(first)]


def test_folders_worth_watching(home: Home) -> None:
    home.write(header())
    source = home.source()
    source.discover()

    folders = source.watch()

    sessions = f"{home.root}/agent/sessions"
    assert set(folders) == {
        str(home.root), f"{home.root}/agent", sessions, f"{home.root}/sessions", f"{sessions}/{PROJECT}",
    }  # fmt: skip
    assert len(folders) == len(set(folders))


def test_a_project_without_a_session_is_watched_because_its_first_file_comes_later(home: Home) -> None:
    folder = home.root / f"agent/sessions/{PROJECT}"
    folder.mkdir(parents=True)
    source = home.source()

    assert list(source.discover()) == []
    assert str(folder) in source.watch()


def test_only_so_many_projects_are_watched(home: Home) -> None:
    for number in range(60):
        path = put(home.root / f"sessions/--p{number:02d}--", f"{number}.jsonl", f"s{number}")
        os.utime(path, (1000, 1000 + number))
    source = home.source()
    source.discover()

    projects = [folder for folder in source.watch() if "--p" in folder]

    assert len(projects) == 32
    assert projects[0].endswith("--p59--")


@pytest.mark.parametrize(
    ("name", "session"),
    [
        (name_of(), SESSION),
        (name_of("my_own"), None),
        (f"{SESSION}.jsonl", None),
        (f"note_{SESSION}.jsonl", None),
        ("2026-01-02T03-04-00-000Z_.jsonl", None),
    ],
)
def test_the_id_in_a_name(name: str, session: str | None) -> None:
    assert id_in(name) == session


def test_the_time_in_a_name() -> None:
    assert born_of(name_of()) == datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    assert born_of("2026-99-02T03-04-00-000Z_x.jsonl") is None
    assert born_of("x.jsonl") is None


def test_the_source_comes_through_the_door_of_all_sources(home: Home) -> None:
    registry = Registry()
    register(registry, home=str(home.root))

    source = registry.create("pi")

    assert isinstance(source, Watching)
    assert list(source.discover()) == []
    assert list(source.pulse()) == []

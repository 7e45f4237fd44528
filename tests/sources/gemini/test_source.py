"""Where the source looks, what it finds there, and what it wakes up for."""

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest
from gemini_home import FILE, SESSION, Home, gemini, header, user

from bellboard.sources.contract import Registry, SessionHandle, Watching
from bellboard.sources.errors import SourceUnavailable
from bellboard.sources.gemini import GeminiSource, register

CHILD = "2c2c2c2c-0000-4000-8000-000000000002"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".gemini")


def test_a_home_that_is_not_there_is_unavailable(home: Home) -> None:
    with pytest.raises(SourceUnavailable) as error:
        home.handles()
    assert error.value.looked == (str(home.root),)


def test_an_empty_home_has_no_sessions(home: Home) -> None:
    home.root.mkdir()
    assert home.handles() == []


def test_a_handle_says_what_names_and_folders_say(home: Home) -> None:
    home.write(header(), user("u", 1))
    (home.root / "tmp/app/.project_root").write_text("/home/me/My App\n")
    os.utime(home.path(), ns=(0, 1_700_000_000_500_000_000))
    inode = home.path().stat().st_ino
    size = home.path().stat().st_size

    (handle,) = home.handles()

    assert handle == SessionHandle(
        id="1f0c24aa",
        path=str(home.path()),
        source="gemini",
        working_dir="/home/me/My App",
        started_at=datetime(2026, 1, 2, 3, 4, tzinfo=UTC),
        modified_at=1_700_000_000.5,
        stamp=handle.stamp,
    )
    assert handle.stamp.startswith(f"{1_700_000_000_500_000_000:x}.{size:x}.{inode:x},")


def test_only_files_of_sessions_are_found(home: Home) -> None:
    home.write(header(), user("u", 1))
    home.write(header(), user("u", 1), name=f"{SESSION}/{CHILD}.jsonl")
    for name in (
        "notes.jsonl",
        "session-1.jsonl",
        f"{FILE}.unreadable-1700",
        f"{FILE}.tmp-7",
        "session-2026-01-02T03-04-.jsonl",
    ):
        home.write(header(), name=name)
    home.write(header(), name=f"{SESSION}/deeper/{CHILD}.jsonl")
    home.write(header(), project="bin")
    home.write(header(), name=f"{SESSION}/a\x1bb.jsonl")
    (home.root / "tmp/app/logs.json").write_text("[]")
    (home.root / "tmp/app/checkpoint-a.json").write_text("[]")
    home.path("session-2026-01-02T03-04-deadbeef.jsonl").mkdir()
    (home.root / "tmp/linked").symlink_to(home.root / "tmp/app")

    assert {handle.id for handle in home.handles()} == {"1f0c24aa", CHILD}


def test_a_subagent_called_like_a_session_keeps_its_own_name(home: Home) -> None:
    home.write(header(), user("u", 1))
    home.write(header(session="1f0c24aa", kind="subagent"), user("u", 1), name="parent/1f0c24aa.jsonl")
    assert {handle.id for handle in home.handles()} == {"1f0c24aa", "parent/1f0c24aa"}


def test_the_folder_of_a_project_is_known_from_several_places(home: Home) -> None:
    home.write(header())
    assert [handle.working_dir for handle in home.handles()] == [None]
    index = home.root / "projects.json"
    for text in ("", "[]", '{"projects": 5}', '{"projects": {"/home/me/app": 5}}', "\xff"):
        index.write_text(text)
        assert [handle.working_dir for handle in home.handles()] == [None]
    index.write_text('{"projects": {"/home/me/app": "app"}}')
    assert [handle.working_dir for handle in home.handles()] == ["/home/me/app"]
    (home.root / "tmp/app/.project_root").write_text("/home/me/elsewhere")
    assert [handle.working_dir for handle in home.handles()] == ["/home/me/elsewhere"]


def test_a_source_notices_that_a_project_s_folder_changes(home: Home) -> None:
    home.write(header(), user("u", 1))
    source = GeminiSource(home=str(home.root))
    (before,) = source.discover()
    _, cursor = source.parse(before, "")
    (home.root / "projects.json").write_text('{"projects": {"/home/me/app": "app"}}')
    (after,) = source.discover()
    update, cursor = source.parse(after, cursor)
    assert (before.working_dir, after.working_dir) == (None, "/home/me/app")
    assert update is not None
    assert (update.working_dir, update.message_count_delta) == ("/home/me/app", 0)
    assert source.parse(after, cursor) == (None, cursor)
    (home.root / "projects.json").write_text("half writ")
    assert source.discover() == [after]


def test_a_session_is_known_by_the_hash_of_a_folder_that_comes_to_be_known(home: Home) -> None:
    home.write(header(projectHash=sha256(b"/home/me/app").hexdigest()))
    assert home.shown("working_dir") == (None,)
    (home.root / "projects.json").write_text('{"projects": {"/home/me/app": "app-1"}}')
    assert home.shown("working_dir") == ("/home/me/app",)


def test_where_the_home_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", "/home/nobody-at-all")
    monkeypatch.delenv("GEMINI_CLI_HOME", raising=False)

    def looked(home: str | list[str] | None) -> tuple[str, ...]:
        with pytest.raises(SourceUnavailable) as error:
            GeminiSource(home=home).discover()
        return error.value.looked

    assert looked(None) == ("/home/nobody-at-all/.gemini",)
    assert looked("~/other") == ("/home/nobody-at-all/other",)
    assert looked([str(tmp_path / "a"), "~/b"]) == (str(tmp_path / "a"), "/home/nobody-at-all/b")
    monkeypatch.setenv("GEMINI_CLI_HOME", str(tmp_path))
    assert looked(None) == (str(tmp_path / ".gemini"),)
    assert looked("~/other") == ("/home/nobody-at-all/other",)


def test_several_homes_are_one_source(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "a"), Home(tmp_path / "b")
    first.write(header(), user("u", 1))
    second.write(header(), user("u", 1), user("v", 2))
    second.write(header(session=CHILD), user("u", 1), name="session-2026-01-02T03-04-2c2c2c2c.jsonl")
    both = Home(tmp_path, home=[str(first.root), str(tmp_path / "none"), str(second.root)])
    assert {name: session["message_count"] for name, session in both.read().items()} == {SESSION: 2, CHILD: 1}


def test_what_is_worth_watching(home: Home) -> None:
    home.write(header())
    home.write(header(), name=f"{SESSION}/{CHILD}.jsonl")
    (home.root / "tmp/fresh").mkdir()
    (home.root / "tmp/bin").mkdir()
    source = GeminiSource(home=str(home.root))
    assert isinstance(source, Watching)
    tmp = f"{home.root}/tmp"
    assert sorted(source.watch()) == [
        str(home.root), tmp, f"{tmp}/app/chats", f"{tmp}/app/chats/{SESSION}", f"{tmp}/fresh",
    ]  # fmt: skip
    assert list(source.pulse()) == []


def test_a_touched_file_names_its_session(home: Home) -> None:
    home.write(header(), user("u", 1))
    home.write(header(), name="session-2026-01-02T03-04-00000000.jsonl")
    source = GeminiSource(home=str(home.root))
    known = {handle.id: handle for handle in source.discover()}

    assert source.touched([str(home.path())]) == [known["1f0c24aa"]]
    home.write(gemini("g", 2))
    (touched,) = source.touched([str(home.path()), str(home.path())])
    assert (touched.id, touched.stamp != known["1f0c24aa"].stamp) == ("1f0c24aa", True)

    child = home.path(f"{SESSION}/{CHILD}.jsonl")
    home.write(header(9, CHILD), name=f"{SESSION}/{CHILD}.jsonl")
    assert [handle.id for handle in source.touched([str(child)])] == [CHILD, "1f0c24aa"]
    assert {handle.id for handle in source.discover()} == {"1f0c24aa", "00000000", CHILD}
    child.unlink()
    assert [handle.id for handle in source.touched([str(child)])] == ["1f0c24aa"]

    others = [
        str(home.root),
        f"{home.root}/projects.json",
        f"{home.root}/tmp/app/logs.json",
        "/elsewhere/a.jsonl",
        str(child.parent),
    ]
    assert source.touched(others) == []


def test_a_project_that_cannot_be_listed_hides_no_other(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    import bellboard.sources.files as module

    real = os.scandir

    def refused(path: str) -> object:
        if path.endswith(refused_ending):
            raise PermissionError(13, "Permission denied")
        return real(path)

    refused_ending = "closed/chats"
    monkeypatch.setattr(module.os, "scandir", refused)
    home.write(header(), project="closed")
    with pytest.raises(PermissionError):
        home.handles()
    home.write(header())
    source = GeminiSource(home=str(home.root))
    assert [handle.path for handle in source.discover()] == [str(home.path())]
    assert f"{home.root}/tmp/closed/chats" in source.watch()

    refused_ending = "/tmp"
    source = GeminiSource(home=str(home.root))
    with pytest.raises(PermissionError):
        source.discover()
    assert source.watch() == [str(home.root), f"{home.root}/tmp"]


def test_register_offers_the_source(home: Home) -> None:
    home.write(header())
    registry = Registry()
    register(registry, home=str(home.root))
    assert [handle.id for handle in registry.create("gemini").discover()] == ["1f0c24aa"]

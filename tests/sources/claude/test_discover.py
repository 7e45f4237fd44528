"""Sessions are found by their names alone, in one config folder or several."""

import itertools
import os
from pathlib import Path

import pytest
from claude_home import OTHER, SESSION, Desk, Table, prompt

from bellboard.sources.claude import ClaudeSource, register
from bellboard.sources.contract import Registry, Watching
from bellboard.sources.errors import SourceUnavailable


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "home")


def test_a_home_that_does_not_exist_is_unavailable_and_says_where_it_looked(tmp_path: Path) -> None:
    with pytest.raises(SourceUnavailable) as caught:
        ClaudeSource(home=str(tmp_path / "no")).discover()
    assert caught.value.looked == (str(tmp_path / "no"),)


def test_an_empty_home_has_no_sessions(tmp_path: Path) -> None:
    assert ClaudeSource(home=str(tmp_path)).discover() == []


def test_without_a_setting_the_clients_own_variable_counts(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.write(prompt())
    monkeypatch.setenv("CLAUDE_CONFIG_DIR", str(desk.root))
    assert [handle.id for handle in ClaudeSource().discover()] == [SESSION]
    monkeypatch.delenv("CLAUDE_CONFIG_DIR")
    monkeypatch.setenv("HOME", str(desk.root.parent / "nobody"))
    with pytest.raises(SourceUnavailable) as caught:
        ClaudeSource().discover()
    assert caught.value.looked == (str(desk.root.parent / "nobody/.claude"),)


def test_it_is_registered_under_its_name_with_its_options(desk: Desk) -> None:
    desk.write(prompt())
    registry = Registry()
    register(registry, home=[str(desk.root)])
    source = registry.create("claude")
    assert isinstance(source, Watching)
    assert [handle.source for handle in source.discover()] == [source.name] == ["claude"]


def test_only_transcripts_named_by_a_session_are_sessions(desk: Desk) -> None:
    project = desk.write(prompt()).parent
    for name in ("notes.jsonl", f"{OTHER}.jsonl.bak", f"{OTHER}.json", "agent-xyz.txt", f"{OTHER}"):
        (project / name).touch()
    (project / "memory").mkdir()
    (project / f"{OTHER}.jsonl").mkdir()
    (desk.root / "projects" / f"{OTHER}.jsonl").touch()
    assert [handle.id for handle in desk.source().discover()] == [SESSION]


def test_a_handle_tells_where_and_when_and_nothing_that_needs_reading(desk: Desk) -> None:
    path = desk.write(prompt())
    os.utime(path, (1000, 2000))
    (handle,) = desk.source().discover()
    assert (handle.id, handle.path, handle.source) == (SESSION, str(path), "claude")
    assert (handle.modified_at, handle.live, handle.working_dir, handle.started_at) == (2000, False, None, None)
    assert handle.stamp
    assert "|" not in handle.stamp


def test_the_newest_of_a_sessions_files_is_its_time_of_change(desk: Desk) -> None:
    os.utime(desk.write(prompt()), (1000, 2000))
    os.utime(desk.write(prompt(), path=desk.agent("a1")), (1000, 3000))
    (handle,) = desk.source().discover()
    assert handle.modified_at == 3000


def test_a_linked_project_folder_is_looked_into(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    desk.write(prompt(), path=tmp_path / "real" / f"{SESSION}.jsonl")
    (desk.root / "projects" / "link").symlink_to(tmp_path / "real")
    (desk.root / "projects" / "broken").symlink_to(tmp_path / "nowhere")
    assert [handle.id for handle in desk.source().discover()] == [SESSION]


def test_of_two_copies_of_a_session_the_newer_one_counts(desk: Desk) -> None:
    os.utime(desk.write(prompt(), path=desk.path(project="-a")), (1, 5000))
    os.utime(desk.write(prompt(), path=desk.path(project="-b")), (1, 6000))
    os.utime(desk.write(prompt(), path=desk.path(project="-c")), (1, 4000))
    assert [handle.path for handle in desk.source().discover()] == [str(desk.path(project="-b"))]


def test_several_homes_are_one_source(desk: Desk, tmp_path: Path) -> None:
    second = Desk(tmp_path / "second")
    desk.write(prompt())
    second.write(prompt(), path=second.path(OTHER))
    source = ClaudeSource(home=[str(desk.root), str(second.root), str(tmp_path / "no")], processes=Table())
    assert {handle.id for handle in source.discover()} == {SESSION, OTHER}


def test_what_comes_and_goes_is_seen_by_the_same_source(desk: Desk) -> None:
    source = desk.source()
    assert source.discover() == []
    path = desk.write(prompt())
    assert [handle.id for handle in source.discover()] == [SESSION]
    path.unlink()
    assert source.discover() == []


def test_a_source_that_knows_the_home_says_the_same_of_it_as_one_that_has_just_begun(desk: Desk) -> None:
    def settled(path: Path) -> None:
        os.utime(path, (desk.now, desk.now))

    first, second = desk.write(prompt()), desk.write(prompt(), path=desk.path(OTHER))
    settled(first)
    settled(second)
    began = desk.now
    source = desk.source()

    def same() -> list[str]:
        handles = source.discover()
        assert handles == desk.source().discover()
        return [handle.stamp for handle in handles]

    seen = [same()]
    for later in (5, 60, 3600):  # its age says something else, step by step
        desk.now = began + later
        seen.append(same())
    desk.now = began + 60  # a clock that was ahead is set right
    assert same() == seen[2]
    desk.table.living[4242] = "777"
    record = desk.record()
    seen.append(same())
    desk.table.living.clear()
    seen.append(same())
    record.unlink()
    seen.append(same())
    desk.write(prompt(), path=desk.agent("a1"))
    seen.append(same())
    desk.write(prompt(), path=desk.agent("a1"))
    seen.append(same())
    second.unlink()
    seen.append(same())
    desk.write(prompt(), path=second)
    settled(second)
    seen.append(same())
    pairs = itertools.pairwise(seen)
    assert [before != after for before, after in pairs].count(False) == 1, "within ten seconds nothing has become old"


def test_a_project_folder_that_cannot_be_read_does_not_hide_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.write(prompt())
    closed = desk.write(prompt(), path=desk.path(OTHER, "-closed")).parent
    scandir = os.scandir

    def guarded(path: str) -> object:
        if path == str(closed):
            raise PermissionError(13, "closed")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", guarded)
    assert [handle.id for handle in desk.source().discover()] == [SESSION]


def test_all_folders_are_watched_in_which_something_can_happen(desk: Desk) -> None:
    desk.write(prompt())
    os.utime(desk.write(prompt(), path=desk.path(OTHER)), (1000, 2000))
    nested = desk.agent("a1").parent / "deeper/agent-a2.jsonl"
    desk.write(prompt(), path=nested)
    os.utime(nested, (desk.now, desk.now))
    source = desk.source()
    source.discover()
    own = desk.path().with_suffix("")
    assert set(source.watch()) == {
        str(folder)
        for folder in (
            desk.root, desk.root / "projects", desk.root / "sessions", desk.path().parent, own, own / "subagents",
            nested.parent,
        )
    }  # fmt: skip


def test_touched_paths_lead_to_their_sessions(desk: Desk) -> None:
    transcript = desk.write(prompt())
    agent = desk.write(prompt(), path=desk.agent("a1"))
    meta = agent.with_suffix(".meta.json")
    source = desk.source()
    handles = {handle.id: handle for handle in source.discover()}

    assert source.touched([str(transcript)]) == [handles[SESSION]]
    assert source.touched([str(agent), str(agent.parent), str(agent.parent.parent)]) == [handles[SESSION]]
    assert source.touched([str(desk.path().parent)]) == [handles[SESSION]]
    assert source.touched([str(desk.root / "projects")]) == [handles[SESSION]]
    assert [(handle.id, handle.stamp) for handle in source.touched([str(meta)])] == [(SESSION, "")]


def test_touched_paths_of_no_interest_lead_nowhere(desk: Desk) -> None:
    project = desk.write(prompt()).parent
    desk.record()
    source = desk.source()
    source.discover()
    elsewhere = [
        desk.root / "history.jsonl", desk.root / "todos/x.json", project / "memory/x.md", project / "notes.txt",
        project / "agent-unknown.jsonl", Path("/etc/passwd"), Path(f"{desk.root}-other/projects/x"),
    ]  # fmt: skip
    assert source.touched([str(path) for path in elsewhere]) == []


def test_a_touched_file_that_has_gone_is_no_error(desk: Desk) -> None:
    path = desk.write(prompt())
    source = desk.source()
    desk.read(source)
    path.unlink()
    handles = source.touched([str(path)])
    assert [handle.id for handle in handles] == [SESSION]
    assert source.parse(handles[0], desk.cursors[SESSION]) == (None, desk.cursors[SESSION])


def test_a_new_session_is_known_as_soon_as_it_is_touched(desk: Desk) -> None:
    source = desk.source()
    source.discover()
    path = desk.write(prompt())
    assert [handle.path for handle in source.touched([str(path)])] == [str(path)]

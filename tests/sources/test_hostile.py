"""What a home may do to a source: every built-in one bears it, and the numbers stay what they are.

Damaged lines are in each source's own tests (`test_hazards.py`, `test_lines.py`, claude's `test_source.py`), sizes beyond
measure in `test_sizes.py`; here is what has to do with files, links, rights and clocks.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_home import AGENTS, CLAUDE, STORES, Agent, Board, OpenCodeStore, OpenCodeTree, source

from bellboard.sources.conformance import read
from bellboard.sources.errors import SourceError

NOBODY = 65534
FUTURE = "2096-01-02T03:04:05.000Z"
FUTURE_SECONDS = 3_977_003_045


def by_name(agent: object) -> str:
    return getattr(agent, "name", "") or type(agent).__name__


agents = pytest.mark.parametrize("agent", AGENTS, ids=by_name)
stores = pytest.mark.parametrize("agent", [*AGENTS, *STORES], ids=lambda agent: type(agent).__name__ + by_name(agent))


# links


@agents
def test_links_that_lead_back_are_not_followed_for_ever(agent: Agent, tmp_path: Path) -> None:
    path = agent.put(tmp_path, ["one"])
    folder = path.parent
    while folder != tmp_path.parent:
        (folder / "round").symlink_to(folder)
        (folder / "up").symlink_to(tmp_path)
        folder = folder.parent
    loop = path.with_name(path.name.replace("0" * 7 + "1", "0" * 7 + "2"))
    loop.symlink_to(loop)

    assert list(Board(agent.name, tmp_path).read().values()) == [1]


@pytest.mark.parametrize("store", STORES, ids=lambda store: type(store).__name__)
def test_links_that_lead_back_are_not_followed_in_stores(store: OpenCodeStore | OpenCodeTree, tmp_path: Path) -> None:
    store.put(tmp_path, ["one"])
    for folder in [tmp_path, *(path for path in tmp_path.rglob("*") if path.is_dir() and not path.is_symlink())]:
        (folder / "round").symlink_to(folder)
        (folder / "loop.json").symlink_to(folder / "loop.json")
    (tmp_path / "opencode-loop.db").symlink_to(tmp_path / "opencode-loop.db")

    assert list(Board(store.name, tmp_path).read().values()) == [1]


# files that come and go


@stores
def test_what_vanishes_between_the_look_and_the_opening_is_no_error(
    agent: Agent | OpenCodeStore | OpenCodeTree, tmp_path: Path
) -> None:
    agent.put(tmp_path, ["one"])
    asked = source(agent.name, tmp_path)
    (handle,) = asked.discover()
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.unlink()

    assert asked.parse(handle, "") == (None, "")
    assert list(asked.discover()) == []


@agents
def test_a_file_that_vanishes_at_the_moment_of_opening_is_no_error(
    agent: Agent, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = agent.put(tmp_path, ["one"])
    asked = source(agent.name, tmp_path)
    (handle,) = asked.discover()
    genuine = os.open

    def late(name: str, *rest: int, **more: int) -> int:
        path.unlink(missing_ok=True)
        return genuine(name, *rest, **more)

    monkeypatch.setattr(os, "open", late)
    assert asked.parse(handle, "") == (None, "")
    monkeypatch.undo()
    agent.put(tmp_path, ["one", "two"])
    assert Board(agent.name, tmp_path).read() == {handle.id: 2}


@agents
def test_an_inode_that_is_used_again_is_another_file(agent: Agent, tmp_path: Path) -> None:
    """The file system may give a new file the inode of the one that was deleted; so does a file that is emptied."""
    board = Board(agent.name, tmp_path)
    path = agent.put(tmp_path, ["one", "two", "three"])
    (name,) = board.read()
    inode = path.stat().st_ino
    with path.open("r+b") as file:
        file.truncate()
        file.write(agent.lines([f"another {number}, and longer than what was there" for number in range(5)]))
    assert path.stat().st_ino == inode

    assert board.read() == {name: 5}


@agents
def test_another_text_of_the_same_size_in_the_same_file_is_read_anew(agent: Agent, tmp_path: Path) -> None:
    board = Board(agent.name, tmp_path)
    path = agent.put(tmp_path, ["one", "two"])
    (name,) = board.read()
    before = path.stat()
    text = path.read_bytes()
    path.write_bytes(text.replace(b'"two"', b'"TWO"'))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
    assert (path.stat().st_ino, path.stat().st_size) == (before.st_ino, before.st_size)

    seen = board.seen[name].cursor
    assert board.read() == {name: 2}
    assert board.seen[name].cursor != seen


# rights


@pytest.fixture
def open_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that another user may enter."""
    for folder in [tmp_path, *tmp_path.parents]:
        if folder != Path("/tmp") and folder.owner() != "nobody" and len(folder.parts) > 2:
            folder.chmod(0o755)
    yield tmp_path
    for path in tmp_path.rglob("*"):
        path.chmod(0o755)


READER = """
import json, os, sys
from hostile_home import Board, source
from bellboard.sources.errors import SourceError
# Everything is loaded before the rights are given up: where the package lies may be closed to others.
source(sys.argv[1], "/nowhere")
if os.getuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
board = Board(sys.argv[1], sys.argv[2])
asked = source(sys.argv[1], sys.argv[2])
said = []
try:
    handles = list(asked.discover())
except (OSError, SourceError) as error:
    handles = []
    said.append(type(error).__name__)
for handle in handles:
    try:
        update, _ = asked.parse(handle, "")
        said.append(update.message_count_delta if update else None)
    except (OSError, SourceError) as error:
        said.append(type(error).__name__)
print(json.dumps(sorted(said, key=str)))
"""


def as_somebody_else(agent: Agent | OpenCodeStore | OpenCodeTree, home: Path) -> str:
    """What a reader without any rights of its own gets: the messages of each session, or the kind of the error."""
    support = str(Path(__file__).parents[1] / "support")
    found = subprocess.run(
        [sys.executable, "-c", READER, agent.name, str(home)],
        env={**os.environ, "PYTHONPATH": support},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@agents
def test_a_file_that_may_not_be_read_is_an_error_and_hides_no_other(agent: Agent, open_folder: Path) -> None:
    agent.put(open_folder, ["one"], 1)
    agent.put(open_folder, ["one", "two"], 2).chmod(0)

    assert as_somebody_else(agent, open_folder) == '[1, "PermissionError"]'


@agents
def test_a_folder_that_may_not_be_read_is_an_error_or_hides_only_itself(agent: Agent, open_folder: Path) -> None:
    agent.put(open_folder, ["one"], 1).parent.chmod(0)

    assert as_somebody_else(agent, open_folder) in {"[]", '["PermissionError"]'}


def test_a_database_that_may_not_be_read_is_an_error(open_folder: Path) -> None:
    store = OpenCodeStore()
    store.put(open_folder, ["one"])
    store.path(open_folder).chmod(0)

    assert as_somebody_else(store, open_folder) == '["SourceError"]'


def test_a_session_of_the_tree_that_may_not_be_read_is_an_error_and_hides_no_other(open_folder: Path) -> None:
    tree = OpenCodeTree()
    tree.put(open_folder, ["one"], 1)
    tree.put(open_folder, ["one", "two"], 2)
    next((open_folder / "storage/session/global").glob("*2.json")).chmod(0)

    assert as_somebody_else(tree, open_folder) == '[1, "PermissionError"]'


# clocks


@agents
def test_a_clock_in_the_future_changes_no_number_and_what_comes_after_it_is_read(agent: Agent, tmp_path: Path) -> None:
    board = Board(agent.name, tmp_path)
    path = agent.put(tmp_path, ["one"], at=FUTURE)
    os.utime(path, (FUTURE_SECONDS, FUTURE_SECONDS))
    (name,) = board.read()
    assert board.read() == {name: 1}

    agent.append(tmp_path, ["two"], 1)
    assert board.read() == {name: 2}
    os.utime(path, (FUTURE_SECONDS, FUTURE_SECONDS))
    agent.append(tmp_path, ["three"], 2, at=FUTURE)
    os.utime(path, (FUTURE_SECONDS, FUTURE_SECONDS))
    assert board.read() == {name: 3}
    # Claude Code's transcripts need an age to say that the model works, and such a clock tells none.
    assert board.seen[name].facts["activity"] == ("idle" if agent is CLAUDE else "working")


@pytest.mark.parametrize("store", STORES, ids=lambda store: type(store).__name__)
def test_a_clock_in_the_future_changes_no_number_of_a_store(
    store: OpenCodeStore | OpenCodeTree, tmp_path: Path
) -> None:
    store.put(tmp_path, ["one", "two"], at=FUTURE_SECONDS * 1000)
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        os.utime(path, (FUTURE_SECONDS, FUTURE_SECONDS))
    store.put(tmp_path, ["one"], 2)

    assert sorted(Board(store.name, tmp_path).read().values()) == [1, 2]


# places that are none


@stores
def test_a_folder_a_pipe_and_a_socket_in_the_place_of_a_file_keep_nobody_waiting(
    agent: Agent | OpenCodeStore | OpenCodeTree, tmp_path: Path
) -> None:
    agent.put(tmp_path, ["one"])
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.unlink()
        os.mkfifo(path)
    asked = source(agent.name, tmp_path)

    for handle in asked.discover():
        with pytest.raises((OSError, SourceError)):
            read(asked, handle)


def test_a_home_that_is_a_file_is_no_home(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("no folder")

    with pytest.raises((OSError, SourceError)):
        list(source(CLAUDE.name, tmp_path / "home").discover())

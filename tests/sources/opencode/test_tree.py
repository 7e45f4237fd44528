"""The store of older clients: one file a row, rewritten in place, and left behind by newer ones."""

import os
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from opencode_home import (
    DATA,
    NOW,
    OTHER,
    SESSION,
    TREE,
    Client,
    Desk,
    Tree,
    answer,
    asked,
    at,
    name_at,
    text,
    tokens,
    tool,
)

from bellboard.sources.errors import SourceError
from bellboard.sources.opencode.rows import at_of


@pytest.fixture
def tree(desk: Desk) -> Tree:
    return Tree(desk.root)


def counts(desk: Desk) -> tuple[Any, ...]:
    return desk.shown("message_count", "tool_call_count", "unknown_records")


def old(path: Path) -> Path:
    """Make a file look as if nobody had written it for a while."""
    os.utime(path, (1000, 1000))
    return path


def test_a_turn_as_it_grows(desk: Desk, tree: Tree) -> None:
    tree.session()
    assert desk.shown("activity", "title", "working_dir") == ("idle", "A title", "/home/me/app")

    tree.message(name_at(1), asked(1))
    tree.part("prt_1", name_at(1), text())
    assert desk.shown("activity", "message_count") == ("working", 1)

    tree.message(name_at(2), answer(2))
    tree.part("prt_2", name_at(2), tool("bash", "pending"))
    assert desk.shown("current_tool", "tool_call_count") == ("bash", 1)

    tree.part("prt_2", name_at(2), tool("bash", "completed", 2, 3))
    assert desk.shown("current_tool", "tool_call_count") == (None, 1)

    tree.message(name_at(2), answer(2, 4, tokens=tokens(100, 7, 50)))
    assert desk.shown("activity", "output_tokens", "context_tokens", "model") == ("waiting", 7, 150, "m1")
    assert desk.sessions == Desk(desk.root).read()


def test_a_long_session_adds_up(desk: Desk, tree: Tree) -> None:
    tree.session()
    for number in range(1, 151):
        tree.message(name_at(number), answer(number, number, tokens=tokens(1, 2)))
        tree.part(f"prt_{number}", name_at(number), tool("bash", "completed", 1, 2))

    assert desk.shown("message_count", "tool_call_count", "output_tokens") == (150, 150, 300)
    assert len(desk.cursors[SESSION]) < 2048


def test_a_handle_of_a_tree(desk: Desk, tree: Tree) -> None:
    path = tree.session()
    os.utime(tree.message(name_at(1), asked(1)), (1000, 3000))
    os.utime(path, (1000, 2000))

    (handle,) = desk.source().discover()

    assert (handle.id, handle.path, handle.source, handle.modified_at) == (SESSION, str(path), "opencode", 3000)


def test_a_torn_file_is_passed_over_until_it_is_whole(desk: Desk, tree: Tree) -> None:
    tree.session()
    tree.message(name_at(1), asked(1))
    torn = tree.message(name_at(2), b'{"role": "assis')
    assert counts(desk) == (1, 0, 0)
    torn.write_bytes(b"")
    assert counts(desk) == (1, 0, 0)

    tree.message(name_at(2), answer(2, 3))
    assert counts(desk) == (2, 0, 0)

    torn.write_bytes(b"")
    assert counts(desk) == (2, 0, 0)
    assert desk.shown("output_tokens") == (10,)


def test_a_torn_session_is_nothing_new_and_a_broken_one_an_error(desk: Desk, tree: Tree) -> None:
    path = tree.session()
    tree.message(name_at(1), asked(1))
    desk.read()
    cursors = dict(desk.cursors)
    path.write_bytes(b'{"id":')
    (handle,) = desk.source().discover()
    assert desk.source().parse(handle, cursors[SESSION]) == (None, cursors[SESSION])

    old(path)
    (handle,) = desk.source().discover()
    with pytest.raises(SourceError, match="makes no sense"):
        desk.source().parse(handle, cursors[SESSION])

    tree.session(title="Whole again")
    assert desk.shown("title", "message_count") == ("Whole again", 1)


def test_rubbish_among_the_files_costs_only_itself(desk: Desk, tree: Tree) -> None:
    tree.session()
    for number in range(1, 12):
        tree.message(name_at(number), answer(number, number + 0.5))
    for number, rubbish in enumerate((b"\0\0", b"[]", b"null", b"7", b"{}", b"\xff", b"[" * 5000)):
        tree.message(name_at(number + 1), rubbish)
        tree.part(f"prt_{number}", name_at(9), rubbish)
    tree.put(f"message/{SESSION}/notes", b"{}").rename(tree.root / f"message/{SESSION}/notes.txt")
    (tree.root / f"message/{SESSION}/msg_folder.json").mkdir()
    tree.put(f"message/{SESSION}/msg_ä", asked(3))
    tree.put(f"message/{SESSION}/msg_{'x' * 200}", asked(3))

    # seven messages and seven parts
    assert counts(desk) == (4, 0, 14)


def test_a_message_with_odd_characters_is_read(desk: Desk, tree: Tree) -> None:
    tree.session()
    tree.message(name_at(1), b"\xef\xbb\xbf" + b'{"role":"user","time":{"created":1},"model":{"modelID":"x"}}')
    tree.message(
        name_at(2), b'{"role":"assistant","time":{"created":1,"completed":2},"finish":"stop","modelID":"a\\ud800b"}'
    )

    assert desk.shown("message_count", "model", "activity") == (1, "a?b", "waiting")


def test_a_session_without_messages_or_parts(desk: Desk, tree: Tree) -> None:
    tree.session()
    tree.session(OTHER)
    tree.message(name_at(1), asked(1), OTHER)

    assert desk.shown("message_count", session=SESSION) == (0,)
    assert desk.shown("message_count", session=OTHER) == (1,)


def test_what_vanishes_stays_counted(desk: Desk, tree: Tree) -> None:
    tree.session()
    first = tree.message(name_at(1), asked(1))
    second = tree.message(name_at(2), answer(2, 3))
    assert counts(desk) == (2, 0, 0)

    second.unlink()
    first.unlink()
    assert counts(desk) == (2, 0, 0)
    assert desk.shown("activity") == ("idle",)


def test_a_session_that_vanished_is_nothing_new(desk: Desk, tree: Tree) -> None:
    path = tree.session()
    (handle,) = desk.source().discover()
    desk.read()
    cursor = desk.cursors[SESSION]
    path.unlink()

    assert desk.source().discover() == []
    assert desk.source().parse(desk.hand(path), cursor) == (None, cursor)
    assert desk.source().parse(handle, "") == (None, "")


def test_a_session_that_vanishes_between_two_looks_at_it(
    desk: Desk, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tree.session()

    def gone(*_: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("bellboard.sources.opencode.tree.read_whole", gone)

    assert desk.source().parse(desk.hand(path), "") == (None, "")


# ids


def test_ids_begin_again_and_their_order_does_not(desk: Desk, tree: Tree) -> None:
    begin = 26 * (1 << 36) - 20_000 - NOW  # twenty seconds before the round that ended on 14 August 2026
    names = [name_at(begin / 1000 + second) for second in range(0, 40, 4)]
    assert names != sorted(names)
    tree.session(time={"created": NOW + begin, "updated": NOW + begin})
    for number, name in enumerate(names):
        tree.message(name, answer(number, number, tokens=tokens(number + 1)))
        assert desk.shown("message_count", "context_tokens") == (number + 1, number + 1)

    for number in range(len(names), 40):
        tree.message(name_at(begin / 1000 + 40 + number), asked(number))
    assert desk.shown("message_count") == (40,)
    assert desk.sessions == Desk(desk.root).read()


@pytest.mark.parametrize(("name", "order"), [("msg_custom", 0), ("x", 0), ("MSG_202e12fc7001", 0)])
def test_an_id_of_another_make_has_no_time(name: str, order: int) -> None:
    assert at_of(name, NOW) == order


def test_an_id_tells_its_time() -> None:
    assert at_of("msg_202e12fc70015nkn6xVbubIFcd", 1_795_344_641_689) // 4096 == 1_795_344_641_991
    assert at_of("msg_202e12fc70015nkn6xVbubIFcd", 0) < 1 << 48


# beside a database


def test_a_session_that_was_moved_into_the_database_is_read_there(desk: Desk, tree: Tree, client: Client) -> None:
    tree.session()
    tree.session(OTHER)
    for number in range(1, 4):
        tree.message(name_at(number), answer(number, number))
    assert desk.shown("message_count") == (3,)

    client.session(title="Moved")
    client.message(name_at(1), answer(1, 1))
    client.message(name_at(2), answer(2, 2))
    assert desk.shown("message_count", "title") == (2, "Moved")
    assert [update.restart for update in desk.updates if update.session_id == SESSION] == [False, True]
    assert desk.shown("title", session=OTHER) == ("A title",)


# changes


def test_changes_belong_to_sessions(desk: Desk) -> None:
    shutil.copytree(DATA / "tree", desk.root)
    tree = Tree(desk.root)
    tree.session(second=500)
    source = desk.source()
    source.discover()
    message = name_at(600)

    def touched(*paths: Path) -> list[str]:
        return sorted(handle.id for handle in source.touched([str(path) for path in paths]))

    assert touched(tree.session(title="New")) == [SESSION]
    assert touched(tree.message(message, answer(600))) == [SESSION]
    assert touched(tree.part("prt_1", message, tool("bash", "running", 1))) == [SESSION]
    assert touched(tree.part("prt_2", "msg_of_nobody", text())) == []
    assert touched(tree.root / "message" / TREE, tree.root / "migration", tree.root, desk.root / "log") == [TREE]
    assert touched(tree.session(OTHER)) == [OTHER]


def test_a_change_is_heard_before_anything_was_looked_for(desk: Desk, tree: Tree) -> None:
    path = tree.session()

    assert [handle.id for handle in desk.source().touched([str(path)])] == [SESSION]


@pytest.mark.parametrize("number", [1, 2])
def test_every_change_of_the_newest_messages_shows_in_the_stamp(desk: Desk, tree: Tree, number: int) -> None:
    tree.session()
    for second in (1, 2):
        tree.message(name_at(second), answer(second))
        tree.part(f"prt_{second}", name_at(second), tool("bash", "running", 1))
    stamps: list[str] = []

    def look() -> None:
        (handle,) = desk.source().discover()
        stamps.append(handle.stamp)

    look()
    tree.part(f"prt_{number}", name_at(number), tool("bash", "completed", 1, 2))
    look()
    tree.message(name_at(number), answer(number, 3))
    look()
    tree.part("prt_3", name_at(number), text())
    look()
    (tree.root / f"message/{SESSION}/{name_at(2)}.json").unlink()
    look()
    tree.session(second=number)
    look()

    assert len(set(stamps)) == len(stamps)


def test_folders_worth_watching(desk: Desk, tree: Tree) -> None:
    path = tree.session()
    for second in (1, 2, 3):
        tree.message(name_at(second), asked(second))
    source = desk.source()
    source.discover()

    assert source.watch() == [
        str(desk.root),
        f"{tree.root}/session",
        f"{tree.root}/message",
        f"{tree.root}/part",
        str(path.parent),
        f"{tree.root}/message/{SESSION}",
        f"{tree.root}/part/{name_at(2)}",
        f"{tree.root}/part/{name_at(3)}",
    ]


def test_a_tree_that_cannot_be_listed_is_an_error(desk: Desk, tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    tree.session()

    def refuse(_: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(PermissionError):
        desk.source().discover()


def test_times_of_a_tree_session(desk: Desk, tree: Tree) -> None:
    tree.session(
        time={"created": at(1), "updated": at(9), "archived": at(8)}, parentID=OTHER, revert={"messageID": "x"}
    )

    assert desk.shown("activity", "parent_id", "end_reason") == ("terminal", OTHER, "archived")
    assert desk.shown("last_activity_at") == (datetime.fromtimestamp(at(9) / 1000, UTC),)


def test_a_call_reads_the_files_of_one_page_and_no_others(
    desk: Desk, tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree.session()
    for number in range(300):
        tree.message(name_at(number), asked(number))
    opened: list[str] = []
    genuine = os.open

    def counted(path: str, *rest: int, **more: int) -> int:
        opened.append(path)
        return genuine(path, *rest, **more)

    (handle,) = desk.source().discover()
    monkeypatch.setattr(os, "open", counted)
    desk.step(handle)

    assert 0 < len(opened) < 80
    assert counts(desk) == (300, 0, 0)

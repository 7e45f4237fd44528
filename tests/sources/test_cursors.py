"""A memo of states spares reading a cursor that comes straight back, and never changes what a cursor says."""

import os
from pathlib import Path

import pytest

from bellboard.sources.catalog import load
from bellboard.sources.contract import Source
from bellboard.sources.cursors import MEMO_KEPT, Memo
from bellboard.sources.tail import Mark

from ..bench.writer import agent

pytestmark = pytest.mark.timeout(60)


def test_a_state_is_found_once_and_under_its_own_cursor_only() -> None:
    memo, mark = Memo[Mark](), Mark(offset=7)
    memo.keep("one", mark)

    assert memo.take("another") is None
    assert memo.take("one") is mark
    assert memo.take("one") is None


def test_only_the_newest_states_are_kept() -> None:
    memo = Memo[int]()
    for number in range(MEMO_KEPT + 1):
        memo.keep(str(number), number)

    assert [memo.take("0"), memo.take("1"), memo.take(str(MEMO_KEPT))] == [None, 1, MEMO_KEPT]


@pytest.mark.parametrize("name", ["claude", "codex", "gemini"])
def test_a_source_that_remembers_says_what_one_says_that_has_just_begun(name: str, tmp_path: Path) -> None:
    write, running, cursor = agent(name, str(tmp_path)), _source(name, tmp_path), ""
    for number in range(1, 30):
        write(0, number)
        (handle,) = running.discover()
        new = _source(name, tmp_path).parse(handle, cursor)
        update, after = running.parse(handle, cursor)
        assert (update, after) == new
        assert update is not None
        cursor = after


def test_an_older_cursor_is_answered_as_it_was_the_first_time(tmp_path: Path) -> None:
    write, source = agent("claude", str(tmp_path)), _source("claude", tmp_path)
    write(0, 1)
    (handle,) = source.discover()
    _, first = source.parse(handle, "")
    write(0, 2)
    (handle,) = source.discover()

    assert source.parse(handle, first) == source.parse(handle, first)


def _source(name: str, home: Path) -> Source:
    os.environ["BELLBOARD_SPOOL"] = str(home / "spool")
    return load(name, None, {"home": str(home)})

"""Conformance: the source contract as a test kit. Any source can run it in a few lines.

    class TestNotes(Conformance):
        steps = (Step(b"milk\\n", messages=1), Step(b"bread\\n", messages=1))

        def source(self, home):
            return Notes(home)

        def artifact(self, home):
            return home / "shopping.txt"

The kit writes the steps, asks the source, and holds its answers against the contract (`contract.py`). It needs pytest and
is imported by tests alone.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import ClassVar

import pytest
from msgspec import UNSET, Struct

from .contract import CURSOR_LIMIT, READ_LIMIT, Cursor, SessionHandle, Source
from .errors import SourceError

MOST_CALLS = 10_000


class Step(Struct, frozen=True):
    """What a client appends at once, and what it adds: messages, tool calls, and whether the session is over then."""

    data: bytes
    messages: int = 0
    tool_calls: int = 0
    terminal: bool = False


class Seen(Struct):
    """What came of reading a session until it was still."""

    cursor: Cursor = ""
    messages: int = 0
    tool_calls: int = 0
    compactions: int = 0
    terminal: bool = False
    pieces: int = 0
    facts: dict[str, object] = {}

    @property
    def counts(self) -> tuple[int, int]:
        """Messages and tool calls."""
        return self.messages, self.tool_calls


class Conformance(ABC):
    """Subclass it in a test module as `Test...`, say what the steps are and where they go, and pytest does the rest.

    `steps` is a short life of one session; each step is one or more whole records. `preamble` is written by the kit before
    the source is made, for what must be there besides the artifact.
    """

    steps: ClassVar[Sequence[Step]]

    @abstractmethod
    def source(self, home: Path) -> Source:
        """Make the source on an agent's home. Called again wherever a worker would have been restarted."""

    @abstractmethod
    def artifact(self, home: Path) -> Path:
        """Return the file to which the steps are appended."""

    def preamble(self, home: Path) -> None:
        """Prepare the home, if there is more to it than folders."""

    def test_a_home_without_sessions_has_no_sessions(self, tmp_path: Path) -> None:
        self._prepare(tmp_path)
        assert list(self.source(tmp_path).discover()) == []

    def test_discover_finds_the_artifact_and_says_whose_it_is(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps[:1])
        source = self.source(tmp_path)
        handles = list(source.discover())
        assert [(handle.source, bool(handle.id)) for handle in handles] == [(source.name, True)]
        assert handles == list(self.source(tmp_path).discover())

    def test_nothing_new_is_none_and_the_same_cursor(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        source = self.source(tmp_path)
        seen = read(source, self._handle(source))
        assert source.parse(self._handle(source), seen.cursor) == (None, seen.cursor)
        fresh = self.source(tmp_path)
        assert fresh.parse(self._handle(fresh), seen.cursor) == (None, seen.cursor)

    def test_each_step_adds_what_it_adds(self, tmp_path: Path) -> None:
        self._prepare(tmp_path)
        source, seen = self.source(tmp_path), Seen()
        for number in range(1, len(self.steps) + 1):
            self._append(tmp_path, self.steps[number - 1].data)
            seen = read(source, self._handle(source), seen)
            assert (number, seen.counts) == (number, self._truth(number))
            if self.steps[number - 1].terminal:
                assert seen.terminal

    def test_a_restart_between_all_steps_changes_nothing(self, tmp_path: Path) -> None:
        self._prepare(tmp_path)
        seen = Seen()
        for step in self.steps:
            self._append(tmp_path, step.data)
            source = self.source(tmp_path)
            seen = read(source, self._handle(source), seen)
        assert seen.counts == self._truth(len(self.steps))
        assert seen.facts == self._whole(tmp_path).facts

    def test_growth_may_be_cut_at_any_byte(self, tmp_path: Path) -> None:
        data = b"".join(step.data for step in self.steps)
        whole = None
        for number, cut in enumerate(cuts(len(data))):
            home = tmp_path / str(number)
            home.mkdir()
            self._prepare(home)
            seen = Seen()
            for part in (data[:cut], data[cut:]):
                self._append(home, part)
                source = self.source(home)
                for handle in source.discover():
                    seen = read(source, handle, seen)
            whole = whole or self._whole(home)
            assert (cut, seen.counts) == (cut, whole.counts)

    def test_the_same_cursor_gives_the_same_result(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        source = self.source(tmp_path)
        handle = self._handle(source)
        assert source.parse(handle, "") == self.source(tmp_path).parse(handle, "")

    def test_cursors_are_small_text(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        cursor = self._whole(tmp_path).cursor
        assert isinstance(cursor, str)
        assert 0 < len(cursor.encode()) <= CURSOR_LIMIT

    def test_one_call_is_bounded(self, tmp_path: Path) -> None:
        one = b"".join(step.data for step in self.steps)
        copies = READ_LIMIT // len(one) + 2
        self._prepare(tmp_path)
        self._append(tmp_path, one * copies)
        seen = self._whole(tmp_path)
        assert seen.pieces > 1, "a file larger than one piece was read in one call"

    def test_deltas_are_never_negative_and_every_state_has_its_evidence(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        source = self.source(tmp_path)
        cursor: Cursor = ""
        for _ in range(MOST_CALLS):
            update, after = source.parse(self._handle(source), cursor)
            if update is not None:
                assert min(update.message_count_delta, update.tool_call_count_delta, update.compaction_count_delta) >= 0
                assert update.activity is not UNSET
                assert update.evidence is not UNSET
            if after == cursor:
                return
            cursor = after
        pytest.fail("the cursor never comes to rest")

    def test_a_truncated_artifact_is_counted_anew(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        seen = self._whole(tmp_path)
        self.artifact(tmp_path).write_bytes(self.steps[0].data)
        source = self.source(tmp_path)
        assert read(source, self._handle(source), seen).counts == self._truth(1)

    def test_a_replaced_artifact_is_counted_anew(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        seen = self._whole(tmp_path)
        path = self.artifact(tmp_path)
        other = path.with_name("kit-replacement")
        other.write_bytes(self.steps[0].data)
        os.replace(other, path)
        source = self.source(tmp_path)
        assert read(source, self._handle(source), seen).counts == self._truth(1)

    def test_a_deleted_artifact_is_no_session_and_no_crash(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        source = self.source(tmp_path)
        handle = self._handle(source)
        seen = read(source, handle)
        self.artifact(tmp_path).unlink()
        assert list(self.source(tmp_path).discover()) == []
        assert tolerant(source, handle, seen.cursor) in {seen.cursor, "raised"}

    def test_an_unreadable_artifact_is_an_error_or_nothing_and_is_read_later(self, tmp_path: Path) -> None:
        self._write(tmp_path, self.steps)
        path = self.artifact(tmp_path)
        source = self.source(tmp_path)
        handle = self._handle(source)
        path.rename(path.with_name("kit-aside"))
        path.mkdir()  # a folder in its place cannot be read by anybody, not even by root
        assert tolerant(source, handle, "") in {"", "raised"}
        path.rmdir()
        path.with_name("kit-aside").rename(path)
        assert read(source, self._handle(source)).counts == self._truth(len(self.steps))

    @pytest.mark.parametrize(
        "garbage", [b"\0" * 512, b"{", b"\xff\xfe\n", b"[[[[[1\n", b"null\n", b"{}\n", b"\n\n\r\n"]
    )
    def test_garbage_between_the_steps_costs_only_itself(self, tmp_path: Path, garbage: bytes) -> None:
        first, *rest = self.steps
        data = first.data + garbage + (b"" if garbage.endswith(b"\n") else b"\n") + b"".join(step.data for step in rest)
        self._prepare(tmp_path)
        self._append(tmp_path, data)
        seen = self._whole(tmp_path)
        truth = self._truth(len(self.steps))
        assert truth[0] <= seen.messages <= truth[0] + garbage.count(b"\n") + 1
        assert seen.tool_calls == truth[1]

    def _prepare(self, home: Path) -> None:
        self.artifact(home).parent.mkdir(parents=True, exist_ok=True)
        self.preamble(home)

    def _append(self, home: Path, data: bytes) -> None:
        if data:
            with self.artifact(home).open("ab") as file:
                file.write(data)

    def _write(self, home: Path, steps: Iterable[Step]) -> None:
        self._prepare(home)
        self._append(home, b"".join(step.data for step in steps))

    def _handle(self, source: Source) -> SessionHandle:
        (handle,) = source.discover()
        return handle

    def _whole(self, home: Path) -> Seen:
        source = self.source(home)
        return read(source, self._handle(source))

    def _truth(self, steps: int) -> tuple[int, int]:
        done = self.steps[:steps]
        return sum(step.messages for step in done), sum(step.tool_calls for step in done)


def read(source: Source, handle: SessionHandle, seen: Seen | None = None) -> Seen:
    """Parse until nothing is new, and add up what came, as the board does."""
    before = seen or Seen()
    now = Seen(before.cursor, before.messages, before.tool_calls, before.compactions, facts=dict(before.facts))
    for _ in range(MOST_CALLS):
        update, after = source.parse(handle, now.cursor)
        if update is not None:
            if update.restart:
                now.messages = now.tool_calls = now.compactions = 0
            now.messages += update.message_count_delta
            now.tool_calls += update.tool_call_count_delta
            now.compactions += update.compaction_count_delta
            now.terminal = update.terminal or update.activity == "terminal"
            said = {name: getattr(update, name) for name in update.__struct_fields__ if not name.endswith("_delta")}
            now.facts |= {name: value for name, value in said.items() if value is not UNSET and name != "restart"}
        if after == now.cursor:
            return now
        now.pieces += 1
        now.cursor = after
    raise AssertionError("the cursor never comes to rest")


def tolerant(source: Source, handle: SessionHandle, cursor: Cursor) -> str:
    """Parse once where an error is allowed; returns the next cursor, or "raised"."""
    try:
        return source.parse(handle, cursor)[1]
    except (OSError, SourceError):
        return "raised"


def cuts(length: int, most: int = 60) -> list[int]:
    """Return places to cut `length` bytes: all of them if they are few, else evenly spread ones and both ends."""
    if length <= most:
        return list(range(length + 1))
    step = length / most
    return sorted({0, 1, length - 1, length, *(int(number * step) for number in range(most))})

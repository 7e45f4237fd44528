"""Read at any moment, in whatever steps, a session adds up to the same, with nothing kept between but the cursor."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from opencode_home import SESSION, Client, Desk, Tree, answer, asked, name_at, text, tokens, tool

from bellboard.sources.opencode.state import WINDOW

PAGE = "bellboard.sources.opencode.source.PAGE"


def fill(client: Client, messages: int, session: str = SESSION) -> None:
    """A session of this many messages, each answer with two tools."""
    client.session(session)
    for number in range(messages):
        name = f"msg_{session[-1]}{number:04d}"
        if number % 2:
            client.message(name, answer(number, number + 0.5, tokens=tokens(number, 1, 2, 3)), session)
            for part in range(2):
                client.part(
                    f"prt_{session[-1]}{number:04d}{part}", name, tool("bash", "completed", number, number), session
                )
        else:
            client.message(name, asked(number), session)
            client.part(f"prt_{session[-1]}{number:04d}", name, text(), session)


@pytest.mark.parametrize("messages", [0, 1, WINDOW, WINDOW + 1, 47, 48, 49, 64, 65, 200])
def test_a_long_session_adds_up(desk: Desk, client: Client, messages: int) -> None:
    fill(client, messages)
    answers = messages // 2

    assert desk.shown("message_count", "tool_call_count", "output_tokens", "unknown_records") == (
        messages, 2 * answers, answers, 0,
    )  # fmt: skip
    assert desk.shown("cache_read_tokens", "cache_creation_tokens") == (2 * answers, 3 * answers)


def test_a_call_reads_one_page_and_the_next_goes_on(
    desk: Desk, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(client, 100)
    whole = Desk(desk.root).read()
    monkeypatch.setattr(PAGE, WINDOW + 5)
    (handle,) = desk.source().discover()
    stamps: list[str] = []
    before = None
    while before != desk.cursors.get(SESSION, ""):
        before = desk.cursors.get(SESSION, "")
        desk.step(handle)
        stamps.append(desk.cursors[SESSION].partition("|")[0])

    # the stamp is missing until everything was consumed; what it is doing is known from the first call on
    assert len(stamps) > 15
    assert set(stamps[:-2]) == {""}
    assert stamps[-2:] == [handle.stamp] * 2
    assert {update.context_tokens for update in desk.updates} == {99 + 2 + 3}
    assert desk.sessions == whole


def test_cursors_stay_small(desk: Desk, client: Client) -> None:
    fill(client, 300)
    desk.read()

    assert len(desk.cursors[SESSION]) < 2048


def test_several_sessions_share_the_store(desk: Desk, client: Client) -> None:
    names = [f"ses_{letter}" for letter in "abcdef"]
    for number, name in enumerate(names):
        fill(client, 10 * number, name)

    assert {name: session["message_count"] for name, session in desk.read().items()} == {
        name: 10 * number for number, name in enumerate(names)
    }


Step = tuple[str, int, int]

STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "answer", "call", "run", "result", "end", "fail", "compact", "late", "news", "touch"]),
        st.integers(min_value=0, max_value=3),
        st.integers(min_value=0, max_value=4),
    ),
    max_size=60,
)


class Story:
    """A life of a session, step by step; a step is (what, which of the newest answers, how much)."""

    def __init__(self, store: "Client | Tree") -> None:
        self.store = store
        self.second = 10
        self.answers: list[tuple[str, int]] = []
        self.calls: list[tuple[str, str, str]] = []
        self.number = 0
        store.session()

    def next(self) -> tuple[str, int]:
        self.second += 2
        return name_at(self.second), self.second

    def tell(self, step: Step) -> None:
        what, which, much = step
        self.number += 1
        if what == "ask":
            name, second = self.next()
            self.store.message(name, asked(second))
        elif what == "late":
            second = self.second - 3
            self.store.message(name_at(second), asked(second))
        elif what == "answer":
            name, second = self.next()
            self.answers.append((name, second))
            self.store.message(name, answer(second, modelID=f"m{much}"))
        elif what == "touch":
            self.store.session(title=f"Title {self.number}")
        elif self.answers:
            self._in_answer(what, *self.answers[-1 - min(which, len(self.answers) - 1)], much)

    def _in_answer(self, what: str, name: str, second: int, much: int) -> None:
        part = f"prt_{self.number:04d}"
        if what == "call":
            self.store.part(part, name, tool("bash", "pending"))
        elif what == "run":
            self.store.part(part, name, tool("read", "running", second))
        elif what == "result":
            self.store.part(part, name, tool("edit", "completed", second, second + 1))
        elif what == "news":
            self.store.part(part, name, {"type": "news"})
        elif what == "end":
            self.store.message(name, answer(second, second + 1, tokens=tokens(much, much, much, much)))
        elif what == "fail":
            self.store.message(name, answer(second, second + 1, error={"name": "APIError"}, tokens=tokens()))
        else:
            self.store.message(name, answer(second, second + 1, summary=True, tokens=tokens(much, much)))


def told(desk: Desk) -> dict[str, Any]:
    return desk.sessions[SESSION]


# A compaction that is written anew as something else was one all the same: such a step is not undone here.
@settings(max_examples=25, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, reads=st.sets(st.integers(min_value=0, max_value=59)))
@pytest.mark.parametrize("kind", ["database", "tree"])
def test_read_at_any_moment(
    kind: str, tmp_path_factory: pytest.TempPathFactory, steps: list[Step], reads: set[int]
) -> None:
    root = tmp_path_factory.mktemp("life") / "opencode"
    now_and_then = Desk(root)
    store = Client(root / "opencode.db") if kind == "database" else Tree(root)
    try:
        story = Story(store)
        compacted: set[str] = set()
        for number, step in enumerate(steps):
            what, which, _ = step
            if story.answers and what in {"end", "fail", "compact"}:
                name = story.answers[-1 - min(which, len(story.answers) - 1)][0]
                if name in compacted:
                    continue
                if what == "compact":
                    compacted.add(name)
            story.tell(step)
            if number in reads:
                now_and_then.read()
        now_and_then.read()
        at_once = Desk(root)
        at_once.read()
    finally:
        if isinstance(store, Client):
            store.close()

    assert told(now_and_then) == told(at_once)


def test_reading_while_the_client_is_in_the_middle_of_writing(desk: Desk, client: Client) -> None:
    fill(client, 4)
    desk.read()
    client.connection.execute("BEGIN IMMEDIATE")
    client.message("msg_x", asked(9))
    assert desk.shown("message_count") == (4,)

    client.connection.execute("COMMIT")
    assert desk.shown("message_count") == (5,)


def test_folding_the_log_in_changes_nothing(desk: Desk, client: Client) -> None:
    fill(client, 20)
    desk.read()
    cursors = dict(desk.cursors)

    client.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    client.connection.execute("VACUUM")
    desk.read()

    assert desk.cursors == cursors


def test_the_log_of_a_client_that_was_killed_is_read(desk: Desk, client: Client, tmp_path: Path) -> None:
    fill(client, 20)
    copy = Desk(tmp_path / "copy")
    copy.root.mkdir()
    for name in ("opencode.db", "opencode.db-wal"):
        (copy.root / name).write_bytes((desk.root / name).read_bytes())

    assert (copy.root / "opencode.db").stat().st_size <= 4096
    assert copy.shown("message_count", "tool_call_count") == (20, 20)

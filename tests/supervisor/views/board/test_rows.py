from board_scene import ago, session, waiting

from bellboard.protocol.session import SessionState
from bellboard.supervisor.views.board.picture import Choice
from bellboard.supervisor.views.board.rows import Entry, Fold, Heading, Nothing, rows


def listed(*sessions: SessionState, choice: Choice | None = None) -> list[str]:
    """Write the list as a transcript: `# project n`, `session`, `- session of another`, `> ended`."""
    words: list[str] = []
    for row in rows(sessions, choice or Choice()):
        if isinstance(row, Heading):
            words.append(f"# {row.name} {row.count}" + (f" !{row.needs}" if row.needs else ""))
        elif isinstance(row, Entry):
            words.append("- " * row.depth + row.session.id)
        elif isinstance(row, Fold):
            words.append(f"{'v' if row.open else '>'} {row.count}")
        elif isinstance(row, Nothing):
            words.append(row.why)
    return words


def ended(id: str, hours: float) -> SessionState:  # noqa: A002 - the field's name
    return session(id, activity="terminal", lifecycle="terminal", completed_at=ago(3600 * hours))


A, B = {"working_dir": "/a"}, {"working_dir": "/b"}


def test_sessions_are_grouped_by_project_and_who_needs_you_longest_is_first() -> None:
    board = (
        session("calm", **A),
        session("busy", **B),
        waiting("asks", "permission", 60, **B),
        waiting("asks-long", "question", 600, working_dir="/c"),
    )
    assert listed(*board) == ["# c 1 !1", "asks-long", "# b 2 !1", "asks", "busy", "# a 1", "calm"]


def test_working_sessions_stand_still_whoever_spoke_last() -> None:
    first, second = session("first", started_at=ago(10)), session("second", started_at=ago(20), last_activity_at=ago(1))
    assert listed(first, second) == listed(second, first) == ["# webshop 2", "first", "second"]


def test_in_a_project_the_working_come_before_the_waiting_and_the_idle() -> None:
    board = (session("i", activity="idle"), session("w", activity="waiting", waiting_for="prompt"), session("r"))
    assert listed(*board) == ["# webshop 3", "r", "w", "i"]


def test_who_ended_is_folded_at_the_bottom_and_unfolded_the_newest_first() -> None:
    board = (ended("old", 5), ended("new", 1), session("alive"))
    assert listed(*board) == ["# webshop 1", "alive", "> 2"]
    assert listed(*board, choice=Choice(ended=True)) == ["# webshop 1", "alive", "v 2", "new", "old"]


def test_a_filter_looks_into_the_ended_too() -> None:
    board = (ended("needle", 5), session("alive"))
    assert listed(*board, choice=Choice(words="needle")) == ["v 1", "needle"]


def test_a_session_that_another_one_started_stands_below_it() -> None:
    board = (session("child", "codex", parent_id="top"), session("top", "codex"), session("other", "codex"))
    assert listed(*board, choice=Choice(sort="name")) == ["# webshop 3", "other", "top", "- child"]


def test_sessions_that_name_each_other_as_parents_are_all_listed() -> None:
    board = (session("a", parent_id="b"), session("b", parent_id="a"), session("self", parent_id="self"))
    assert sorted(listed(*board)) == ["# webshop 3", "a", "b", "self"]


def test_sorting_by_age_context_agent_and_name() -> None:
    board = (
        session("old", "codex", last_activity_at=ago(90), title="b", context_tokens=10, max_context_tokens=100),
        session("new", "gemini", last_activity_at=ago(1), title="c", context_tokens=90, max_context_tokens=100),
        session("mid", "claude", last_activity_at=ago(30), title="A"),
    )
    orders = {sort: listed(*board, choice=Choice(sort=sort))[1:] for sort in ("age", "context", "agent", "name")}  # type: ignore[arg-type]
    assert orders == {
        "age": ["new", "mid", "old"],
        "context": ["new", "old", "mid"],
        "agent": ["mid", "old", "new"],
        "name": ["mid", "old", "new"],
    }


def test_all_words_of_a_filter_must_be_found_and_those_with_a_minus_must_not() -> None:
    board = (
        session("1", "codex", title="Fix the parser", branch="main", model="gpt-5.5"),
        session("2", "claude", title="Fix the tests", current_tool="Bash"),
    )
    found = {words: sorted({"1", "2"} & {*listed(*board, choice=Choice(words=words))}) for words in FILTERS}
    assert found == FILTERS


FILTERS: dict[str, list[str]] = {
    "fix": ["1", "2"],
    "FIX codex": ["1"],
    "fix -codex": ["2"],
    "bash": ["2"],
    "gpt main": ["1"],
    "working": ["1", "2"],
    "webshop": ["1", "2"],
    "nowhere": [],
    "-": ["1", "2"],
}


def test_only_who_needs_you() -> None:
    board = (session("r"), waiting("q", "question", 5), ended("e", 1))
    assert listed(*board, choice=Choice(needs_only=True)) == ["# webshop 1 !1", "q"]
    assert listed(session("r"), choice=Choice(needs_only=True)) == ["nobody needs you"]


def test_an_empty_list_says_why() -> None:
    assert rows((), Choice()) == [Nothing("no sessions")]
    assert listed(session("r"), choice=Choice(words="zzz")) == ["no match"]
    assert listed(ended("e", 1)) == ["no sessions", "> 1"]


def test_projects_of_the_same_name_are_told_apart() -> None:
    board = (session("1", working_dir="/x/app"), session("2", working_dir="/y/app/"), session("3", working_dir=None))
    assert [word for word in listed(*board) if word.startswith("#")] == ["# (no project) 1", "# x/app 1", "# y/app 1"]

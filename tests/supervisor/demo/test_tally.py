from bellboard.protocol.session import SessionState, Subagent
from bellboard.supervisor.demo.acts import Said
from bellboard.supervisor.demo.tally import Comparison, Counts, Tally, compare, on_board, times


def test_what_acts_say_is_added_up_by_conversation() -> None:
    tally = Tally()
    tally.add([Said("claude", "a", messages=1, calls=2), Said("claude", "b", messages=1)])
    tally.add([Said("claude", "a", messages=1, compactions=1), Said("codex", "a", calls=1)])
    assert tally.copy() == {
        ("claude", "a"): Counts(2, 2, 1),
        ("claude", "b"): Counts(1),
        ("codex", "a"): Counts(0, 1),
    }


def test_subagents_are_conversations_of_their_own() -> None:
    helper = Subagent(id="h", message_count=3, tool_call_count=2)
    session = SessionState(
        id="a", source="claude", message_count=5, tool_call_count=4, compaction_count=1, subagents=(helper,)
    )
    assert on_board([session]) == {("claude", "a"): Counts(5, 4, 1), ("claude", "h"): Counts(3, 2)}


def test_the_same_counts_are_no_difference_also_where_nothing_was_said_yet() -> None:
    counts = {("pi", "a"): Counts(3, 2)}
    assert compare(counts, {**counts, ("pi", "new"): Counts()}) == Comparison(Counts(3, 2), Counts(3, 2))


def test_a_board_that_shows_less_is_behind_and_one_that_shows_more_of_anything_is_ahead() -> None:
    written = {("pi", "a"): Counts(3, 2), ("pi", "b"): Counts(3, 2), ("pi", "c"): Counts(1)}
    shown = {("pi", "a"): Counts(2, 2), ("pi", "b"): Counts(2, 3), ("pi", "d"): Counts(0, 0, 1)}
    found = compare(written, shown)
    assert found == Comparison(Counts(7, 4), Counts(4, 5, 1), (("pi", "a"), ("pi", "c")), (("pi", "b"), ("pi", "d")))
    assert found.differences == 4


def test_one_thing_is_not_several() -> None:
    assert (times(0, "call"), times(1, "call"), times(1204, "call")) == ("0 calls", "1 call", "1,204 calls")
    assert Counts(1204, 1).words == "1,204 messages and 1 call"

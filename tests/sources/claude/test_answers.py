"""Answers are counted once however many rows they have, and their calls stay open until a result comes."""

import pytest
from claude_home import answer, call, line, prompt, result, told, usage

from bellboard.sources.claude.state import CALLS_KEPT, MESSAGES_KEPT, State


def sums(state: State) -> tuple[int, int, int, int]:
    main = state.main
    return main.input, main.created, main.cached, main.output


def test_the_rows_of_one_answer_are_one_message_and_its_last_numbers_count() -> None:
    state = told(answer("m", tokens=usage(output=1), stop=None))
    assert (state.main.messages, sums(state)) == (1, (3, 1000, 15000, 1))

    told(answer("m", call(), tokens=usage(output=70), stop="tool_use"), state=state)
    assert (state.main.messages, state.main.calls, sums(state)) == (1, 1, (3, 1000, 15000, 70))

    told(answer("m", tokens=usage(output=2)), state=state)
    assert sums(state) == (3, 1000, 15000, 70)


def test_a_result_may_stand_between_the_rows_of_one_answer() -> None:
    state = told(
        answer("m", call("a"), stop="tool_use", at=1), result("a", at=2), answer("m", call("b"), stop="tool_use", at=3)
    )
    assert (state.main.messages, state.main.calls) == (1, 2)
    assert list(state.main.open) == ["b"]


def test_an_answer_without_an_id_is_known_by_its_request_or_its_row() -> None:
    state = told(
        answer("", requestId="req_1"), answer("", requestId="req_1"), answer("", uuid="u"), answer("", uuid="u")
    )
    assert state.main.messages == 2
    told(answer(""), answer(""), state=state)
    assert state.main.messages == 4


def test_long_ids_are_told_apart_by_their_ends() -> None:
    state = told(answer("m" * 500 + "1"), answer("m" * 500 + "2"), answer("m" * 500 + "1"))
    assert state.main.messages == 2
    assert all(len(key) <= 64 for key in state.main.recent)


def test_the_windows_of_recent_ids_stay_small() -> None:
    state = told(*(answer(f"m{n}", call(f"c{n}")) for n in range(500)))
    assert (state.main.messages, state.main.calls) == (500, 500)
    assert list(state.main.recent) == [f"m{n}" for n in range(500 - MESSAGES_KEPT, 500)]
    assert list(state.main.seen) == [f"c{n}" for n in range(500 - CALLS_KEPT, 500)]


def test_a_repeated_call_is_one_call_and_does_not_open_again() -> None:
    state = told(answer("m", call("a"), stop="tool_use"), result("a"), answer("m", call("a"), stop="tool_use"))
    assert (state.main.calls, state.main.open) == (1, {})


def test_a_result_that_came_before_its_call_closes_it() -> None:
    state = told(result("a", at=1), answer("m", call("a"), stop="tool_use", at=2))
    assert (state.main.calls, state.main.open, state.main.early) == (1, {}, {})


def test_a_new_answer_ends_the_calls_of_an_earlier_one() -> None:
    state = told(answer("m", call("a"), stop="tool_use"))
    assert list(state.main.open) == ["a"]
    told(answer("n", call("b"), stop="tool_use"), state=state)
    assert list(state.main.open) == ["b"]


def test_what_the_client_says_in_the_models_place_counts_for_nothing() -> None:
    state = told(answer("m"), answer("n", model="<synthetic>", tokens=usage(0, 0, 0, 0), isApiErrorMessage=True))
    assert (state.main.messages, state.main.model, state.main.context) == (1, "claude-sonnet-4-6", 16003)
    assert state.main.phase == "failed"
    told(answer("o", model="<synthetic>"), state=state)
    assert (state.main.messages, state.main.phase) == (1, "over")


@pytest.mark.parametrize(
    ("block", "stop", "phase"),
    [
        ({"type": "text", "text": "So"}, None, "said"),
        ({"type": "thinking", "thinking": "Hm"}, None, "busy"),
        (call(), None, "busy"),
        (call(), "tool_use", "busy"),
        ({"type": "text", "text": "So"}, "tool_use", "busy"),
        ({"type": "text", "text": "So"}, "pause_turn", "busy"),
        ({"type": "text", "text": "So"}, "end_turn", "over"),
        ({"type": "text", "text": "So"}, "stop_sequence", "over"),
        ({"type": "text", "text": "So"}, "max_tokens", "over"),
        ({"type": "text", "text": "No"}, "refusal", "over"),
    ],
)
def test_the_stop_reason_says_whose_turn_it_is(block: dict[str, str], stop: str | None, phase: str) -> None:
    assert told(prompt(), answer("m", block, stop=stop)).main.phase == phase


def test_the_context_is_what_went_into_the_last_answer() -> None:
    state = told(answer("m", tokens=usage(5, 10, 100, 7)), answer("n", tokens=usage(6, 20, 110, 8)))
    assert (state.main.context, state.main.peak) == (136, 136)
    told(answer("o", tokens=usage(0, 0, 0, 4)), state=state)
    assert state.main.context == 136


def test_the_peak_belongs_to_the_model() -> None:
    state = told(
        answer("m", tokens=usage(5, 0, 250_000, 7)), answer("n", tokens=usage(6, 0, 10, 8), model="claude-opus-5")
    )
    assert (state.main.model, state.main.peak) == ("claude-opus-5", 16)


def test_damaged_numbers_are_left_out() -> None:
    huge = told(answer("m", tokens=usage(output=1 << 60)))
    assert (huge.main.messages, sums(huge)) == (1, (0, 0, 0, 0))
    negative = told(answer("m", tokens=usage(-5, -1, -1, -9)))
    assert (sums(negative), negative.main.context) == ((0, 0, 0, 0), None)


def test_numbers_and_contents_may_be_missing_or_null() -> None:
    nothing = {"role": "assistant", "id": "m", "content": None, "usage": None, "stop_reason": None, "model": None}
    state = told(
        answer("a", tokens=dict.fromkeys(usage())),
        prompt(None),
        answer("b").replace(b'"text": "Done."', b'"text": null'),
        b'{"type":"assistant","message":null}\n',
        b'{"type":"assistant"}\n{"type":"user"}\n{"type":"system"}\n',
    )
    assert (state.main.messages, state.main.output, state.unknown) == (2, 90, 0)
    told(line("assistant", message=nothing), state=state)
    assert (state.main.messages, state.main.model) == (3, "claude-sonnet-4-6")

"""All that a cursor holds comes back as it was, and nothing else does."""

from claude_home import answer, call, note, prompt, told

from bellboard.sources.claude.state import FORMAT, Agent, Link, Task, Transcript, dump, fresh, lighten, load
from bellboard.sources.tail import Mark


def test_a_state_survives_its_cursor() -> None:
    state = told(
        prompt("Grüße \u2028"), answer("m", call(), stop="tool_use"), note("custom-title", customTitle="T"), note("odd")
    )
    state.main.mark = Mark(1, 2, 3, 4, 5, skipping=True, stamp="x")
    state.agents = {"a1": Agent(told(answer()).main, Link("t", "k", "d"), finished=True)}
    state.tasks = {"t": Task("k", 7)}
    state.links = {"a2": Link()}
    state.counted = state.counts
    assert load(dump(state)) == state
    assert dump(load(dump(state)) or fresh()) == dump(state)


def test_what_is_no_state_of_this_version_is_none() -> None:
    assert load(b"") is None
    assert load(b"{}") is None
    assert load(dump(fresh()).replace(f"[{FORMAT}".encode(), b"[0", 1)) is None
    assert load(dump(fresh())[:-1]) is None


def test_a_typical_state_is_small() -> None:
    state = told(*(answer(f"msg_01{n:022}", call(f"toolu_01{n:022}")) for n in range(100)))
    assert len(dump(state)) < 2600


def test_a_subagent_without_its_windows_keeps_its_sums() -> None:
    agent = Agent(told(prompt(), answer("m", call(), stop="tool_use")).main, Link())
    before = agent.transcript.messages, agent.transcript.calls, agent.transcript.output
    lighten(agent)
    assert (agent.transcript.messages, agent.transcript.calls, agent.transcript.output) == before
    assert dump(fresh()).count(b"{}") == 7
    assert (agent.transcript.recent, agent.transcript.seen, agent.transcript.open) == ({}, {}, {})


def test_two_fresh_states_share_nothing() -> None:
    one, other = fresh(), fresh()
    one.main.open["x"] = told(answer("m", call(), stop="tool_use")).main.open["toolu_1"]
    one.agents["a"] = Agent(Transcript(), Link())
    assert other == fresh()
    assert other.main.open == {}

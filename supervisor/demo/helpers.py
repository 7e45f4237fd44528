"""A simulated Claude Code session with many tools, which sends subagents out and goes on when they report back.

Subagents run in the background, as 2.1.330 starts them: the call has its result at once, the subagent writes a transcript
of its own, and a notification brings it back into the conversation.
"""

import itertools
from collections.abc import Iterator

from msgspec import structs

from .acts import Act, Row, Said, dump, wait
from .claude import SOURCE, Client, Rows, text, use

SURVEYS = (
    ("Explore", "Find where it is slow"),
    ("general-purpose", "Read the change log"),
    ("Explore", "List the callers"),
    ("general-purpose", "Compare with last week"),
)
TOOLS = ("Grep", "Read", "Glob", "Bash")
TURNS = 12
"""After so many turns the person clears the conversation, and a new one begins in the same process."""


class Helper:
    """One subagent: its transcript, and the file beside it that says who sent it."""

    def __init__(self, client: Client, call: str, kind: str, what: str) -> None:
        ids = client.ids
        self.id = f"a{ids.hex(16)}"
        self.call, self.kind, self.what = call, kind, what
        self._client = client
        self._path = f"{client.folder}/{client.session}/subagents/agent-{self.id}"
        self._rows = Rows(ids, client.task, client.session, self.id, used=5_900)

    def acts(self) -> Iterator[Act]:
        """Play from the start to the answer."""
        ids = self._client.ids
        yield self._meta(finished=False)
        yield self._act(0.1, self._rows.prompt(f"{self.what}, and report in two lines"), messages=1)
        for _ in range(ids.number(3, 6)):
            call, name = f"toolu_01{ids.hex(22)}", ids.one_of(TOOLS)
            used = self._rows.answer([use(call, name, {"pattern": "simulated"})], "tool_use")
            yield self._act(ids.between(0.3, 1.0), used, messages=1, calls=1)
            yield self._act(ids.between(0.3, 1.4), self._rows.result(call, "three lines"))
        yield self._act(ids.between(0.4, 1.0), self._rows.answer([text("Found it.")], "end_turn"), messages=1)
        yield self._meta(finished=True)

    def notice(self) -> str:
        """Return what the client tells the conversation when the subagent has ended."""
        return (
            f"<task-notification>\n<task-id>{self.id}</task-id>\n<tool-use-id>{self.call}</tool-use-id>\n"
            f'<status>completed</status>\n<summary>Agent "{self.what}" finished</summary>\n'
            f"<result>Found it.</result>\n</task-notification>"
        )

    def _act(self, pause: float, rows: str, *, messages: int = 0, calls: int = 0) -> Act:
        said = (Said(SOURCE, self.id, messages, calls),) if messages or calls else ()
        return Act(pause=pause, path=f"{self._path}.jsonl", text=rows, said=said)

    def _meta(self, *, finished: bool) -> Act:
        meta: Row = {"agentType": self.kind, "description": self.what, "toolUseId": self.call, "spawnDepth": 1}
        ended = {"finished": True} if finished else {}
        return Act(
            path=f"{self._path}.meta.json", text=dump({**meta, "model": "claude-opus-5-5", **ended}), how="write"
        )


class Conductor(Client):
    """A session that reads a lot itself and lets subagents read the rest."""

    manner = "many tools, subagents"

    def acts(self) -> Iterator[Act]:
        """Play turn after turn, for ever."""
        for turn in itertools.count():
            if turn and turn % TURNS == 0:
                self._clear()
            yield from self.ask(turn % TURNS)
            for _ in range(self.ids.number(2, 4)):
                yield from self._batch()
            helpers: list[Helper] = []
            for _ in range(self.ids.number(2, 3)):
                yield from self._send(helpers)
            yield self.act(0.8, self.rows.answer([text("The helpers are out.")], "end_turn"), messages=1)
            yield self.act(0.1, self.rows.over(pending=len(helpers)))
            yield from self._await(helpers)
            yield self.status("idle")
            yield wait(self.ids.between(2.0, 5.0))

    def _batch(self) -> Iterator[Act]:
        calls = [f"toolu_01{self.ids.hex(22)}" for _ in range(self.ids.number(2, 4))]
        blocks = [use(call, self.ids.one_of(TOOLS), {"path": "simulated"}) for call in calls]
        answer = self.rows.answer(blocks, "tool_use")
        yield self.act(self.ids.between(0.4, 1.2), answer, messages=1, calls=len(calls))
        for call in calls:
            yield self.act(self.ids.between(0.2, 0.8), self.rows.result(call, "ok"))

    def _send(self, helpers: list[Helper]) -> Iterator[Act]:
        kind, what = SURVEYS[len(helpers)]
        call = f"toolu_01{self.ids.hex(22)}"
        helper = Helper(self, call, kind, what)
        helpers.append(helper)
        given = {"description": what, "prompt": f"{what}, and report in two lines", "subagent_type": kind}
        blocks = [use(call, "Agent", given)]
        yield self.act(0.4, self.rows.answer(blocks, "tool_use"), messages=1, calls=1)
        twin: Row = {"isAsync": True, "status": "async_launched", "agentId": helper.id, "description": what}
        yield self.act(0.1, self.rows.result(call, "Async agent launched successfully.", twin=twin))

    def _await(self, helpers: list[Helper]) -> Iterator[Act]:
        """Let the subagents write side by side; each one that ends brings the conversation on."""
        playing = {number: helper.acts() for number, helper in enumerate(helpers)}
        while playing:
            for number, acts in list(playing.items()):
                act = next(acts, None)
                if act is not None:
                    yield structs.replace(act, pause=act.pause / len(playing))
                    continue
                del playing[number]
                yield self.act(0.2, self.rows.notification(helpers[number].notice()))
                noted = self.rows.answer([text(f"{helpers[number].what}: noted.")], "end_turn")
                yield self.act(0.6, noted, messages=1)
                yield self.act(0.1, self.rows.over(pending=len(playing)))

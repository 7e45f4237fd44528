"""State: all that is remembered of a session between two reads, so that reading can go on anywhere.

It travels as JSON in the cursor, so everything in it is bounded: windows of recent ids are trimmed by the fold itself
and by the same rule whatever the pieces in which a file is read. The counterpart is `fold.py`, the only writer.
"""

from typing import Literal, TypeAlias

from msgspec import MsgspecError, Struct, json

from ..tail import Mark

FORMAT = 2
"""Version of this state: a cursor of another version is read anew from the start."""

MESSAGES_KEPT = 16
CALLS_KEPT = 32
RESULTS_KEPT = 16
OPEN_KEPT = 16
"""Windows of the session's own transcript: message ids with their tokens, tool-call ids, results that came before
their call, calls without a result. A row repeated from further back than that would be counted twice."""

AGENT_MESSAGES_KEPT = 3
AGENT_CALLS_KEPT = 4
AGENT_RESULTS_KEPT = 4
AGENT_OPEN_KEPT = 4
"""The same windows of a subagent's transcript, of which there can be many."""

AGENTS_KEPT = 80
"""Subagent files of one session that are followed: the newest. Older ones leave the list of its subagents."""

TASKS_KEPT = 16
LINKS_KEPT = 8
"""Subagents that were called for and are not matched with a file yet."""

Phase: TypeAlias = Literal["", "busy", "said", "over", "stopped", "failed", "ended"]
"""What the last telling row says: nothing yet; the model's turn; text that may or may not be the last of its answer;
the answer is complete; a person stopped it; it ended in an error; the model closed the session."""


class Call(Struct, array_like=True):
    """A tool call without a result."""

    name: str = ""
    since: str = ""


class Transcript(Struct, array_like=True):
    """What one transcript file has said so far. Token sums are over distinct message ids, the largest of each.

    The last four fields are kept for the session's own transcript only.
    """

    mark: Mark = Mark()
    messages: int = 0
    calls: int = 0
    compactions: int = 0
    input: int = 0
    created: int = 0
    cached: int = 0
    output: int = 0
    context: int | None = None
    peak: int = 0
    estimated: bool = False
    model: str | None = None
    phase: Phase = ""
    since: str = ""
    first: str = ""
    last: str = ""
    opening: int = 0
    recent: dict[str, list[int]] = {}
    seen: dict[str, int] = {}
    early: dict[str, int] = {}
    open: dict[str, Call] = {}
    slug: str | None = None
    asked: str | None = None
    cwd: str | None = None
    branch: str | None = None
    version: str | None = None


class Labels(Struct, array_like=True):
    """Notes about the session, the last of each kind; `wide` are models that were charged with the large window."""

    custom: str | None = None
    agent: str | None = None
    generated: str | None = None
    summary: str | None = None
    prompt: str | None = None
    wide: list[str] = []


class Task(Struct, array_like=True):
    """A call for a subagent that nothing links with its file: its kind, a checksum of the words it starts with, its end."""

    kind: str | None = None
    opening: int = 0
    done: str = ""


class Link(Struct, array_like=True):
    """What a parent's rows say about one subagent: the call that started it, and when it was last reported done."""

    call: str | None = None
    kind: str | None = None
    done: str = ""


class Agent(Struct, array_like=True):
    """One subagent's file; `finished` is its meta file's word."""

    transcript: Transcript
    link: Link
    finished: bool = False


class Counts(Struct, array_like=True, frozen=True):
    """What is reported as deltas; `unknown` are lines and types that were not understood."""

    messages: int = 0
    calls: int = 0
    compactions: int = 0
    unknown: int = 0

    def since(self, before: "Counts") -> "Counts":
        """Return what these counts have above earlier ones."""
        return Counts(
            self.messages - before.messages,
            self.calls - before.calls,
            self.compactions - before.compactions,
            self.unknown - before.unknown,
        )


class State(Struct, array_like=True):
    """One session. `told` is a checksum of the facts reported last, `counted` the counts reported so far.

    `live` is whether its process lived when it was last looked at, `lived` the process that was last seen alive, `ended`
    when a living session was seen to have ended, `restart` whether it is to be reported that reading began anew.
    """

    format: int
    main: Transcript
    labels: Labels
    agents: dict[str, Agent] = {}
    tasks: dict[str, Task] = {}
    links: dict[str, Link] = {}
    unknown: int = 0
    told: int = 0
    counted: Counts = Counts()
    live: bool = False
    lived: int = 0
    ended: str = ""
    restart: bool = False

    @property
    def counts(self) -> Counts:
        """What was counted so far."""
        return Counts(self.main.messages, self.main.calls, self.main.compactions, self.unknown)


def fresh(*, restart: bool = False, live: bool = False) -> State:
    """Return the state of a session of which nothing was read, or not in its present form."""
    return State(format=FORMAT, main=Transcript(), labels=Labels(), restart=restart, live=live)


def lighten(agent: Agent) -> None:
    """Forget what only further rows of a subagent would need."""
    transcript = agent.transcript
    transcript.recent, transcript.seen, transcript.early, transcript.open = {}, {}, {}, {}


_DECODER = json.Decoder(State)
_ENCODER = json.Encoder()


def load(body: bytes | str) -> State | None:
    """Return the state that a cursor holds, None if it is of another version or damaged."""
    try:
        state = _DECODER.decode(body)
    except MsgspecError:
        return None
    return state if state.format == FORMAT else None


def dump(state: State) -> bytes:
    """Return the state as a cursor holds it."""
    return _ENCODER.encode(state)

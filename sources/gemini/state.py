"""State: all that has to be remembered about a session between two readings; it travels in the cursor.

A session may lie in several files (a copy in a new folder, a `.json` with its `.jsonl` twin, the stub of a resume). Each
file is folded on its own into a `Chat`, and the counts of the session are the highest of any of its files: the files of
one session repeat each other, they never add up. What is said of a session is made from this in `facts.py`.
"""

from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from ..contract import Cursor
from ..tail import Mark

RECENT_MESSAGES = 8
"""How many messages of a file are remembered one by one.

The client writes a message again only while it is the last of its list (when its tokens or tool calls arrive), so that
one would do; the others are a reserve, and what finds the place to go on in a document that is saved anew.
"""

ID_LIMIT = 64
"""Characters of a message id that are compared."""

Turn: TypeAlias = Literal[
    "", "asked", "results", "tools", "ran", "answered", "cancelled", "rewound", "rebuilt", "finished"
]
"""How the newest message leaves a conversation; `facts.py` says what each means."""


class Recent(Struct, array_like=True, gc=False):
    """What one message has added to the sums; `counted` is 1 if it was counted as a message."""

    id: str
    counted: int = 0
    tools: int = 0
    input: int = 0
    cached: int = 0
    output: int = 0


class Chat(Struct, omit_defaults=True):
    """What one file has said so far. Times are the client's ISO strings; "" is what is not known.

    `messages`, `tools`, `compactions` and `unknown` only ever grow. `copying` holds while the client writes an old
    conversation down again under new ids; `cancelled` is the time of a cancellation that is the newest message;
    `compaction` is a digest of the newest summary.
    """

    session: str = ""
    project: str = ""
    kind: str = ""
    started: str = ""
    newest: str = ""
    prompt: str = ""
    summary: str = ""
    workspace: str = ""
    directory: str = ""
    model: str = ""
    context: int | None = None
    input: int = 0
    cached: int = 0
    output: int = 0
    messages: int = 0
    tools: int = 0
    compactions: int = 0
    unknown: int = 0
    turn: Turn = ""
    since: str = ""
    copying: bool = False
    cancelled: str = ""
    compaction: str = ""
    recent: list[Recent] = []


class Part(Struct, omit_defaults=True):
    """One file of a session: where its reading stopped and what was found. `stamp` is that of a document."""

    mark: Mark = Mark()
    stamp: str = ""
    chat: Chat = msgspec.field(default_factory=Chat)


class Totals(Struct, array_like=True):
    """Counts that the board has been told."""

    messages: int = 0
    tools: int = 0
    compactions: int = 0
    unknown: int = 0


class State(Struct, omit_defaults=True):
    """A session: its files by path, what was told, and what its surroundings say (folder, newest subagent's start).

    `name` is the id under which it was told: once told it stays, whatever a header says later.
    """

    files: dict[str, Part] = {}
    name: str = ""
    told: Totals = msgspec.field(default_factory=Totals)
    started: str = ""
    newest: str = ""
    folder: str = ""
    parent: str = ""
    subagent_since: str = ""


_DECODER = msgspec.json.Decoder(State)


def load(cursor: Cursor) -> State:
    """Take the state out of a cursor; "" holds none. Raises ValueError if this is no cursor of ours."""
    return _DECODER.decode(cursor.partition("|")[2].encode()) if cursor else State()


def store(stamp: str, state: State) -> Cursor:
    """Make a cursor: `stamp` describes the files in the shape in which all of them were read, "" while there is more."""
    return f"{stamp}|{msgspec.json.encode(state).decode()}"

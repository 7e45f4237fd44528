"""Floor: the least that a reader of these files does, in one process. `python -m tests.bench.floor decode|stat TREE`.

`decode` reads each file and decodes its lines with a bare `decode_lines` (a document with `decode`) into structs that hold
what any count needs; it counts nothing over files, finds no state, keeps no cursor. `stat` looks at each file once.
"""

import os
import sys
import time

import msgspec
from msgspec import Struct

from .trees import files_of


class Usage(Struct, gc=False):
    """Tokens of an answer."""

    input_tokens: int = 0
    cache_creation_input_tokens: int = 0
    cache_read_input_tokens: int = 0
    output_tokens: int = 0


class Block(Struct, gc=False):
    """A piece of a message."""

    type: str = ""
    id: str = ""
    name: str = ""


class Message(Struct, gc=False):
    """What was said."""

    role: str = ""
    id: str = ""
    model: str = ""
    content: str | list[Block] = ""
    stop_reason: str | None = None
    usage: Usage | None = None


class Claude(Struct, gc=False):
    """A line of a transcript."""

    type: str = ""
    sessionId: str = ""  # noqa: N815 - the client's own names, here and below
    timestamp: str = ""
    cwd: str = ""
    gitBranch: str = ""  # noqa: N815
    isMeta: bool = False  # noqa: N815
    message: Message | None = None


class Totals(Struct, gc=False):
    """Tokens of a thread."""

    input_tokens: int = 0
    cached_input_tokens: int = 0
    output_tokens: int = 0
    reasoning_output_tokens: int = 0
    total_tokens: int = 0


class Info(Struct, gc=False):
    """A count of tokens."""

    total_token_usage: Totals | None = None
    last_token_usage: Totals | None = None
    model_context_window: int = 0


class Payload(Struct, gc=False):
    """What an envelope carries."""

    type: str = ""
    id: str = ""
    role: str = ""
    name: str = ""
    cwd: str = ""
    model: str = ""
    info: Info | None = None


class Codex(Struct, gc=False):
    """A line of a rollout."""

    timestamp: str = ""
    type: str = ""
    payload: Payload | None = None


class Tokens(Struct, gc=False):
    """Tokens of a message."""

    input: int = 0
    output: int = 0
    cached: int = 0


class Call(Struct, gc=False):
    """A tool call."""

    id: str = ""
    name: str = ""
    status: str = ""


class Said(Struct, gc=False):
    """A message of a document."""

    type: str = ""
    id: str = ""
    timestamp: str = ""
    tokens: Tokens | None = None
    model: str = ""
    toolCalls: list[Call] = []  # noqa: N815


class Document(Struct, gc=False):
    """A whole session."""

    sessionId: str = ""  # noqa: N815
    lastUpdated: str = ""  # noqa: N815
    messages: list[Said] = []


_CLAUDE = msgspec.json.Decoder(Claude)
_CODEX = msgspec.json.Decoder(Codex)
_DOCUMENT = msgspec.json.Decoder(Document)


def decode(tree: str) -> int:
    """Decode everything below `tree`. Returns how many answers and calls there were, so that nothing is left out."""
    found = 0
    for path in files_of(tree):
        with open(path, "rb", 0) as file:
            data = file.read()
        if path.endswith(".json"):
            for said in _DOCUMENT.decode(data).messages:
                found += said.type == "gemini"
        elif "/.codex/" in path:
            for row in _CODEX.decode_lines(data[: data.rfind(b"\n") + 1]):
                payload = row.payload
                found += payload is not None and payload.type == "agent_message"
        else:
            for line in _CLAUDE.decode_lines(data[: data.rfind(b"\n") + 1]):
                found += line.type == "assistant" and line.message is not None
    return found


def stat(tree: str, times: int = 1) -> float:
    """Look at each file; returns the CPU seconds of one look."""
    files = files_of(tree)
    began = time.process_time()
    for _ in range(times):
        for path in files:
            os.stat(path)
    return (time.process_time() - began) / times


if __name__ == "__main__":
    verb, where = sys.argv[1:3]
    sys.stdout.write(f"{decode(where) if verb == 'decode' else stat(where)}\n")

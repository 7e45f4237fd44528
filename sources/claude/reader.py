"""Reader: the files of one session, read on into its state, a bounded piece at a time."""

import msgspec
from msgspec.structs import replace

from ..contract import READ_LIMIT
from ..tail import Piece, read_on
from ..text import tidy
from .fold import fold
from .rows import READER, AgentMeta
from .state import AGENTS_KEPT, Agent, Link, State, Transcript, fresh
from .tree import AgentFile, Session, shape_of
from .verdict import finished

PIECE_LEAST = 64 * 1024
"""Bytes: with less than that left of a call's limit, the next file waits for the next call."""

META_LIMIT = 64 * 1024

_META = msgspec.json.Decoder(AgentMeta, strict=False)


def read(session: Session, state: State) -> tuple[State, str]:
    """Read on, at most `READ_LIMIT` bytes over all files (one longer line excepted).

    Returns the state, which is a new one if the transcript was replaced, and the shape of the files in which everything
    was taken in, "" while there may be more. Raises OSError; FileNotFoundError says that the transcript has gone.
    """
    left = READ_LIMIT
    files = _adopt(state, session)
    if session.stamp:
        piece = read_on(session.path, state.main.mark, left)
        if piece is not None:
            if piece.replaced:
                state = fresh(restart=True, live=state.live)
                files = _adopt(state, session)
            left -= _take(state, state.main, piece)
    for file in files:
        left -= _read_agent(state, file, left)
    return state, _shape(session, state)


def _adopt(state: State, session: Session) -> list[AgentFile]:
    """Make room in the state for the newest subagents. Returns their files."""
    files = sorted(session.agents, key=lambda file: file.modified_at)[-AGENTS_KEPT:]
    for file in files:
        if file.id not in state.agents:
            state.agents[file.id] = Agent(Transcript(), state.links.pop(file.id, Link()))
    surplus = len(state.agents) - AGENTS_KEPT
    if surplus > 0:
        present = {file.id for file in files}
        for name in [name for name in state.agents if name not in present][:surplus]:
            del state.agents[name]
    return files


def _read_agent(state: State, file: AgentFile, left: int) -> int:
    """Read on in one subagent's files. Returns how many bytes of its transcript were taken in."""
    agent = state.agents[file.id]
    took = 0
    if agent.transcript.mark.stamp != file.stamp and left >= PIECE_LEAST:
        try:
            piece = read_on(file.path, agent.transcript.mark, left)
        except FileNotFoundError:
            if not agent.transcript.mark.offset:
                del state.agents[file.id]
            return 0
        if piece is not None:
            if piece.replaced:
                agent.transcript = Transcript()
            took = _take(state, agent.transcript, piece)
    _read_meta(state, file, agent)
    return took


def _take(state: State, transcript: Transcript, piece: Piece) -> int:
    rows, bad = READER.read(piece.data)
    state.unknown += bad + len(piece.overlong)
    fold(state, rows, None if transcript is state.main else transcript)
    took = piece.mark.offset - transcript.mark.offset
    transcript.mark = piece.mark
    return took


def _read_meta(state: State, file: AgentFile, agent: Agent) -> None:
    """Read what lies beside a subagent's transcript, as long as that may still say something new."""
    if agent.finished or (agent.link.kind and agent.link.call and finished(state, agent)):
        return
    try:
        with open(file.meta, "rb") as opened:
            meta = _META.decode(opened.read(META_LIMIT))
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return  # releases before 2.1.197 write none, and one that is being written is read the next time
    agent.link.kind = tidy(meta.agentType) or agent.link.kind
    agent.link.call = tidy(meta.toolUseId) or agent.link.call
    agent.finished = bool(meta.finished)


def _shape(session: Session, state: State) -> str:
    """Describe the files in the shape in which they were read, "" if one of them holds more."""
    if session.stamp and not state.main.mark.stamp:
        return ""
    agents: list[AgentFile] = []
    for file in session.agents:
        agent = state.agents.get(file.id)
        if agent is not None and not agent.transcript.mark.stamp:
            return ""
        agents.append(file if agent is None else replace(file, stamp=agent.transcript.mark.stamp))
    return shape_of(state.main.mark.stamp if session.stamp else "", agents)

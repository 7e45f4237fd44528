"""Garbage: random and mutated bytes on every socket change nothing and end nobody."""

import contextlib
import random
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import zmq
from harness import House, wait_for
from loaded import Loaded
from proof import Proof

from bellboard.protocol import Subscriber
from bellboard.protocol.addresses import CONTROL, EVENTS, INGEST, SNAPSHOT, address
from bellboard.protocol.ask import Command, SnapshotRequest
from bellboard.protocol.codec import (
    COMMAND,
    DOWNWARD,
    EVENT,
    ORDER,
    REPLY,
    SNAPSHOT_PAGE,
    SNAPSHOT_REQUEST,
    UPWARD,
    Codec,
)
from bellboard.protocol.update import Beat, Bye, Fault, Hello, SourceUpdate, Update

PROOF = "0" * 32
GENUINE: dict[str, list[bytes]] = {
    INGEST: [
        UPWARD.encode(Hello(v=1, source="mock", inc=1, token=PROOF, pid=1)),
        UPWARD.encode(
            Update(inc=1, seq=1, handle="s0001", before="", after="1", facts=SourceUpdate(session_id="s0001"))
        ),
        UPWARD.encode(Beat(progress=1, phase="wait")),
        UPWARD.encode(Fault(scope="handle", code="x", detail="y")),
        UPWARD.encode(Bye(reason="drained")),
    ],
    SNAPSHOT: [SNAPSHOT_REQUEST.encode(SnapshotRequest(request=7, sources=("mock",), seen=1))],
    # A word that is understood is obeyed: so none of the genuine ones ends or restarts anything.
    CONTROL: [COMMAND.encode(Command(request=7, verb="reset", source="nobody"))],
    EVENTS: [b"\x01session.", b"\x00session.", b"\x01", b"\x02x"],
}


def garbage(chance: random.Random, genuine: list[bytes]) -> bytes:
    """Random bytes, or a message with something wrong in it, now and then nested or long."""
    kind = chance.randrange(8)
    data = bytearray(chance.choice(genuine))
    if kind == 0:
        return chance.randbytes(chance.randrange(64))
    if kind == 1:
        return chance.choice(
            (b"[", b"{", b'{"a":', b"\x91", b"\x81", b"\xdd\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff")
        ) * (chance.randrange(1, 2000))
    if kind == 2:
        return bytes(data[: chance.randrange(len(data) + 1)])
    if kind == 3:
        return bytes(data) + chance.randbytes(chance.randrange(20))
    if kind == 4:
        return b"\x01" + chance.randbytes(chance.randrange(40))
    for _ in range(chance.randrange(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


@pytest.fixture
def lines(house: House) -> Iterator[Callable[[str], "zmq.Socket[bytes]"]]:
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    made: list[zmq.Socket[bytes]] = []

    def line(name: str) -> "zmq.Socket[bytes]":
        made_line = context.socket(zmq.XSUB if name == EVENTS else zmq.DEALER)
        made_line.linger = 0
        made_line.immediate = 1
        made_line.connect(address(str(house.runtime), name))
        made.append(made_line)
        return made_line

    yield line
    context.destroy(0)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", [INGEST, SNAPSHOT, CONTROL, EVENTS])
def test_no_bytes_on_a_socket_end_or_change_anything(
    house: House, lines: Callable[[str], "zmq.Socket[bytes]"], proof: Proof, name: str
) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    count = proof.many(3000, 340_000)
    load = Loaded(house, 100, 50)
    load.go()
    with Subscriber(str(house.runtime)) as board:
        board.join()
        wait_for(lambda: board.receive(0.02) and board.sessions, what="the load")
    began = time.monotonic()
    line = lines(name)
    sent = 0
    while sent < count:
        frames = [
            garbage(chance, GENUINE[name]) for _ in range(1 if chance.random() < 0.9 else chance.randrange(2, 300))
        ]
        if not line.poll(2000, zmq.POLLOUT):
            line = lines(name)  # whoever sends what no message can be loses its line
            continue
        line.send_multipart(frames)
        # At ingest each part is a message of its own, elsewhere the last part is the question.
        sent += len(frames) if name == INGEST else 1
        # What comes back is not looked at on the events' socket: our own side may not survive what it was made to say there.
        while name != EVENTS and line.poll(0, zmq.POLLIN):
            line.recv_multipart()
    total = load.stop()
    took = time.monotonic() - began
    assert load.supervisor.poll() is None, f"seed {seed}"
    assert house.health()["mock"]["restarts"] == 0, f"seed {seed}"
    with Subscriber(str(house.runtime), patience=20) as board:
        board.join()
        wait_for(lambda: board.receive(0.02) or sum(s.message_count for s in board.sessions.values()) == total)
        assert load.wrong(board.sessions) == {}, f"seed {seed}"
    assert "Traceback" not in house.log()
    proof.figure(
        f"{sent:,} messages in {took:.0f} s (seed {seed}): 0 crashes, {total:,} updates counted meanwhile, exact"
    )


@pytest.mark.timeout(120)
def test_no_bytes_of_somebody_who_does_not_speak_the_protocol_end_or_change_anything(
    house: House, proof: Proof
) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    count = proof.many(200, 20_000)
    load = Loaded(house, 100, 50)
    load.go()
    with Subscriber(str(house.runtime)) as board:
        board.join()
        wait_for(lambda: board.receive(0.02) and board.sessions, what="the load")
    greeting = b"\xff\x00\x00\x00\x00\x00\x00\x00\x01\x7f\x03\x00NULL" + bytes(48)
    for number in range(count):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
            line.connect(str(house.runtime / (EVENTS, SNAPSHOT, CONTROL, INGEST)[number % 4]))
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # it may have had enough of us
                line.sendall((greeting if chance.random() < 0.5 else b"") + chance.randbytes(chance.randrange(200)))
    total = load.stop()
    assert load.supervisor.poll() is None, f"seed {seed}"
    assert house.health()["mock"]["restarts"] == 0, f"seed {seed}"
    with Subscriber(str(house.runtime), patience=20) as board:
        board.join()
        wait_for(lambda: board.receive(0.02) or sum(s.message_count for s in board.sessions.values()) == total)
    proof.figure(f"{count:,} connections (seed {seed}): 0 crashes, {total:,} updates counted meanwhile, exact")


@pytest.mark.timeout(120)
def test_no_bytes_make_a_decoder_raise(proof: Proof) -> None:
    seed = random.randrange(1 << 32)
    chance = random.Random(seed)
    families: list[tuple[Codec[Any], list[bytes]]] = [
        (UPWARD, GENUINE[INGEST]),
        (SNAPSHOT_REQUEST, GENUINE[SNAPSHOT]),
        (COMMAND, GENUINE[CONTROL]),
        (EVENT, [EVENTS_SAID]),
        (SNAPSHOT_PAGE, [EVENTS_SAID]),
        (REPLY, [b'{"request":1,"ok":true,"message":""}']),
        (DOWNWARD, GENUINE[INGEST]),
        (ORDER, GENUINE[INGEST]),
    ]
    count = proof.many(20_000, 1_000_000)
    refused = 0
    for number in range(count):
        codec, said = families[number % len(families)]
        refused += type(codec.decode(garbage(chance, said))).__name__ == "DecodeFault"
    assert 0 < refused <= count
    proof.figure(f"{count:,} messages to 8 decoders (seed {seed}): {refused:,} refused, 0 errors")


EVENTS_SAID = b'{"kind":"heartbeat","epoch":"e","seq":1,"source_seqs":{"pi":1},"at":"2026-01-02T03:04:05Z","v":1}'

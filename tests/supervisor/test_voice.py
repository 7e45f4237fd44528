from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime

import pytest
from harness import wait_for

from bellboard.protocol.channel import Listening
from bellboard.protocol.codec import EVENT
from bellboard.protocol.event import Discovered, Event, HealthChanged, Heartbeat, Removed
from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.voice import GATHER_SECONDS, HEARTBEAT_SECONDS, LEAST_SECONDS, UNHEARD_SECONDS, Voice

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class Hall:
    """A voice and those who listen to it."""

    def __init__(self, folder: str, stack: ExitStack) -> None:
        self._endpoint = f"ipc://{folder}/events.sock"
        self._stack = stack
        self.voice = Voice(self._endpoint)
        stack.callback(self.voice.channel.close)

    def join(self, *topics: bytes) -> Listening:
        """Somebody begins to listen, and the voice has noticed."""
        ear = self._stack.enter_context(Listening(self._endpoint, topics or [b""]))
        new = 0

        def noticed() -> bool:
            nonlocal new
            new += self.voice.channel.new_subscriptions()
            return new == len(topics or [b""])

        wait_for(noticed, what="the subscription")
        return ear


@pytest.fixture
def hall(folder: str) -> Iterator[Hall]:
    with ExitStack() as stack:
        yield Hall(folder, stack)


def session(name: str, source: str = "claude") -> SessionState:
    return SessionState(id=name, source=source)


def discovered(seq: int, name: str, source: str = "claude") -> Discovered:
    return Discovered(
        epoch="e", seq=seq, source=source, source_seq=seq, id=name, version=1, at=AT, session=session(name, source)
    )


def removed(seq: int, name: str) -> Removed:
    return Removed(
        epoch="e", seq=seq, source="claude", source_seq=seq, id=name, version=2, at=AT, session=session(name)
    )


def health(seq: int, source: str = "claude") -> HealthChanged:
    return HealthChanged(epoch="e", seq=seq, source=source, source_seq=seq, at=AT, health=HealthState(source=source))


def beat(seq: int) -> Heartbeat:
    return Heartbeat(epoch="e", seq=seq, source_seqs={"claude": seq}, at=AT)


def heard(ear: Listening, count: int) -> Sequence[Event]:
    found: list[Event] = []

    def enough() -> bool:
        while (data := ear.receive()) is not None:
            event = EVENT.decode(data)
            assert isinstance(event, Event)
            found.append(event)
        return len(found) >= count

    wait_for(enough, what=f"{count} event(s)")
    return found


def test_events_are_heard_by_everybody_in_order_and_whole(hall: Hall) -> None:
    ears = [hall.join(), hall.join()]
    said = [discovered(1, "one"), health(2), removed(3, "one")]
    hall.voice.say(said)
    hall.voice.heartbeat(beat(3), 0.0)
    for ear in ears:
        assert heard(ear, 4) == [*said, beat(3)]


def test_who_listens_to_a_topic_hears_nothing_else(hall: Hall) -> None:
    said = [discovered(1, "one"), discovered(2, "two", "codex"), health(3, "codex"), discovered(4, "10")]
    ears = {
        b"session.codex.": [said[1]],
        b"health.": [said[2]],
        b"session.claude.one": [said[0]],
        b"session.claude.": [said[0], said[3]],
    }
    listening = {topic: hall.join(topic, b"heartbeat") for topic in ears}
    hall.voice.say(said)
    hall.voice.heartbeat(beat(4), 0.0)
    for topic, ear in listening.items():
        assert heard(ear, len(ears[topic]) + 1) == [*ears[topic], beat(4)]


def test_speaking_to_nobody_is_no_trouble(hall: Hall) -> None:
    hall.voice.say([discovered(1, "one")])
    hall.voice.heartbeat(beat(1), 0.0)
    ear = hall.join()
    hall.voice.heartbeat(beat(1), 1.0)
    assert heard(ear, 1) == [beat(1)]


def test_a_heartbeat_is_due_each_second_while_somebody_listens_and_seldomer_while_nobody_does(hall: Hall) -> None:
    voice = hall.voice
    assert voice.heartbeat_due(1000.0)
    voice.heartbeat(beat(0), 1000.5)
    assert voice.due == 1000.0 + UNHEARD_SECONDS + GATHER_SECONDS
    ear = hall.join()
    assert voice.due == 1000.0 + HEARTBEAT_SECONDS + GATHER_SECONDS
    assert not voice.heartbeat_due(1000.99)
    assert voice.heartbeat_due(1001.0), "who is awake does not wait for the others"
    voice.heartbeat(beat(0), 1001.0)
    assert not voice.heartbeat_due(1001.99)
    assert voice.heartbeat_due(1002.0)
    ear.close()
    nobody = 1000.0 + UNHEARD_SECONDS + GATHER_SECONDS
    wait_for(lambda: (voice.listen(), voice.due == nobody)[1], what="the end of the subscription")


def test_a_heartbeat_is_due_soon_after_somebody_joined_but_only_once(hall: Hall) -> None:
    voice = hall.voice
    voice.heartbeat(beat(0), 1000.0)
    with closing(Listening(hall._endpoint, [b""])):

        def asked() -> bool:
            voice.listen()
            return voice.heartbeat_due(1000.0 + 2 * LEAST_SECONDS)

        wait_for(asked, what="the subscription")
        voice.listen()
        assert not voice.heartbeat_due(1000.0 + LEAST_SECONDS / 2)
        assert voice.heartbeat_due(1000.0 + 2 * LEAST_SECONDS)
        voice.heartbeat(beat(0), 1000.1)
        voice.listen()
        assert not voice.heartbeat_due(1000.9)


def test_for_nobody_nothing_is_encoded_and_who_joins_hears_what_comes_next(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded: list[Event] = []
    encode = EVENT.encode

    def noted(event: Event) -> bytes:
        encoded.append(event)
        return encode(event)

    monkeypatch.setattr(EVENT, "encode", noted)
    state = HealthState(source="claude")
    events = [HealthChanged(epoch="e", seq=n, source="claude", source_seq=n, at=AT, health=state) for n in (1, 2, 3)]
    hall.voice.say(events[:1])
    assert encoded == []
    ear = hall.join(b"")
    hall.voice.say(events[1:2])
    assert encoded == events[1:2]
    assert EVENT.decode(wait_for(ear.receive)) == events[1]
    ear.close()
    hall.voice.say(events[2:])
    assert encoded == events[1:], "whoever says that nobody listens any more is not believed"

"""Voice: everything the board says to everybody goes out here, encoded once however many listen."""

from collections.abc import Iterable

from ..protocol.channel import Publishing
from ..protocol.codec import EVENT
from ..protocol.event import BoardEvent, Heartbeat, topic_of

HEARTBEAT_SECONDS = 1.0
LEAST_SECONDS = 0.05
UNHEARD_SECONDS = 2.0
"""Between two heartbeats: while somebody listens, after a new subscription, and while nobody listens."""

GATHER_SECONDS = 0.02
"""Workers beat at whole multiples of their pause. So do we, but a little later: then all of it is one waking up."""


class Voice:
    """The PUB socket, and when its next heartbeat is due."""

    def __init__(self, endpoint: str) -> None:
        self.channel = Publishing(endpoint)
        self._beat_at = 0.0
        self._asked = False

    def say(self, events: Iterable[BoardEvent]) -> None:
        """Publish events in order. Before anybody came nothing is encoded: who joins asks for the whole picture then."""
        if not self.channel.heard:
            self.listen()
        if not self.channel.heard:
            return
        # All are encoded before the first goes out: then the thread that sends them wakes up once and not for each.
        for topic, data in [(topic_of(event), EVENT.encode(event)) for event in events]:
            self.channel.publish(topic, data)

    def listen(self) -> None:
        """Take note of new subscribers: each waits for a heartbeat before it asks for a snapshot."""
        self._asked = self.channel.new_subscriptions() > 0 or self._asked

    @property
    def due(self) -> float:
        """Until when one may sleep (monotonic seconds) before the next heartbeat."""
        return self._next + GATHER_SECONDS

    def heartbeat_due(self, monotonic: float) -> bool:
        """Whether a heartbeat is due: each second while anybody listens."""
        return monotonic >= self._next

    @property
    def _next(self) -> float:
        if self._asked:
            return self._beat_at + LEAST_SECONDS
        pause = HEARTBEAT_SECONDS if self.channel.subscriptions else UNHEARD_SECONDS
        return (self._beat_at // pause + 1) * pause

    def heartbeat(self, beat: Heartbeat, monotonic: float) -> None:
        """Publish a heartbeat."""
        self._beat_at, self._asked = monotonic, False
        self.channel.publish(topic_of(beat), EVENT.encode(beat))

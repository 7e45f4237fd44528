"""A board under a load that is known to the last update: after n of them each session has seen those that were its."""

import os
import struct
import time
from pathlib import Path

from harness import House, wait_for

from bellboard.protocol.replica import Key
from bellboard.protocol.session import SessionState

CHAOS = Path(__file__).parent / "chaos"


class Loaded:
    """Starts a supervisor whose only worker is the load of `chaos/load.py`."""

    def __init__(self, house: House, rate: int, sessions: int) -> None:
        self.house = house
        self.sessions = sessions
        self._folder = house.root / "load"
        self._folder.mkdir()
        (house.homes / "mock").mkdir()
        env = {
            "PYTHONPATH": os.pathsep.join([str(CHAOS), house.env["PYTHONPATH"]]),
            "BELLBOARD_TEST_LOAD": f"{rate},{sessions}",
            "BELLBOARD_TEST_LOAD_FOLDER": str(self._folder),
        }
        self.supervisor = house.start("--source", f"mock={house.homes / 'mock'}", env=env)
        wait_for((self._folder / "sent").exists, what="the load")

    def go(self) -> None:
        """Begin to send; comes back when the first update was acknowledged."""
        flowing = self._folder / "flowing"
        flowing.unlink(missing_ok=True)
        (self._folder / "go").touch()
        wait_for(flowing.exists, 20, "the first acknowledgement")

    def stop(self) -> int:
        """Stop, and return how many updates were acknowledged so far."""
        (self._folder / "go").unlink()
        (self._folder / "sent").unlink()

        def settled() -> int:
            text = (self._folder / "sent").read_text() if (self._folder / "sent").exists() else "-1"
            return max(0, int(text))

        return wait_for(settled, what="the last acknowledgement")

    def latencies(self, since: float, until: float) -> list[float]:
        """How long the updates took that were sent in a time (monotonic seconds); in seconds."""
        data = (self._folder / "latencies").read_bytes()
        pairs = struct.iter_unpack("dd", data[: len(data) // 16 * 16])
        return [took for at, took in pairs if since <= at < until]

    def wrong(self, board: dict[Key, SessionState]) -> dict[str, int]:
        """What of a picture cannot be: the board was never in such a state."""
        counts = {name: state.message_count for (_, name), state in board.items()}
        whole, rest = divmod(sum(counts.values()), self.sessions)
        truth = {f"s{place:04}": whole + (place < rest) for place in range(self.sessions)}
        return {name: counts.get(name, 0) - right for name, right in truth.items() if counts.get(name, 0) != right}


def percentile(values: list[float], share: float) -> float:
    """The value below which a share of them lies."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def pause(seconds: float) -> None:
    """Let a measurement run for its time: nothing is waited for here."""
    time.sleep(seconds)

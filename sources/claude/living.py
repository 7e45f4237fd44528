"""Register: the records of living sessions in `sessions/`, and the processes behind them.

The shell around `presence.py`. Files with keys lie in the same folder; they are never opened.
"""

import re
import time

from msgspec import MsgspecError, Struct, json

from ..files import MISSING, Folders, look
from ..process import Processes
from ..tail import stamp_of
from .presence import Judgement, Presence, Record, foreign, judge

RECORD_LIMIT = 64 * 1024

SETTLED_SECONDS = 0.1
"""A record written more recently may be written again, in equal length, within one tick of the file system's clock."""

_RECORD_NAME = re.compile(r"(?:pid-)?(\d{1,10})\.json")
_MACHINE_ID = "/etc/machine-id"
_BEST_FIRST: tuple[Judgement, ...] = ("alive", "unknown", "dead")


_ABSENT, _SILENT = Presence("absent"), Presence("silent")


class Held(Struct):
    """One record file: as it was last understood, and what was last said of its process."""

    path: str
    pid: int
    stamp: str = ""
    record: Record | None = None
    last: Judgement = "unknown"

    @property
    def since(self) -> float:
        """When the record was written, as it says."""
        return (self.record and self.record.since) or 0.0


class Register:
    """The register of one config folder."""

    def __init__(self, home: str, folders: Folders, processes: Processes, machine: str | None) -> None:
        self.folder = f"{home}/sessions"
        self._folders = folders
        self._processes = processes
        self._namespace = processes.domain()
        self._machine = machine
        self._held: dict[str, Held] = {}
        self._by_session: dict[str, list[Held]] = {}
        self._there = False
        self._unnamed = _SILENT
        self._decoder = json.Decoder(Record, strict=False)

    def refresh(self) -> None:
        """Read again what has changed. A record that is half written keeps its last good reading."""
        try:
            listing = self._folders.list(self.folder)
        except OSError:
            listing = MISSING
        self._there = listing is not MISSING
        records = {name: int(match[1]) for name in listing.files if (match := _RECORD_NAME.fullmatch(name))}
        for name in [name for name in self._held if name not in records]:
            del self._held[name]
        for name, pid in records.items():
            held = self._held.get(name) or Held(f"{self.folder}/{name}", pid)
            status = look(held.path)
            if status is None:
                self._held.pop(name, None)
                continue
            self._held[name] = held
            if held.stamp != (stamp := stamp_of(status)):
                held.record = self._read(held.path) or held.record
                held.stamp = stamp if time.time() - status.st_mtime > SETTLED_SECONDS else ""
        self._by_session = {}
        unread = False
        # In the order of their names: of two equals the first counts, whichever was found first.
        for held in [self._held[name] for name in records if name in self._held]:
            if held.record is not None:
                self._by_session.setdefault(held.record.session, []).append(held)
            else:
                unread = True  # it may be the record of any session
        self._unnamed = _ABSENT if self._there and not unread else _SILENT

    def _read(self, path: str) -> Record | None:
        try:
            with open(path, "rb") as file:
                record = self._decoder.decode(file.read(RECORD_LIMIT))
        except (OSError, MsgspecError, UnicodeDecodeError):
            return None
        return record if record.session else None

    def presence(self, session: str) -> Presence:
        """Say what is known of a session right now: among several records of it, the best."""
        mine = self._by_session.get(session)
        if mine is None:
            return self._unnamed
        for held in mine:
            held.last = self._liveness(held)
        best = min(mine, key=lambda held: (_BEST_FIRST.index(held.last), -held.since))
        return Presence(best.last, best.record)

    def _liveness(self, held: Held) -> Judgement:
        record = held.record
        if record is None or foreign(record, self._namespace, self._machine):
            return "unknown"
        return judge(record, self._processes.start_of(record.pid or held.pid))

    def sessions(self) -> dict[str, str]:
        """Return the sessions that are named, each with the path of a record of it."""
        return {session: held[0].path for session, held in self._by_session.items()}

    def changed(self) -> list[str]:
        """Name the sessions whose processes have come to another judgement since they were last judged."""
        return [
            session
            for session, mine in self._by_session.items()
            if any(held.last != self._liveness(held) for held in mine)
        ]


def machine_id() -> str | None:
    """Return the id of this machine as the client writes it into `pidDomain`; None where there is none."""
    try:
        with open(_MACHINE_ID, encoding="ascii") as file:
            return file.read().strip() or None
    except (OSError, UnicodeDecodeError):
        return None

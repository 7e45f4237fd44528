"""Config: everything that is set, as one frozen value. How it comes about is `config_file.py`'s affair.

Durations are seconds, or text like "90s", "24h".
"""

from typing import Annotated, Any

from msgspec import Meta, Struct

from ..protocol.privacy import Level
from .aggregator.diagnosis import Thresholds
from .aggregator.tracked import Rules
from .alerts.settings import Notify
from .crew.memory import Memory
from .crew.restart import Policy
from .crew.vigil import Patience
from .fleet.settings import Export
from .fleet.view import View
from .gateway.settings import Serve
from .units import Seconds, Size, finite

SIMULATED = "mock"
"""The source for tests: runs only where it is named."""

BUILT_IN = ("claude", "codex", "gemini", "opencode", "pi")
"""Sources that come with bellboard."""

PROBE_STEPS = (1, 2, 4, 6)


class Board(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the board keeps and for how long."""

    since: Seconds = Seconds(86400)
    stale_after: Seconds = Seconds(3600)
    retention: Seconds = Seconds(86400)


class Restart(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How fast a dead worker is started again: at once, then after `first` seconds, doubling up to `most`.

    One that keeps dying without getting anywhere is tried again after `probe`, then 2, 4 and 6 times that.
    """

    first: Seconds = Seconds(0.5)
    most: Seconds = Seconds(60)
    at_least: Seconds = Seconds(0.5)
    probe: Seconds = Seconds(300)


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a worker may take: seconds of silence, and memory.

    After `suspect` seconds without a word it is looked at, after `hung` it is ended, after `starved` also when it hardly got
    a processor. Above `memory_soft` it is drained and started anew, above `memory_hard` it is killed; 0 is no bound.
    """

    suspect: Seconds = Seconds(10)
    hung: Seconds = Seconds(30)
    starved: Seconds = Seconds(120)
    memory_soft: Size = Size(256 << 20)
    memory_hard: Size = Size(512 << 20)

    def __post_init__(self) -> None:
        """Refuse what contradicts itself."""
        if not 0 < self.suspect <= self.hung <= self.starved:
            raise ValueError("`suspect`, `hung` and `starved` must be in this order, and more than 0")
        if self.memory_hard and self.memory_hard < LEAST_MEMORY:
            raise ValueError(f'`memory_hard` must be at least {LEAST_MEMORY >> 20}MiB, or "all"')


LEAST_PAUSE = 0.05
LEAST_MEMORY = 64 << 20


class Work(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How workers look around: `sweep` without and `sweep_watched` with complete inotify watches."""

    sweep: Seconds = Seconds(1)
    sweep_watched: Seconds = Seconds(60)
    pulse: Seconds = Seconds(0.5)
    beat: Seconds = Seconds(2)
    watch: bool = True
    credit: Annotated[int, Meta(ge=1, le=64)] = 8

    def __post_init__(self) -> None:
        """Refuse what would keep a worker from ever resting."""
        for name in ("sweep", "sweep_watched", "pulse", "beat"):
            if getattr(self, name) < LEAST_PAUSE:
                raise ValueError(f"`{name}` must be at least {LEAST_PAUSE} seconds")


class HealthRules(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Failures in a row after which a source is called degraded, and failed."""

    degraded: Annotated[int, Meta(ge=1)] = 1
    failed: Annotated[int, Meta(ge=1)] = 5


class SourceConfig(Struct, frozen=True, kw_only=True):
    """One source: whether it runs, where its code is (None: an installed source of that name), and its options.

    `named` says that its folder was named by flag.
    """

    enabled: bool = True
    factory: str | None = None
    options: dict[str, Any] = {}
    named: bool = False


class Config(Struct, frozen=True, kw_only=True):
    """Everything that is set."""

    state_dir: str | None
    runtime_dir: str
    privacy: Level = "full"
    board: Board = Board()
    restart: Restart = Restart()
    work: Work = Work()
    health: HealthRules = HealthRules()
    limits: Limits = Limits()
    notify: Notify = Notify()
    serve: Serve = Serve()
    export: Export = Export()
    fleet: View = View()
    sources: dict[str, SourceConfig] = {}

    @property
    def thresholds(self) -> Thresholds:
        """The health rules as the aggregator takes them."""
        return Thresholds(degraded=self.health.degraded, failed=self.health.failed)

    @property
    def rules(self) -> Rules:
        """The board's rules as the aggregator takes them."""
        return Rules(stale_after=finite(self.board.stale_after), retention=finite(self.board.retention))

    @property
    def policy(self) -> Policy:
        """The restart rules as the roster takes them."""
        restart = self.restart
        probes = tuple(float(restart.probe) * times for times in PROBE_STEPS)
        return Policy(first=restart.first, most=restart.most, at_least=restart.at_least, probes=probes)

    @property
    def patience(self) -> Patience:
        """The limits of silence as the roster takes them."""
        return Patience(suspect=self.limits.suspect, hung=self.limits.hung, starved=self.limits.starved)

    @property
    def memory(self) -> Memory:
        """The limits of memory as the guard takes them."""
        return Memory(soft=self.limits.memory_soft or None, hard=self.limits.memory_hard or None)

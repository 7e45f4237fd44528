"""Restart: when a worker that died may be started again.

The first restart is immediate, because most deaths are accidents; from the second on the pause doubles, with jitter, so
that a worker that cannot live does not burn the machine. Getting anywhere (an acknowledged update, a finished pass) ends
the row. Pure: the time and the jitter are arguments.
"""

from msgspec import Struct


class Policy(Struct, frozen=True, kw_only=True):
    """Seconds: the first pause, the longest one, and the least time between two starts."""

    first: float = 0.5
    most: float = 60.0
    at_least: float = 0.5


class Backoff(Struct, frozen=True, kw_only=True):
    """Where a source stands: deaths in a row without progress, and when (board's clock) it may start."""

    deaths: int = 0
    not_before: float = 0.0


def after_death(
    backoff: Backoff, policy: Policy, *, progressed: bool, started_at: float, clock: float, jitter: float
) -> Backoff:
    """Return where a source stands after an unplanned death. `jitter` in [0, 1) takes up to half of the pause away."""
    deaths = 1 if progressed else backoff.deaths + 1
    pause = 0.0 if deaths == 1 else min(policy.most, policy.first * 2 ** min(deaths - 2, 30)) * (1.0 - jitter / 2)
    return Backoff(deaths=deaths, not_before=max(clock + pause, started_at + policy.at_least))

"""Restart: when a worker that died may be started again.

The first restart is immediate, because most deaths are accidents; from the second on the pause doubles, with jitter, so
that a worker that cannot live does not burn the machine. Getting anywhere (an acknowledged update, a finished pass) ends
the row. A worker that keeps dying without getting anywhere opens the breaker: it is then only probed now and then, for
ever, because nobody wants a source that is dead for good. Pure: the time and the jitter are arguments.
"""

from msgspec import Struct, structs

RESTLESS_SECONDS = 5.0
RESTLESS_DEATHS = 30


class Policy(Struct, frozen=True, kw_only=True):
    """Seconds: the first pause, the longest one, and the least time between two starts.

    `deaths` without progress within `window` seconds open the breaker; `probes` are the pauses before each further try.
    """

    first: float = 0.5
    most: float = 60.0
    at_least: float = 0.5
    deaths: int = 5
    window: float = 300.0
    probes: tuple[float, ...] = (300.0, 600.0, 1200.0, 1800.0)


class Backoff(Struct, frozen=True, kw_only=True):
    """Where a source stands: deaths in a row without progress, and when (board's clock) it may start.

    `fruitless` and `recent` are the times of the deaths in the window, without progress and altogether; `opened` counts how
    often the breaker has opened in a row, 0 while it is closed.
    """

    deaths: int = 0
    not_before: float = 0.0
    fruitless: tuple[float, ...] = ()
    recent: tuple[float, ...] = ()
    opened: int = 0


def after_death(
    backoff: Backoff, policy: Policy, *, progressed: bool, started_at: float, clock: float, jitter: float
) -> Backoff:
    """Return where a source stands after an unplanned death. `jitter` in [0, 1) takes up to half of the pause away."""
    recent = (*(at for at in backoff.recent if clock - at < policy.window), clock)[-RESTLESS_DEATHS - 1 :]
    if progressed:
        # It gets somewhere each time, so it is not given up; but even that must not become a way to burn the machine.
        pause = RESTLESS_SECONDS if len(recent) > RESTLESS_DEATHS else 0.0
        return Backoff(deaths=1, not_before=max(clock + pause, started_at + policy.at_least), recent=recent)
    deaths = backoff.deaths + 1
    fruitless = (*(at for at in backoff.fruitless if clock - at < policy.window), clock)
    then = Backoff(deaths=deaths, fruitless=fruitless, recent=recent, opened=backoff.opened)
    if backoff.opened or len(fruitless) >= policy.deaths:
        pause = policy.probes[min(backoff.opened, len(policy.probes) - 1)]
        return structs.replace(then, not_before=clock + pause, opened=backoff.opened + 1, fruitless=())
    pause = 0.0 if deaths == 1 else min(policy.most, policy.first * 2 ** min(deaths - 2, 30)) * (1.0 - jitter / 2)
    return structs.replace(then, not_before=max(clock + pause, started_at + policy.at_least))

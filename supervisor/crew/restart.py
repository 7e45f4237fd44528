"""Restart: when a worker that died may be started again.

The first restart is immediate, because most deaths are accidents; from the second on the pause doubles, with jitter, so
that a worker that cannot live does not burn the machine. Getting anywhere (an acknowledged update, a finished pass) ends
the row. A worker that keeps dying without getting anywhere opens the breaker: it is then only probed now and then, for
ever, because nobody wants a source that is dead for good. Pure: the time and the jitter are arguments.
"""

from typing import Literal, TypeAlias

from msgspec import Struct, structs

Fate: TypeAlias = Literal["progressed", "excused", "killed", "fruitless"]
"""What a death says of its source: it had got somewhere; one session is to blame and is dealt with; it was somebody else's
hand, so that the next worker is not to blame; or it died without getting anywhere.
"""

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


HANDS = 5
"""So many deaths by somebody else's signal weigh as much as one by the worker's own fault."""


class Backoff(Struct, frozen=True, kw_only=True):
    """Where a source stands: deaths in a row without progress, and when (board's clock) it may start.

    `recent` are the times of all deaths in the window, `fruitless` of those without progress, `killed` of those by somebody
    else's hand; `opened` counts how often the breaker has opened in a row, 0 while it is closed.
    """

    deaths: int = 0
    not_before: float = 0.0
    fruitless: tuple[float, ...] = ()
    killed: tuple[float, ...] = ()
    recent: tuple[float, ...] = ()
    opened: int = 0


def after_death(
    backoff: Backoff, policy: Policy, fate: Fate, *, started_at: float, clock: float, jitter: float
) -> Backoff:
    """Return where a source stands after an unplanned death. `jitter` in [0, 1) takes up to half of the pause away."""
    recent = (*_within(backoff.recent, policy, clock), clock)[-RESTLESS_DEATHS - 1 :]
    # Even one that gets somewhere each time must not become a way to burn the machine.
    restless = RESTLESS_SECONDS if len(recent) > RESTLESS_DEATHS else 0.0
    least = max(clock + restless, started_at + policy.at_least)
    if fate == "excused":
        return structs.replace(backoff, not_before=least, recent=recent)
    if fate == "progressed":
        return Backoff(deaths=1, not_before=least, recent=recent)
    fruitless, hands = _within(backoff.fruitless, policy, clock), _within(backoff.killed, policy, clock)
    if fate == "killed":
        hands = (*hands, clock)
    else:
        fruitless = (*fruitless, clock)
    deaths = backoff.deaths + (fate == "fruitless")
    then = Backoff(deaths=deaths, recent=recent, fruitless=fruitless, killed=hands, opened=backoff.opened)
    if backoff.opened or len(fruitless) * HANDS + len(hands) >= policy.deaths * HANDS:
        pause = policy.probes[min(backoff.opened, len(policy.probes) - 1)]
        return structs.replace(then, not_before=clock + pause, opened=backoff.opened + 1, fruitless=(), killed=())
    longest = 0.0 if deaths <= 1 or fate == "killed" else min(policy.most, policy.first * 2 ** min(deaths - 2, 30))
    pause = longest * (1.0 - jitter / 2)
    return structs.replace(then, not_before=max(clock + pause, least))


def _within(times: tuple[float, ...], policy: Policy, clock: float) -> tuple[float, ...]:
    return tuple(at for at in times if clock - at < policy.window)

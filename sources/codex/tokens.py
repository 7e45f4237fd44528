"""Tokens: a thread's lifetime totals, and which part of them it only inherited.

A fork goes on counting from its parent's total, so its own use is what it has above that. Where the artifact does not
show the inherited part, nothing is taken off. The counterpart is `fold.py`, which brings the usage records.
"""

from .rows import Usage
from .state import State, Totals

NOTHING = Totals(0, 0, 0, 0)


def totals_of(usage: Usage) -> Totals:
    """Take the four counted numbers of a usage record."""
    return Totals(usage.input_tokens, usage.cached_input_tokens, usage.cache_write_input_tokens, usage.output_tokens)


def less(total: int | None, part: int | None) -> int | None:
    """Return what `total` has above `part`; what is not known takes nothing off."""
    return None if total is None else max(0, total - (part or 0))


def minus(total: Totals, part: Totals) -> Totals:
    """Return what `total` has above `part`, number by number."""
    return Totals(
        less(total.input, part.input),
        less(total.cached, part.cached),
        less(total.written, part.written),
        less(total.output, part.output),
    )


def covers(total: Totals, part: Totals) -> bool:
    """Whether no number of `total` is below the same of `part`."""
    return (
        (total.input or 0) >= (part.input or 0)
        and (total.cached or 0) >= (part.cached or 0)
        and (total.output or 0) >= (part.output or 0)
    )


def take(state: State, total: Usage | None, last: Usage | None) -> None:
    """Set the newest lifetime total; at the first one of a fork, decide what of it is inherited."""
    if total is None:
        return
    state.totals = totals_of(total)
    if state.fork:
        state.inherited = _inherited(state, state.totals, totals_of(last) if last else None)
        state.fork, state.copied = "", None


def _inherited(state: State, total: Totals, last: Totals | None) -> Totals:
    if state.fork == "copy" and state.copied is not None:
        # The first own total either goes on from the copied one (seen in 0.142) or begins anew (subagents).
        begins_anew = total == last or not covers(total, state.copied)
        return NOTHING if begins_anew and total != state.copied else state.copied
    if state.fork == "reference" and state.turn == "none":
        return total  # repeated before the first own turn: all of it is the parent's
    return minus(total, last) if last else NOTHING

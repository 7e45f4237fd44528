"""Header: how many are doing what, and whether that is so now: a dead supervisor never looks like a quiet day."""

from collections.abc import Iterable

from .hosts import away, machines
from .ink import Line, Span, apart, length
from .picture import Picture
from .standing import ENDED, IDLE, NEEDS, WAITING, WORKING, Standing

COUNTED: tuple[tuple[Standing, str, str], ...] = (
    (NEEDS["permission"], "need you", "needs you"),
    (WORKING, "working", "working"),
    (WAITING, "at the prompt", "at the prompt"),
    (IDLE, "idle", "idle"),
    (ENDED, "ended", "ended"),
)


def header(picture: Picture, standings: Iterable[Standing], width: int) -> Line:
    """Return the first line of the board."""
    ranks = [0] * len(COUNTED)
    for standing in standings:
        ranks[standing.rank] += 1
    connection = connected(picture, brief=width < 100)
    for form in (_full, _brief, _numbers):
        left = form(ranks)
        if length(left) + 2 + length(connection) <= width:
            return apart(_aged(left, picture), connection, width)
    return apart(_aged(_numbers(ranks), picture), connected(picture, brief=True), width)


def _aged(line: Line, picture: Picture) -> Line:
    return line if picture.fresh else tuple(Span(span.text, "dim") for span in line)


def _full(ranks: list[int]) -> Line:
    return (Span("bellboard", "brand"), Span("   "), *_brief(ranks))


def _brief(ranks: list[int]) -> Line:
    spans: list[Span] = []
    for (standing, many, one), count in zip(COUNTED, ranks, strict=True):
        if spans:
            spans.append(Span("   "))
        role = standing.role if count else "dim"
        spans.append(Span(f"{standing.glyph} {count} {one if count == 1 else many}", role))
    return tuple(spans)


def _numbers(ranks: list[int]) -> Line:
    spans = [
        Span(f"{standing.glyph}{count} ", standing.role)
        for (standing, _, _), count in zip(COUNTED, ranks, strict=True)
        if count
    ]
    return tuple(spans)


def connected(picture: Picture, *, brief: bool = False) -> Line:
    """Say how good the picture is: live, or how old it is."""
    if picture.silence is None:
        return (Span("◌ connecting", "warn"),)
    if picture.fresh:
        whose = " · private" if picture.private and not brief else _machines(picture, brief=brief)
        return (Span("● ", "good"), Span(f"live{whose}", "dim"))
    old = _seconds(picture.silence)
    who = "fleet" if picture.fleet else "supervisor"
    words = f"✗ picture {old} old" if brief else f"✗ {who} not heard: this picture is {old} old"
    return (Span(words, "bad"),)


def _machines(picture: Picture, *, brief: bool) -> str:
    """Say of how many machines a fleet's board is, and how many of them are not heard."""
    if not picture.fleet:
        return ""
    count, silent = len(machines(picture.health, picture.sessions)), len(away(picture.health))
    if not count:
        return ""
    noun = "machine" if count == 1 else "machines"
    if brief:
        return f" · {count - silent}/{count} {noun}"
    return f" · {count} {noun}" + (f", {silent} offline" if silent else "")


def _seconds(silence: float) -> str:
    seconds = int(silence)
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"

"""Units: durations and amounts of memory, as numbers or as text with a unit. Pure; used by `config.py` and by flags."""

import re

_SIZES = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


class Seconds(float):
    """A duration. In the file: a number of seconds, or text with a unit (s, m, h, d); "all" or "never" is no bound."""


class Size(int):
    """An amount of memory in bytes. In the file: a number, or text with a unit (KiB, MiB, GiB); "all" is no bound."""


def seconds(text: object) -> Seconds:
    """Read a duration. Raises ValueError with what to write instead."""
    if isinstance(text, (int, float)) and not isinstance(text, bool):
        if not text >= 0:
            raise ValueError(f"{text} is no duration: it must be 0 or more")
        return Seconds(text)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", text) if isinstance(text, str) else None
    if isinstance(text, str) and text.strip() in {"all", "never"}:
        return Seconds("inf")
    if found is None:
        raise ValueError(f'{text!r} is no duration: write seconds, or a number with s, m, h or d, or "all"')
    return Seconds(float(found[1]) * _UNITS[found[2]])


def size(text: object) -> Size:
    """Read an amount of memory; "all" is 0, no bound. Raises ValueError with what to write instead."""
    if isinstance(text, int) and not isinstance(text, bool) and text >= 0:
        return Size(text)
    if isinstance(text, str) and text.strip() in {"all", "never"}:
        return Size(0)
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(B|KiB|MiB|GiB)?\s*", text) if isinstance(text, str) else None
    if found is None:
        raise ValueError(f'{text!r} is no amount of memory: write bytes, or a number with KiB, MiB or GiB, or "all"')
    return Size(float(found[1]) * _SIZES[found[2] or ""])


def finite(duration: Seconds) -> float | None:
    """Return a duration for those to whom None is no bound."""
    return None if duration == float("inf") else float(duration)


def unit(kind: type, value: object) -> object:
    """Read a value of one of these kinds, for msgspec. Raises ValueError with what to write instead."""
    if kind is Seconds:
        return seconds(value)
    if kind is Size:
        return size(value)
    raise NotImplementedError

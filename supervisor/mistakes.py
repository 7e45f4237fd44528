"""Mistakes: says what is wrong with a configuration file, in which line, and what may have been meant. Pure.

The counterpart is `config_file.py`, which finds that something is wrong.
"""

import difflib
import re
from collections.abc import Iterable, Mapping

_UNKNOWN = re.compile(r"Object contains unknown field `(.*?)`(?: - at `\$\.?(.*?)`)?$", re.DOTALL)
_PLACED = re.compile(r"(.*) - at `\$\.(.*?)`$", re.DOTALL)
_NO_WORD = re.compile(r"Invalid enum value '(.*)'$", re.DOTALL)
_EXPECTED = re.compile(r"Expected `([a-z| ]+)`(?: ([<>]=) (\S+)|, got `([a-z]+)`)?$")
_HEADER = re.compile(r"\s*\[{1,2}\s*([^\[\]]+?)\s*\]{1,2}\s*(?:#.*)?$")
_KEY = re.compile(r"\s*([A-Za-z0-9_\-.\"' ]+?)\s*=")

_KINDS = {
    "str": "a text",
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
"""What msgspec's names of kinds are in TOML."""

_BOUNDS = {">=": "at least", "<=": "at most"}


def sentence(
    where: str, text: str, error: str, known: Mapping[str, Iterable[str]], words: Mapping[str, Iterable[str]] = {}
) -> str:
    """Return what msgspec found wrong in a file as a sentence.

    `known` are the keys of each table, "" is the top; `words` are those that a key may have as its value.
    """
    key = culprit(error)
    if (found := _UNKNOWN.match(error)) is not None:
        return unknown_key(where, text, found[2] or "", found[1], known.get(found[2] or "", ()))
    if (placed := _PLACED.match(error)) is not None and key is not None:
        what = placed[1]
        if (wrong := _NO_WORD.match(what)) is not None and key in words:
            what = f"there is no `{wrong[1]}`{nearest(wrong[1], words[key])} (known: {', '.join(words[key])})"
        elif (expected := _EXPECTED.match(what)) is not None:
            what = _wanted(*expected.groups())
        return f"{place(where, text, key)}: {key}: {what}"
    return f"{where}: {error}"


def _wanted(kinds: str, comparison: str | None, bound: str | None, got: str | None) -> str:
    """Say what is to be written: of which kind, how large, or instead of what."""
    names = [_KINDS.get(kind, kind) for kind in kinds.split(" | ") if kind != "null"]
    more = f" of {_BOUNDS[comparison]} {bound}" if comparison else f", not {_KINDS.get(got, got)}" if got else ""
    return f"write {' or '.join(names)}{more}"


def culprit(error: str) -> str | None:
    """Return the dotted path of what msgspec finds wrong, None if it does not say."""
    if (found := _UNKNOWN.match(error)) is not None:
        return f"{found[2]}.{found[1]}" if found[2] else found[1]
    placed = _PLACED.match(error)
    return None if placed is None else re.sub(r"\[.*?\]", "", placed[2])


def unknown_key(where: str, text: str, table: str, key: str, known: Iterable[str]) -> str:
    """Say that there is no such key, and which ones there are."""
    path = f"{table}.{key}" if table else key
    at, inside = place(where, text, path, inside=True), f" in [{table}]" if table else ""
    return f"{at}: unknown key `{key}`{inside}{nearest(key, known)} (known: {', '.join(known)})"


def nearest(word: str, known: Iterable[str]) -> str:
    """Ask whether the most similar known word was meant; nothing where none is similar."""
    bare = {each.lstrip("-"): each for each in known}  # that all flags begin alike says nothing
    close = difflib.get_close_matches(word.lstrip("-"), list(bare), n=1)
    return f": did you mean `{bare[close[0]]}`?" if close else ""


def place(where: str, text: str, path: str, *, inside: bool = False) -> str:
    """Return the file, and the line in which the value at a dotted path is set, if it can be found."""
    line = line_of(text, path, inside=inside)
    return where if line is None else f"{where}, line {line}"


def line_of(text: str, path: str, *, inside: bool = False) -> int | None:
    """Return the number of the line that sets a path, else of its table's header, else None.

    `inside`: the first table within it will do, too.
    """
    table, header = "", None
    for number, line in enumerate(text.splitlines(), 1):
        if (opened := _HEADER.match(line)) is not None:
            table = _bare(opened[1])
            if table == path or (inside and table.startswith(f"{path}.")):
                return number
            if path.startswith(f"{table}."):
                header = number
        elif (key := _KEY.match(line)) is not None:
            said = f"{table}.{_bare(key[1])}" if table else _bare(key[1])
            if said == path or path.startswith(f"{said}."):
                return number
    return header


def _bare(key: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in key.split("."))

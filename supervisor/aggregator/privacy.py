"""Privacy: what must not get out.

Errors that people see name no path of the user's home and no text of a conversation. Workers already take care of that;
this is the second line of defence, because a third-party source may not.
"""

import re

TEXT_LIMIT = 300

_HOME = re.compile(r"(?:/home/[^/\s'\"]+|/Users/[^/\s'\"]+|/root)(?=/|\b)")
_BELOW = re.compile(r"~(?:/[^\s'\":,]+){3,}")


def redact(text: str, home: str = "", *, shorten: bool = True) -> str:
    """Return the first line of `text` with home folders written as `~`, deep paths shortened, and no control characters.

    `home` is the user's own folder, for systems where homes are elsewhere than usual. Not to `shorten` is for an agent's
    well-known folder, which says nothing about anybody.
    """
    line = "".join(char if char.isprintable() else " " for char in text.strip().partition("\n")[0])
    if home := home.rstrip("/"):
        line = re.sub(re.escape(home) + r"(?!\w)", "~", line)
    line = _HOME.sub("~", line)
    if shorten:
        line = _BELOW.sub(lambda found: "/".join(found.group().split("/")[:2]) + "/...", line)
    return line if len(line) <= TEXT_LIMIT else line[: TEXT_LIMIT - 3] + "..."

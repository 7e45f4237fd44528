"""Text: what may be shown of what the client wrote, and what its words mean.

Everything that leaves this source as text passes through `tidy`. The other functions recognise the client's own fixed
phrases in the content of a message (read in 0.61.0, the older ones in files of 0.22.4 and later).
"""

from datetime import UTC, datetime

from .rows import Content, Piece

TITLE_LIMIT = 80
"""Characters of a prompt that a title may show."""

LABEL_LIMIT = 200
"""Characters of a name (model, session) that are kept."""

PATH_LIMIT = 1024
"""Characters of a folder's name that are kept."""

SESSION_CONTEXT = "<session_context>"

INJECTED = (
    SESSION_CONTEXT, "<hook_context>", "/", "?",
    "Here is the user's editor context as a JSON object.",
    "Here is a summary of changes in the user's editor context,",
    "- **Workspace Directories:**",
    "User has manually exited Plan Mode.",
)  # fmt: skip
"""How a user message begins that nobody said: the client ignores the first four itself, the others it adds for an editor,
for `/dir add` and for the end of plan mode."""

SHELL_PROMPT = "I ran the following shell command:\n```sh"
"""How a command begins that the person ran with `!`: it is said, but the model is not asked."""

CANCELLED = "Request cancelled."
"""The notice that ends a turn which the person stopped."""

ABORTED_TOOL = "Operation cancelled by user"
"""In the error of each tool call that was stopped together with its turn."""

AFTER_COMPRESSION = "Got it. Thanks for the additional context!"
"""What the client lets the model say after the summary of a compressed conversation."""

_WORKSPACE = "- **Workspace Directories:**\n  - "

# C0, DEL and C1 would steer a terminal, bidirectional overrides would make a text read as another one.
_DROPPED = dict.fromkeys([*range(0x20), *range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def tidy(text: str | None, limit: int = LABEL_LIMIT) -> str:
    """Make one clean line of at most `limit` characters, the first that has any; "" if nothing is left."""
    if text is None or (len(text) <= limit and text.isascii() and text.isprintable()):
        return text.strip() if text else ""
    # Far more than can be kept, so that cleaning a prompt of megabytes costs nothing.
    for line in text.lstrip()[: limit * 8].splitlines():
        kept = line.encode("utf-8", "replace").decode("utf-8").translate(_DROPPED).strip()
        if kept:
            return kept[:limit].rstrip()
    return ""


def when(text: str) -> datetime | None:
    """Read an ISO time as UTC; None if it is none."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def text_of(content: Content) -> str:
    """Join the texts of a message's parts, as the client does."""
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "".join(part if isinstance(part, str) else part.text or "" for part in content if part is not None)
    return content.text or "" if isinstance(content, Piece) else ""


def parts_of(content: Content) -> list[Piece]:
    """Return the parts of a message's content that are more than bare text."""
    if isinstance(content, list):
        return [part for part in content if isinstance(part, Piece)]
    return [content] if isinstance(content, Piece) else []


def workspace_in(text: str) -> str:
    """Return the first folder that a `<session_context>` names, "" if it names none."""
    _, found, rest = text.partition(_WORKSPACE)
    return tidy(rest.partition("\n")[0], PATH_LIMIT) if found else ""

"""OpenAPI: the description of the API for programs, made from the very types that are encoded."""

from functools import cache
from typing import Any, get_args

import msgspec
from msgspec import UNSET, UnsetType

from ...protocol.history import History, Pulse
from ...protocol.session import Activity, HealthState, SessionState
from ..version import VERSION
from ..views.document import SessionsDocument
from ..views.schema import components
from .mirror import Board

_REF = "#/components/schemas/{name}"


class Problem(msgspec.Struct):
    """What went wrong: a word for programs, a sentence for people."""

    code: str
    message: str


class ProblemDocument(msgspec.Struct):
    """Every error."""

    error: Problem


class SessionDocument(msgspec.Struct):
    """One session."""

    schema_version: int
    session: SessionState


class HistoryDocument(msgspec.Struct):
    """What one session did in the last hour."""

    schema_version: int
    history: History


class PulsesDocument(msgspec.Struct):
    """How busy sessions were in each of the last 60 minutes."""

    schema_version: int
    pulses: list[Pulse]


class SourceSummary(msgspec.Struct):
    """One source: how its worker is doing, and how many sessions it has on the board; of a fleet, on which machine."""

    source: str
    status: str | None
    sessions: int
    host: str | UnsetType = UNSET


class SourcesDocument(msgspec.Struct):
    """All sources."""

    schema_version: int
    sources: list[SourceSummary]


class BoardHealthDocument(msgspec.Struct):
    """Whether the board is heard, and how each source's worker is doing."""

    schema_version: int
    board: Board
    health: list[HealthState]


class Status(msgspec.Struct):
    """In a word."""

    status: str


_KEY = [
    {
        "name": "source",
        "in": "path",
        "required": True,
        "schema": {"type": "string"},
        "description": "On the board of a fleet with its machine: source@host",
    },
    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
]
_FILTERS = [
    {"name": "source", "in": "query", "schema": {"type": "string"}},
    {"name": "host", "in": "query", "schema": {"type": "string"}, "description": "A machine of a fleet"},
    {"name": "activity", "in": "query", "schema": {"enum": list(get_args(Activity))}},
    {"name": "needs_you", "in": "query", "schema": {"enum": ["true", "false"]}},
]
_LAST = [{"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}}]

_STREAM = (
    "The board as it happens. First `snapshot` (as /api/v1/sessions) and `board` (as in /api/v1/health), then each "
    "event; with Last-Event-ID only what was missed, where that is still known. As a WebSocket the same, a message an event."
)

_PATHS: dict[str, tuple[str, type[Any] | str, list[dict[str, Any]], tuple[int, ...]]] = {
    "/api/v1/sessions": ("The board", SessionsDocument, _FILTERS, (400,)),
    "/api/v1/sessions/{source}/{id}": ("One session", SessionDocument, _KEY, (404,)),
    "/api/v1/sessions/{source}/{id}/history": ("Its last hour", HistoryDocument, _KEY, (404, 503)),
    "/api/v1/pulses": ("How busy each session was, minute by minute", PulsesDocument, [], (503,)),
    "/api/v1/sources": ("The sources", SourcesDocument, [], ()),
    "/api/v1/health": ("How everything is doing", BoardHealthDocument, [], ()),
    "/api/v1/events": (
        _STREAM,
        "text/event-stream",
        _LAST,
        (429,),
    ),
    "/metrics": ("For Prometheus", "text/plain", [], ()),
    "/healthz": ("Whether the gateway lives; needs no token", Status, [], ()),
    "/readyz": ("Whether the board is heard; needs no token", Status, [], (503,)),
}
_ALWAYS = (401, 403, 405, 413, 421, 429)
_WORDS = {
    400: "The query is not understood",
    401: "No token was shown",
    403: "A page of another site asked",
    404: "There is no such thing",
    405: "The board is only read",
    413: "The request is too large",
    421: "This is not a name of this board",
    429: "Too many requests, or too many streams",
    503: "The board is not heard",
}


@cache
def document() -> bytes:
    """Return the document, encoded."""
    types = {each for _, each, _, _ in _PATHS.values() if not isinstance(each, str)} | {ProblemDocument}
    ordered = sorted(types, key=lambda each: each.__name__)
    _, schemas = components(ordered, _REF)
    paths = {path: {"get": _operation(path, *what)} for path, what in _PATHS.items()}
    whole: dict[str, Any] = {
        "openapi": "3.1.0",
        "info": {
            "title": "bellboard",
            "version": VERSION,
            "description": "What every coding-agent session of a machine or a fleet is doing. Everything is only read.",
        },
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "bellboard"},
            },
        },
    }
    return msgspec.json.format(msgspec.json.encode(whole), indent=1)


def _operation(
    path: str, summary: str, answer: type[Any] | str, parameters: list[dict[str, Any]], codes: tuple[int, ...]
) -> dict[str, Any]:
    if isinstance(answer, str):
        content = {answer: {"schema": {"type": "string"}}}
    else:
        content = {"application/json": {"schema": {"$ref": _REF.format(name=answer.__name__)}}}
    wrong = {"application/json": {"schema": {"$ref": _REF.format(name=ProblemDocument.__name__)}}}
    responses: dict[str, Any] = {"200": {"description": summary, "content": content}}
    for code in sorted({*codes, *_ALWAYS}):
        responses[str(code)] = {"description": _WORDS[code], "content": wrong}
    operation: dict[str, Any] = {"summary": summary, "parameters": parameters, "responses": responses}
    if path in {"/healthz", "/readyz"}:
        operation["security"] = []
    return operation

"""Errors as the gateway tells them: `{"error": {"code": ..., "message": ...}}`, with a status that says the same."""

import msgspec
from starlette.responses import Response

from ..errors import SupervisorError


class GatewayError(SupervisorError):
    """The gateway cannot do what was asked; the sentence says what to do."""


def problem(status: int, code: str, message: str, *, retry_after: float | None = None) -> Response:
    """Return an error as a response; `retry_after` is in seconds."""
    body = msgspec.json.encode({"error": {"code": code, "message": message}})
    headers = {} if retry_after is None else {"retry-after": str(max(1, round(retry_after)))}
    if status == 401:
        headers["www-authenticate"] = 'Bearer realm="bellboard"'
    return Response(body, status, headers, "application/json")

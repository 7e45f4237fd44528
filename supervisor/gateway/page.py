"""Page: the files of the browser's board, read once and served as they are. Nothing of it comes from anywhere else."""

import hashlib
from functools import cache
from importlib.resources import files

from starlette.responses import Response

TYPES = {
    "html": "text/html; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


@cache
def names() -> frozenset[str]:
    """Return the names of all files of the page."""
    return frozenset(each.name for each in _folder().iterdir() if each.name.rpartition(".")[2] in TYPES)


@cache
def _content(name: str) -> tuple[bytes, str]:
    data = (_folder() / name).read_bytes()
    return data, f'"{hashlib.sha256(data).hexdigest()[:32]}"'


def _folder():  # noqa: ANN202 - importlib's own type has moved between releases of Python
    return files("bellboard.supervisor.gateway") / "static"


def asset(name: str, *, status: int = 200, known: str = "") -> Response:
    """Return one file. `known` is the tag that the browser has already: then nothing is sent again.

    The browser asks each time whether its copy is still right, because the files change with the release.
    """
    data, tag = _content(name)
    headers = {"etag": tag, "cache-control": "no-cache"}
    if tag in known:
        return Response(status_code=304, headers=headers)
    return Response(data, status, headers, TYPES[name.rpartition(".")[2]])

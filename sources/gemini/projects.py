"""Projects: which folder a session worked in, as far as the client's small files say it.

`tmp/<slug>/.project_root` holds the folder of one project, `projects.json` the slugs of all of them; clients up to 0.22
named the project by the SHA-256 of its folder, which can only be confirmed by hashing the folders that are known. The
counterpart is `catalog.py`, which knows the sessions.
"""

import os
from hashlib import sha256
from typing import Any

import msgspec

from ..errors import ArtifactTooLarge
from ..whole import read_whole
from .text import PATH_LIMIT, tidy

SMALL_FILE_LIMIT = 4 * 1024 * 1024
"""Bytes: a larger file is not one of these."""


class Projects:
    """The folders of one home's projects, read again only when their files change."""

    def __init__(self, home: str) -> None:
        self._index = f"{home}/projects.json"
        self._stamps: dict[str, str] = {}
        self._roots: dict[str, str] = {}
        self._slugs: dict[str, str] = {}
        self._hashes: dict[str, str] = {}

    @property
    def version(self) -> str:
        """Changes with what is known, so that a session whose folder is not known yet is asked for again."""
        return f"{len(self._hashes)}.{self._stamps.get(self._index, '')}"

    def look(self) -> None:
        """Read `projects.json` again if it has changed."""
        data = self._changed(self._index)
        if data is None:
            return
        try:
            listed: Any = msgspec.json.decode(data)["projects"]
            self._slugs = {str(slug): tidy(folder, PATH_LIMIT) for folder, slug in dict(listed).items()}
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError, ValueError, AttributeError):
            return  # half written or not ours: what was known stays
        self._learn(*self._slugs.values())

    def visit(self, project: str) -> None:
        """Read the `.project_root` of one project (a folder of `tmp`) again if it has changed."""
        data = self._changed(f"{project}/.project_root")
        if data is not None:
            self._roots[project] = tidy(data.decode("utf-8", "replace"), PATH_LIMIT)
            self._learn(self._roots[project])

    def folder_of(self, project: str) -> str:
        """Return the folder of a project as it was last seen, "" if unknown."""
        name = os.path.basename(project)
        return self._roots.get(project) or self._slugs.get(name) or self._hashes.get(name, "")

    def folder_with(self, project_hash: str) -> str:
        """Return the known folder whose SHA-256 this is, "" if there is none."""
        return self._hashes.get(project_hash, "")

    def _learn(self, *folders: str) -> None:
        self._hashes.update({sha256(folder.encode()).hexdigest(): folder for folder in folders if folder})

    def _changed(self, path: str) -> bytes | None:
        """Return the content of a small file if it changed since it was last asked for."""
        try:
            document = read_whole(path, self._stamps.get(path, ""), SMALL_FILE_LIMIT)
        except (OSError, ArtifactTooLarge):
            return None
        if document is None:
            return None
        self._stamps[path] = document.stamp
        return document.data

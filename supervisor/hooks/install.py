"""Install: put our hooks into an agent's configuration, show what changes first, keep a copy, and take them out again."""

import difflib
import filecmp
import glob
import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from typing import cast

from ..errors import SupervisorError, UsageError
from ..folders import private_folder
from . import program as hook_program
from .agents import Agent, known
from .settings import PLUGIN, PROGRAM, Document, NotAConfiguration, command, installed, with_hooks, without_hooks

COPY = ".before-bellboard-"
"""Between the name of a file and the time at which it was changed: the name of its copy."""


class HookError(SupervisorError):
    """Raised when an agent's configuration cannot be changed safely; nothing was changed then."""


def chosen(names: list[str]) -> list[Agent]:
    """Return the agents that were named, or those that are installed. Raises UsageError for a name we do not know."""
    agents = known()
    for name in names:
        if name not in agents:
            raise UsageError(f"no hooks are known for {name!r}: known are {', '.join(agents)}")
    picked = [agents[name] for name in names] or [agent for agent in agents.values() if agent.installed]
    if not picked:
        raise UsageError("no agent that has hooks is installed here: name one of " + ", ".join(agents))
    return picked


def run(verb: str, names: list[str], state_dir: str, say: Callable[[str], object], *, dry_run: bool) -> int:
    """Install, remove or show hooks; returns the exit code. Raises HookError or UsageError before anything is changed."""
    home = Home(state_dir)
    for agent in chosen(names):
        if verb == "status":
            say(f"{agent.name:<9} {home.status(agent)}  ({agent.settings})")
            continue
        before, ours = _read(agent.settings), home.changed(agent, None, wanted=True)
        after = home.changed(agent, before, wanted=verb == "install")
        if verb == "remove" and before == ours and not _written_before_us(agent.settings):
            after = None  # it is as we made it, and there was none before
        if after == before:
            say(f"{agent.name}: nothing to change in {agent.settings}")
            continue
        say(_diff(agent.settings, before, after))
        if dry_run:
            continue
        if verb == "install":
            home.place_program()
        if before is not None and before != ours:
            _keep_a_copy(agent.settings)
        _write(agent.settings, before, after)
        done = f"installed. {agent.note}" if verb == "install" else "removed"
        say(f"{agent.name}: {done}".rstrip())
    return 0


class Home:
    """Our own folder: the installed program and the spool it writes to."""

    def __init__(self, state_dir: str) -> None:
        self.folder = state_dir
        self.spool = os.path.join(state_dir, "spool")
        self.program = os.path.join(state_dir, PROGRAM)

    def place_program(self) -> None:
        """Copy the hook program to where it stands alone. Raises HookError, and FolderError for an unsafe folder."""
        private_folder(self.folder, "state")  # the supervisor may never have run here, and it is particular about it
        try:
            os.makedirs(self.spool, mode=0o700, exist_ok=True)
            shutil.copyfile(hook_program.__file__, self.program)
        except OSError as error:
            raise HookError(f"cannot write {self.program}: {error.strerror}") from error

    def changed(self, agent: Agent, before: str | None, *, wanted: bool) -> str | None:
        """Return the new text of the agent's configuration; None means that the file is not to be."""
        if agent.plugin:
            return PLUGIN.replace("FOLDER", json.dumps(self.spool)) if wanted else None
        document = _decode(agent, before)
        line = command(agent, sys.executable, self.program, self.spool)
        try:
            after = with_hooks(document, agent, line) if wanted else without_hooks(document, agent)
        except NotAConfiguration as error:
            raise HookError(str(error)) from error
        if after == document:
            return before
        if not after and agent.dedicated:
            return None
        return json.dumps(after, indent=_indent(before), ensure_ascii=False) + "\n"

    def status(self, agent: Agent) -> str:
        """Say in a word or two whether our hooks are there."""
        text = _read(agent.settings)
        if agent.plugin:
            return "not installed" if text is None else "installed"
        count = installed(_decode(agent, text), agent)
        if count == 0:
            return "not installed"
        if not os.path.exists(self.program):
            return f"installed, but {self.program} is missing: install again"
        return (
            "installed" if count == len(agent.events) else f"partly installed ({count} of {len(agent.events)} events)"
        )


def _read(path: str) -> str | None:
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise HookError(f"cannot read {path}: {error}") from error


def _decode(agent: Agent, text: str | None) -> Document:
    if text is None or not text.strip():
        return {}
    try:
        document = json.loads(text)
    except ValueError as error:
        raise HookError(f"{agent.settings} is not plain JSON ({error}): nothing was changed") from error
    if not isinstance(document, dict):
        raise HookError(f"{agent.settings} is no JSON object: nothing was changed")
    return cast("Document", document)


def _indent(text: str | None) -> int | str:
    for line in (text or "").splitlines()[1:]:
        space = line[: len(line) - len(line.lstrip())]
        if space:
            return "\t" if space.startswith("\t") else len(space)
    return 2


def _diff(path: str, before: str | None, after: str | None) -> str:
    old, new = (before or "").splitlines(keepends=True), (after or "").splitlines(keepends=True)
    return "".join(difflib.unified_diff(old, new, path, path + " (new)")).rstrip("\n")


def _written_before_us(path: str) -> bool:
    """Whether there was something else in this file once: a copy was kept of it. A link was made by somebody else."""
    return os.path.islink(path) or bool(_copies(path))


def _copies(path: str) -> list[str]:
    return glob.glob(f"{glob.escape(path)}{COPY}*")


def _keep_a_copy(path: str) -> None:
    """Keep what stands in a file. The newest copy is that of the last time; of equal ones only that stays."""
    try:
        equal = [copy for copy in _copies(path) if _same(path, copy)]
        shutil.copy2(path, f"{path}{COPY}{time.time_ns()}")
        for copy in equal:
            os.unlink(copy)
    except OSError as error:
        raise HookError(f"cannot keep a copy of {path}: {error.strerror}; it is as it was") from error


def _same(path: str, copy: str) -> bool:
    try:
        return filecmp.cmp(path, copy, shallow=False)
    except OSError:
        return False  # a copy that cannot be read is left alone


def _write(path: str, before: str | None, after: str | None) -> None:
    """Replace a file in one step; None: it is not to be."""
    try:
        if after is None:
            os.unlink(path)
            return
        real = os.path.realpath(path)  # a link to dotfiles stays a link
        os.makedirs(os.path.dirname(real), exist_ok=True)
        beside = f"{real}.bellboard-new"
        with open(beside, "w", encoding="utf-8") as file:
            file.write(after)
        if before is not None:
            shutil.copymode(real, beside)
        os.replace(beside, real)
    except OSError as error:
        raise HookError(f"cannot write {path}: {error.strerror}") from error

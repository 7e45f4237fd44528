"""Sources: what is right and what is not with one source. Pure: what was seen goes in, findings come out."""

import re
from collections.abc import Mapping

from msgspec import Struct

from ...protocol.place import Place
from ...protocol.session import HealthState
from ...protocol.sight import Sight
from ..places import named
from ..views.document import Finding
from .looking import Look
from .spots import Ground

FUTURE_SECONDS = 120.0
"""A record that much younger than now was written by another clock."""

CLAUDE_REGISTRY = (2, 1, 119)
"""The first client of Claude Code whose live registry says who waits for what."""

AGES = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))

ABSENT = "no new worker would find it: what to do stands beside its folder"

MORE_WATCHES = "sudo sysctl fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024"


class Case(Struct, frozen=True, kw_only=True):
    """One source and all that is known of it.

    `chosen` says who set its folder, if a setting did; `health` is what a running board says of it, None where none runs
    or does not know it; `watching` is whether inotify is wanted, `since` is `board.since` as it would be written.
    """

    name: str
    look: Look
    grounds: Mapping[str, Ground] = {}
    chosen: str = "the configuration"
    third_party: bool = False
    running: bool = False
    health: HealthState | None = None
    watching: bool = True
    since: str = "all"
    log: str | None = None
    now: float = 0.0


def findings(case: Case) -> list[Finding]:
    """Judge one source."""
    found: list[Finding] = []
    seen = case.look
    if isinstance(seen, str):
        mend = f"enabled = false in [sources.{case.name}] leaves it out; please report this"
        found.append(problem(case.name, "source", f"cannot be looked at: {seen}", mend))
    else:
        found += [each for place in seen.places for each in _folder(case, seen, place)]
        if seen.error is not None:
            found.append(problem(case.name, "source", seen.error, _mend_error(case, seen.error)))
        elif seen.installed:
            found += [_records(case, seen), *_trial(case, seen), _watch(case, seen)]
    return found + _worker(case)


def whole(looks: Mapping[str, Look]) -> list[Finding]:
    """Judge what there is to see at all."""
    if any(isinstance(seen, str) or seen.installed or seen.error for seen in looks.values()):
        return []
    mend = 'name its folder: home = "FOLDER" in [sources.NAME]; or see a board without any: bellboard demo'
    return [problem("agents", "found", f"none of {', '.join(looks)} is installed where it was looked for", mend)]


def registered(source: str, client: str | None) -> bool:
    """Whether a client's own live registry says who waits, so that hooks would tell nothing new."""
    if source != "claude" or client is None:
        return False
    return tuple(int(part) for part in re.findall(r"\d+", client)[:3]) >= CLAUDE_REGISTRY


def ok(about: str, what: str, text: str) -> Finding:
    """All right."""
    return Finding(about=about, what=what, verdict="ok", text=text)


def note(about: str, what: str, text: str, mend: str | None = None) -> Finding:
    """Worth knowing."""
    return Finding(about=about, what=what, verdict="note", text=text, mend=mend)


def problem(about: str, what: str, text: str, mend: str) -> Finding:
    """To be mended."""
    return Finding(about=about, what=what, verdict="problem", text=text, mend=mend)


def _folder(case: Case, seen: Sight, place: Place) -> list[Finding]:
    ground = case.grounds.get(place.path, Ground(state="there"))
    why = {"default": "its default", "setting": case.chosen}.get(place.why, f"${place.why}")
    text = f"{place.path} ({why})"
    setting = f'home = "FOLDER" in [sources.{case.name}]'
    if ground.state == "closed":
        return [problem(case.name, "folder", f"{text} may not be read", f"chmod u+rx {place.path}")]
    if ground.state == "missing" and not named(place.why):
        how = "there is no" if not seen.installed else "beside others, there is no"
        return [note(case.name, "folder", f"not found: {how} {text}", f"if it is elsewhere: {setting}")]
    if ground.state != "there":
        state = {"missing": "does not exist", "no folder": "is no folder"}.get(ground.state, f"is a {ground.state}")
        mend = setting if place.why == "setting" else f"unset {place.why}, or {setting}"
        return [problem(case.name, "folder", f"{text} {state}", f"name the right one: {mend}")]
    found = [ok(case.name, "folder", text)]
    if place.remark:
        found.append(note(case.name, "retention", place.remark, place.mend or None))
    if ground.mount is not None and ground.mount.foreign:
        text = f"{place.path} is on a {ground.mount.kind} mount ({ground.mount.point})"
        if case.watching:
            deaf = f"{text}: inotify does not hear what other machines change there"
            found.append(problem(case.name, "mount", deaf, "watch = false in [work]"))
        else:
            found.append(ok(case.name, "mount", f"{text}, and inotify is not used"))
    return found


def _mend_error(case: Case, error: str) -> str:
    if "PermissionError" in error:
        return "make its files readable for you: chmod -R u+rX FOLDER"
    if error.startswith("cannot be loaded") and case.third_party:
        where = "install its package where bellboard is, or name its folder in PYTHONPATH"
        return f"{where}, or mend `factory` in [sources.{case.name}]"
    return f"please report this; enabled = false in [sources.{case.name}] leaves the source out"


def _records(case: Case, seen: Sight) -> Finding:
    if not seen.sessions:
        return note(case.name, "records", "no sessions yet")
    live = f", {seen.live} of them open" if seen.live else ""
    count = f"{seen.sessions} session{'' if seen.sessions == 1 else 's'}{live}"
    if seen.newest is None:
        return ok(case.name, "records", count)
    ahead = seen.newest - case.now
    if seen.old:
        count += f", {seen.old} older than {case.since}, which a first start leaves out (board.since)"
    if seen.old == seen.sessions:
        mend = 'bellboard sessions --once shows them; since = "all" in [board] lets a board read them'
        return note(case.name, "records", f"{count}; the newest moved {age(-ahead)} ago", mend)
    if ahead > FUTURE_SECONDS:
        text = f"{count}; the newest was written {age(ahead)} in the future: a clock is or was wrong"
        return problem(case.name, "records", text, "set the clock: sudo timedatectl set-ntp true")
    return ok(case.name, "records", f"{count}; the newest moved {age(-ahead)} ago")


def _trial(case: Case, seen: Sight) -> list[Finding]:
    found = [
        problem(case.name, "reading", f"{each} - this session is left out, all others are shown", "please report this")
        for each in seen.unreadable
    ]
    client = f" of client {seen.client}" if seen.client else ""
    if seen.unknown:
        text = f"{seen.unknown} record(s){client} in the newest sessions are of a kind we do not know"
        found.append(note(case.name, "reading", text, "pip install --upgrade bellboard; if it stays, please report it"))
    elif seen.tried and not found:
        found.append(ok(case.name, "reading", f"the newest {seen.tried} read, every record{client} understood"))
    return found


def _watch(case: Case, seen: Sight) -> Finding:
    swept = "everything is looked at each `work.sweep` instead"
    if seen.unwatched is None:
        return ok(case.name, "watch", f"inotify on {seen.folders} folder{'' if seen.folders == 1 else 's'}")
    if not case.watching:
        return note(case.name, "watch", f"inotify is switched off: {swept}", "watch = true in [work] switches it on")
    if seen.unwatched.startswith("inotify: "):
        return problem(case.name, "watch", f"{seen.unwatched}: {swept}", MORE_WATCHES)
    return note(case.name, "watch", f"{seen.unwatched}: {swept}")


def _worker(case: Case) -> list[Finding]:
    name, health = case.name, case.health
    if not case.running:
        return []
    if health is None:
        return [note(name, "worker", "the running board does not have this source", "bellboard ctl reload")]
    found: list[Finding] = []
    facts = [f"pid {health.pid}" if health.pid else "no worker", f"{health.restarts} restart(s)"]
    text = ", ".join([health.status, *([health.reason] if health.reason else []), *facts])
    if health.status in {"degraded", "failed"}:
        log = f"; what it wrote: {case.log}" if case.log else ""
        found.append(problem(name, "worker", text, ABSENT if health.absent else f"bellboard ctl restart {name}{log}"))
    elif health.status == "paused":
        found.append(note(name, "worker", text, f"bellboard ctl resume {name}"))
    else:
        found.append(ok(name, "worker", text))
    for handle in health.quarantined:
        said = f"session {handle} is set aside because it ended its worker"
        found.append(problem(name, "worker", said, f"bellboard ctl release {name} {handle}"))
    if health.unknown_records:
        client = f" (client {health.unknown_client})" if health.unknown_client else ""
        said = f"{health.unknown_records} record(s){client} were of a kind we do not know"
        found.append(note(name, "records", said, "pip install --upgrade bellboard; if it stays, please report it"))
    if health.rebuilt:
        found.append(note(name, "worker", health.rebuilt))
    return found


def age(seconds: float) -> str:
    """Write a duration in its largest unit."""
    for unit, size in AGES:
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return "0s"

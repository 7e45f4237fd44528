"""`bellboard doctor`: looks at everything that has to be right. What each part means is judged in `supervisor/doctor`."""

import argparse
import os
import sys
import time

from ...protocol.errors import NotRunning, ProtocolError
from ...protocol.event import SCHEMA_VERSION, Snapshot
from ...protocol.place import Place
from ...protocol.sight import Question
from ..config import BUILT_IN, Config
from ..config_file import default_path
from ..doctor import board, sources, spots, system
from ..doctor.looking import Look, look
from ..doctor.sources import Case, note, ok, problem
from ..errors import ConfigError, SupervisorError
from ..hooks.agents import known
from ..hooks.install import Home
from ..settings import duration
from ..units import finite
from ..version import VERSION
from ..views.document import DoctorDocument, Finding, pretty
from ..views.findings import page
from . import common


def run(options: argparse.Namespace) -> int:
    """Look, print, and end with 4 if something has to be mended."""
    config, found = _configuration(options)
    picture = _picture(config.runtime_dir)
    now = time.time()
    looks = look([_question(name, config, now) for name in config.sources])
    held = board.holder(config.runtime_dir)
    found += board.runtime(config.runtime_dir, held, answered=picture is not None)
    if config.state_dir is not None:
        found += board.state(config.state_dir, running=held is not None or picture is not None)
    found += [*system.findings(looks), *sources.whole(looks)]
    for case in _cases(config, looks, picture):
        found += [*sources.findings(case), *_hooks(case, config)]
    problems = sum(each.verdict == "problem" for each in found)
    document = DoctorDocument(schema_version=SCHEMA_VERSION, version=VERSION, problems=problems, findings=tuple(found))
    sys.stdout.write((pretty(document) if options.json else page(document)) + "\n")
    return common.EXIT_UNHEALTHY if problems else common.EXIT_OK


def _configuration(options: argparse.Namespace) -> tuple[Config, list[Finding]]:
    """Return what is set; a file that is not right is a finding, and the defaults are looked at then."""
    where = options.config or default_path()
    try:
        config = common.config(options)
    except ConfigError as error:
        plain = argparse.Namespace(**{**vars(options), "config": os.devnull})
        return common.config(plain), [problem("configuration", "file", str(error), "bellboard config check")]
    if not os.path.exists(where):
        return config, [ok("configuration", "file", f"there is no {where}: the defaults hold")]
    return config, [ok("configuration", "file", f"{where} is right")]


def _picture(runtime_dir: str) -> Snapshot | None:
    try:
        return common.picture(runtime_dir)
    except (NotRunning, ProtocolError):
        return None


def _question(name: str, config: Config, now: float) -> Question:
    wanted = config.sources[name]
    since = finite(config.board.since)
    return Question(
        source=name,
        factory=wanted.factory,
        options=wanted.options,
        spool=None if config.state_dir is None else os.path.join(config.state_dir, "spool"),
        watch=config.work.watch,
        oldest=None if since is None else now - since,
    )


def _places(seen: Look) -> tuple[Place, ...]:
    return () if isinstance(seen, str) else seen.places


def _cases(config: Config, looks: dict[str, Look], picture: Snapshot | None) -> list[Case]:
    mounted = spots.mounts()
    health = {state.source: state for state in picture.health} if picture is not None else {}
    return [
        Case(
            name=name,
            look=seen,
            grounds={each.path: spots.ground(each.path, mounted) for each in _places(seen)},
            chosen="--source" if config.sources[name].named else "the configuration",
            third_party=name not in BUILT_IN,
            running=picture is not None,
            health=health.get(name),
            watching=config.work.watch,
            since=duration(config.board.since),
            log=None if config.state_dir is None else os.path.join(config.state_dir, "logs", f"{name}.log"),
            now=time.time(),
        )
        for name, seen in looks.items()
    ]


def _hooks(case: Case, config: Config) -> list[Finding]:
    agent = known().get(case.name)
    if agent is None or config.state_dir is None or isinstance(case.look, str) or not case.look.installed:
        return []
    mend = f"bellboard hooks install {case.name}"
    try:
        status = Home(config.state_dir).status(agent)
    except SupervisorError as error:
        return [problem(case.name, "hooks", str(error), f"mend {agent.settings}, then: {mend}")]
    if status == "installed":
        return [ok(case.name, "hooks", status)]
    if status == "not installed" and sources.registered(case.name, case.look.client):
        return [ok(case.name, "hooks", f"not needed: the registry of client {case.look.client} says who waits")]
    if status == "not installed":
        return [note(case.name, "hooks", "not installed: they tell of waits that are nowhere on disk", mend)]
    return [problem(case.name, "hooks", status, mend)]

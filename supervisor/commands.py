"""Commands: what each word of the command line does. Data goes to stdout, everything else to stderr."""

import argparse
import io
import os
import shutil
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from ..protocol.addresses import CONTROL, address, default_runtime_dir
from ..protocol.ask import Command
from ..protocol.channel import Asking, Poll
from ..protocol.codec import COMMAND, REPLY, DecodeFault
from ..protocol.errors import NoAnswer, NotRunning, ProtocolError
from ..protocol.event import Snapshot, topic_of
from ..protocol.session import SessionState
from ..protocol.subscriber import Item, Subscriber
from .config import Config, build, default_state_dir, read
from .errors import SupervisorError, UsageError
from .units import Seconds, seconds
from .views import document, text

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_NOT_RUNNING = 3
EXIT_UNHEALTHY = 4
EXIT_SOMEONE_WAITS = 10

GROUP = "bellboard.sources"
REPLY_SECONDS = 5.0


def run(options: argparse.Namespace) -> int:
    """Run the command that was asked for; returns the exit code. Errors become a sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a title may hold what this terminal cannot show
    command = {
        None: _board,
        "run": _run,
        "sessions": _sessions,
        "watch": _watch,
        "health": _health,
        "ctl": _ctl,
        "hooks": _hooks,
        "demo": _demo,
        "service": _service,
        "notify": _notify,
    }[options.command]
    try:
        return command(options)
    except NotRunning as error:
        return _fail(str(error), EXIT_NOT_RUNNING)
    except SupervisorError as error:
        return _fail(str(error), error.exit_code)
    except ProtocolError as error:
        return _fail(str(error), EXIT_ERROR)


def _fail(sentence: str, code: int) -> int:
    sys.stderr.write(f"bellboard: {sentence}\n")
    return code


def _runtime_dir(options: argparse.Namespace) -> str:
    """Where the board is: by flag, environment, file or default, exactly as `run` decides it."""
    named = options.runtime_dir or os.environ.get("BELLBOARD_RUNTIME_DIR")
    chosen = named or read(options.config).runtime_dir or default_runtime_dir()
    return os.path.abspath(os.path.expanduser(chosen))


def _config(options: argparse.Namespace) -> Config:
    from importlib.metadata import entry_points  # noqa: PLC0415 - only who runs a board needs to know what is installed

    known = frozenset(each.name for each in entry_points(group=GROUP))
    file = read(options.config, known)
    only: dict[str, str | None] = {}
    for word in getattr(options, "source", None) or ():
        name, given, folder = word.partition("=")
        if name not in known and "factory" not in file.sources.get(name, {}):
            raise UsageError(f"unknown source {name!r}: known are {', '.join(sorted(known | set(file.sources)))}")
        if given and not os.path.isdir(folder):
            raise UsageError(f"--source {word}: {folder or 'the empty path'} is not a folder")
        if given and not os.access(folder, os.R_OK | os.X_OK):
            raise UsageError(f"--source {word}: {folder} cannot be read: permission denied")
        only[name] = os.path.abspath(folder) if given else None
    return build(
        file,
        installed=known,
        only=only,
        runtime_dir=_runtime_dir(options),
        state_dir=getattr(options, "state_dir", None),
        ephemeral=getattr(options, "ephemeral", False),
    )


def _run(options: argparse.Namespace) -> int:
    from .app import Supervisor  # noqa: PLC0415 - as heavy as all the rest, and attaching needs none of it
    from .service.notify import Notify  # noqa: PLC0415 - see above

    _log(options)
    config = _config(options)
    if not config.sources:
        raise UsageError("no source is enabled: enable one in the configuration, or name one with --source")
    with Supervisor(config, lambda: _config(options), Notify(os.environ)) as supervisor:
        where = config.state_dir or "memory"
        sys.stderr.write(
            f"bellboard: ready - sources {', '.join(config.sources)}; sockets in {config.runtime_dir}, state in {where}\n"
        )
        sys.stderr.flush()
        supervisor.run()
    return EXIT_OK


def _log(options: argparse.Namespace) -> None:
    import logging  # noqa: PLC0415 - only a board has something to log

    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose > 1 else logging.INFO if options.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )


def _read_once(options: argparse.Namespace, config: Config) -> Snapshot:
    from .private import read_once  # noqa: PLC0415 - see _run

    _log(options)
    return read_once(config)


def _board(options: argparse.Namespace) -> int:
    try:
        picture = _picture(_runtime_dir(options))
    except NotRunning:
        picture = _read_once(options, _config(options))
    if picture.sessions:
        _print_table(list(picture.sessions))
        return EXIT_OK
    for state in picture.health:
        sys.stderr.write(f"bellboard: {state.source}: {state.reason or 'no sessions'}\n")
    return _fail("no agent's sessions were found - `bellboard demo` shows the board with simulated ones", EXIT_ERROR)


def _sessions(options: argparse.Namespace) -> int:
    if not options.once and any("=" in word for word in options.source or ()):
        raise UsageError("--source NAME=FOLDER reads a folder now, which needs --once")
    if options.once:
        config = _config(options)
        since = _age(options.since or "all")
        board = msgspec.structs.replace(config.board, since=since)
        picture = _read_once(options, msgspec.structs.replace(config, board=board))
    else:
        picture = _picture(_runtime_dir(options))
    chosen = _chosen(picture.sessions, options)
    empty = not picture.sessions
    picture = msgspec.structs.replace(picture, sessions=tuple(chosen))
    if options.id is not None and not chosen:
        raise SupervisorError(f"no session whose id begins with {options.id!r}")
    if options.json:
        sys.stdout.write(document.sessions_json(picture) + "\n")
    elif options.id is not None:
        now = datetime.now(UTC)
        sys.stdout.write("\n\n".join(text.detail(session, now) for session in chosen) + "\n")
    elif chosen:
        _print_table(chosen)
    else:
        sys.stderr.write("bellboard: no sessions" + ("" if empty else " that match") + "\n")
    unwell = [state for state in picture.health if state.status in {"degraded", "failed"}]
    for state in unwell if options.once else ():
        sys.stderr.write(f"bellboard: {state.source} {state.status}: {state.reason}\n")
    incomplete = any(state.status == "failed" or state.discover_failures or state.quarantined for state in unwell)
    if options.needs_you and chosen:
        return EXIT_SOMEONE_WAITS
    return EXIT_ERROR if options.once and incomplete else EXIT_OK


def _chosen(sessions: Iterable[SessionState], options: argparse.Namespace) -> list[SessionState]:
    wanted = {word.partition("=")[0] for word in options.source or ()}
    oldest = None if options.since is None else time.time() - _age(options.since)
    return [
        session
        for session in sessions
        if (options.id is None or session.id.startswith(options.id))
        and (not wanted or session.source in wanted)
        and (options.activity is None or session.activity == options.activity)
        and (not options.needs_you or session.needs_you)
        and (oldest is None or session.last_activity_at is None or session.last_activity_at.timestamp() >= oldest)
    ]


def _age(word: str) -> Seconds:
    try:
        return seconds(word)
    except ValueError as error:
        raise UsageError(f"--since: {error}") from error


def _watch(options: argparse.Namespace) -> int:
    prefixes = tuple(prefix.encode() for prefix in options.topic or ())
    with Subscriber(_runtime_dir(options)) as board:
        for whole in board:
            item = _below(whole, prefixes) if prefixes else whole
            if item is None:
                continue
            line = msgspec.json.encode(item).decode("utf-8") if options.jsonl else text.event_line(item)
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    return EXIT_OK


def _below(item: Item, prefixes: tuple[bytes, ...]) -> Item | None:
    """Return what of an item lies below the topics: of a snapshot its sessions and sources, of an event all or nothing."""
    if not isinstance(item, Snapshot):
        return item if topic_of(item).startswith(prefixes) else None
    sessions = [each for each in item.sessions if f"session.{each.source}.{each.id}".encode().startswith(prefixes)]
    health = [each for each in item.health if f"health.{each.source}".encode().startswith(prefixes)]
    return msgspec.structs.replace(item, sessions=tuple(sessions), health=tuple(health))


def _health(options: argparse.Namespace) -> int:
    picture = _picture(_runtime_dir(options))
    if options.json:
        sys.stdout.write(document.health_json(picture) + "\n")
    else:
        sys.stdout.write(text.health_table(picture.health, datetime.now(UTC)) + "\n")
    return EXIT_UNHEALTHY if any(state.status in {"degraded", "failed"} for state in picture.health) else EXIT_OK


def _ctl(options: argparse.Namespace) -> int:
    runtime_dir = _runtime_dir(options)
    if not os.path.exists(os.path.join(runtime_dir, CONTROL)):
        raise NotRunning(f"no supervisor in {runtime_dir}: start one with `bellboard run`")
    source, handle = getattr(options, "ctl_source", None), getattr(options, "ctl_handle", None)
    command = Command(request=1, verb=options.verb, source=source, handle=handle)
    with Asking(address(runtime_dir, CONTROL)) as asking:
        poll = Poll()
        poll.add(asking)
        deadline = time.monotonic() + REPLY_SECONDS
        sent = False
        while time.monotonic() < deadline:
            sent = sent or asking.send([COMMAND.encode(command)])
            poll.wait(0.05)
            frames = asking.receive()
            if frames is not None:
                reply = REPLY.decode(frames[-1])
                if isinstance(reply, DecodeFault):
                    raise NoAnswer(f"the supervisor's answer was not understood ({reply.code})")
                sys.stderr.write(f"bellboard: {reply.message}\n")
                return EXIT_OK if reply.ok else EXIT_ERROR
    raise NotRunning(f"the supervisor in {runtime_dir} does not answer: is it running? (`bellboard run`)")


def _hooks(options: argparse.Namespace) -> int:
    from .hooks.install import run as run_hooks  # noqa: PLC0415 - only this command needs it

    state_dir = options.state_dir or os.environ.get("BELLBOARD_STATE_DIR") or default_state_dir()
    folder = os.path.abspath(os.path.expanduser(state_dir))
    return run_hooks(options.verb, options.agents, folder, print, dry_run=options.dry_run)


def _service(options: argparse.Namespace) -> int:
    from .service.manage import run as run_service  # noqa: PLC0415 - only this command needs it

    words: list[str] = []
    for flag in ("config", "runtime_dir", "state_dir"):
        if (given := getattr(options, flag, None)) is not None:
            words += [f"--{flag.replace('_', '-')}", os.path.abspath(os.path.expanduser(given))]
    return run_service(options.verb, words, print, only_print=options.print)


def _notify(options: argparse.Namespace) -> int:
    from .alerts.run import run as run_notify  # noqa: PLC0415 - only this command needs it

    given = {"on": options.on, "way": options.way, "command": options.program, "titles": options.titles}
    return run_notify(_runtime_dir(options), read(options.config).notify, given, dry_run=options.dry_run)


def _demo(options: argparse.Namespace) -> int:
    from .demo.play import play  # noqa: PLC0415 - only the demo needs it

    return play(options.seconds, chaos=options.chaos)


def _picture(runtime_dir: str) -> Snapshot:
    with Subscriber(runtime_dir, patience=3.0) as board:
        return board.join()


def _print_table(sessions: list[SessionState]) -> None:
    width = shutil.get_terminal_size((160, 24)).columns
    sys.stdout.write(text.table(sessions, datetime.now(UTC), width) + "\n")

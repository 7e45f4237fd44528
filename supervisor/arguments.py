"""Arguments: the words of the command line, and the help they come with."""

import argparse
from typing import Protocol

from .version import VERSION

EPILOG = """examples:
  bellboard                                what is going on now
  bellboard run                            keep the board, for everybody who attaches
  bellboard sessions --json                the board for programs
  bellboard sessions --needs-you           who waits for me? (exit code 10: someone)
  bellboard watch                          each change as it happens
  bellboard demo                           see it without any agent

exit codes:
  0 ok, 1 error, 2 usage, 3 no supervisor running, 4 a source is degraded or failed (health),
  10 someone waits (sessions --needs-you), 130 interrupted
"""


class Commands(Protocol):
    """What argparse hands out for adding subcommands; its own name for it is private."""

    def add_parser(self, name: str, *, help: str, description: str) -> argparse.ArgumentParser:  # noqa: A002 - argparse's word
        """Add one subcommand."""
        ...


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line; ends the process with code 2 and a sentence if it cannot be meant."""
    return _parser().parse_args(words)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="bellboard",
        description="One board for all coding-agent sessions of this machine: what each is doing, who waits for you.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-V", "--version", action="version", version=f"bellboard {VERSION}")
    _common(parser, suppress=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _run(commands)
    _sessions(commands)
    _watch(commands)
    health = _command(commands, "health", "how each source's worker is doing")
    health.add_argument("--json", action="store_true", help="print JSON for programs")
    _ctl(commands)
    _hooks(commands)
    _service(commands)
    _notify(commands)
    demo = _command(commands, "demo", "simulated agents through the real pipeline, in a temporary home")
    demo.add_argument("--chaos", action="store_true", help="kill and hang workers meanwhile, and compare the counts")
    demo.add_argument("--seconds", type=float, metavar="N", help="end by itself after N seconds")
    return parser


def _command(commands: "Commands", name: str, text: str) -> argparse.ArgumentParser:
    parser = commands.add_parser(name, help=text, description=text)
    _common(parser, suppress=True)
    return parser


def _common(parser: argparse.ArgumentParser, *, suppress: bool) -> None:
    # Given before or after the command; the subcommand must not overwrite what was given before it.
    default = argparse.SUPPRESS if suppress else None
    parser.add_argument("--config", metavar="FILE", default=default, help="configuration file")
    parser.add_argument("--runtime-dir", metavar="DIR", default=default, help="folder of the sockets")
    parser.add_argument(
        "-v", "--verbose", action="count", default=argparse.SUPPRESS if suppress else 0, help="say more on stderr"
    )


def _sources(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--source",
        action="append",
        metavar="NAME[=FOLDER]",
        default=None,
        help="only this source, with that agent's own home as FOLDER; may be given several times",
    )


def _run(commands: "Commands") -> None:
    parser = _command(commands, "run", "keep the board: start the workers and serve everybody who attaches")
    _sources(parser)
    parser.add_argument("--state-dir", metavar="DIR", help="folder of the database")
    parser.add_argument("--ephemeral", action="store_true", help="keep nothing on disk")


def _sessions(commands: "Commands") -> None:
    parser = _command(commands, "sessions", "list the sessions, or show one")
    parser.add_argument("id", nargs="?", metavar="ID", help="show this session (the beginning of its id is enough)")
    parser.add_argument("--once", action="store_true", help="read the agents' files now; needs no running supervisor")
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    _sources(parser)
    parser.add_argument(
        "--since", metavar="AGE", help="only sessions that moved in this time (90s, 15m, 24h, 7d) or `all`"
    )
    parser.add_argument(
        "--activity", choices=["working", "waiting", "idle", "terminal"], help="only sessions doing this"
    )
    parser.add_argument(
        "--needs-you", action="store_true", help="only sessions that wait for a person; exit code 10 if any"
    )


def _watch(commands: "Commands") -> None:
    parser = _command(commands, "watch", "print each change as it happens")
    parser.add_argument("--jsonl", action="store_true", help="print JSON, a line an event")
    parser.add_argument(
        "--topic", action="append", metavar="PREFIX", help="only topics that begin so: session.claude., health., ..."
    )


def _hooks(commands: "Commands") -> None:
    parser = _command(commands, "hooks", "let agents tell the board who waits, by their own documented hooks")
    parser.add_argument(
        "verb", choices=["install", "status", "remove"], help="what to do; install shows the change first"
    )
    parser.add_argument(
        "agents", nargs="*", metavar="AGENT", help="claude, codex, gemini, opencode; default: the installed"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the change and leave everything as it is")
    parser.add_argument("--state-dir", metavar="DIR", help="folder of the board's state, which holds the spool")


def _service(commands: "Commands") -> None:
    parser = _command(commands, "service", "keep the board from login to logout, by systemd or launchd")
    parser.add_argument("verb", choices=["install", "status", "remove"], help="what to do, for this user alone")
    parser.add_argument("--print", action="store_true", help="with install: print the file, and install nothing")
    parser.add_argument("--state-dir", metavar="DIR", help="folder of the database")


def _notify(commands: "Commands") -> None:
    parser = _command(commands, "notify", "tell a person, once per change, when a session needs somebody")
    kinds = ("needs-you", "turn", "source", "board")
    parser.add_argument("--on", action="append", choices=kinds, help="tell only of this; may be given several times")
    parser.add_argument(
        "--with",
        dest="way",
        choices=["auto", "notify-send", "osascript", "osc9", "osc777", "osc99", "bell", "command"],
        help="how; default: a command if one is set, else what this desktop or this terminal has",
    )
    parser.add_argument("--titles", action="store_true", default=None, help="say titles, too")
    parser.add_argument("--dry-run", action="store_true", help="print a line instead")
    parser.add_argument(
        "--command",
        dest="program",
        nargs=argparse.REMAINDER,
        metavar="PROGRAM [ARGUMENT ...]",
        help="start this program for each, with JSON on its stdin; must come last",
    )


def _ctl(commands: "Commands") -> None:
    parser = _command(commands, "ctl", "tell the running supervisor what to do")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, text in (
        ("restart", "end the source's worker and start it again"),
        ("pause", "end the source's worker and keep it ended, also over restarts of the supervisor"),
        ("resume", "let a paused source work again"),
        ("reset", "forget a source's failures and start it at once"),
    ):
        each = verbs.add_parser(verb, help=text, description=text)
        each.add_argument("ctl_source", metavar="SOURCE")
    text = "try a session again that was set aside because it ended its worker"
    release = verbs.add_parser("release", help=text, description=text)
    release.add_argument("ctl_source", metavar="SOURCE")
    release.add_argument("ctl_handle", metavar="ID", help="the beginning of its id is enough")
    text = "read the configuration again and change only what differs"
    verbs.add_parser("reload", help=text, description=text)
    verbs.add_parser("drain", help="end all workers, then the supervisor")

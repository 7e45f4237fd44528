"""Arguments: the words of the command line, command by command. What their help says besides stands in `manual.py`."""

import argparse

from . import options
from .manual import page_of
from .parser import Commands, Layout, Parser, number
from .version import VERSION

DOCUMENTS = ("sessions", "health", "watch", "event", "doctor", "config")
"""What `schema` knows; the counterpart is `views/schema.py`."""

SHELLS = ("bash", "zsh", "fish")


def parse(words: list[str]) -> argparse.Namespace:
    """Parse the command line; ends the process with code 2 and a sentence if it cannot be meant."""
    return whole_parser().parse_args(words)


def whole_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; completion is made from it, too."""
    page = page_of(None)
    parser = Parser(prog="bellboard", description=page.description, epilog=page.epilog, formatter_class=Layout)
    parser.add_argument("-V", "--version", action="version", version=f"bellboard {VERSION}")
    options.common(parser, suppress=False)
    options.fleet(parser, suppress=False)
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", title="commands")
    _run(commands)
    _sessions(commands)
    _watch(commands)
    health = _command(commands, "health")
    options.as_json(health)
    options.fleet(health)
    _doctor(commands)
    _ctl(commands)
    _config(commands)
    _hooks(commands)
    _service(commands)
    _serve(commands)
    _notify(commands)
    _export(commands)
    demo = _command(commands, "demo")
    demo.add_argument("--chaos", action="store_true", help="kill and hang workers meanwhile, and compare the counts")
    demo.add_argument("--seconds", type=number, metavar="N", help="end by itself after N seconds")
    schema = _command(commands, "schema")
    schema.add_argument("document", nargs="?", choices=DOCUMENTS, help="only this one")
    completion = _command(commands, "completion")
    completion.add_argument("shell", choices=SHELLS, help="which shell")
    return parser


def _command(commands: Commands, name: str) -> argparse.ArgumentParser:
    page = page_of(name)
    parser = commands.add_parser(
        name, help=page.summary, description=page.description, epilog=page.epilog, formatter_class=Layout
    )
    options.common(parser, suppress=True)
    return parser


def _verb(verbs: Commands, name: str, text: str) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=text, description=text, formatter_class=Layout)
    options.common(parser, suppress=True)
    return parser


def _run(commands: Commands) -> None:
    parser = _command(commands, "run")
    options.sources(parser)
    options.state_dir(parser)
    parser.add_argument("--ephemeral", action="store_true", help="keep nothing on disk")
    parser.add_argument(
        "--serve", action="store_true", help="keep a gateway as well, as `bellboard serve` would (settings: [serve])"
    )
    parser.add_argument(
        "--export",
        action="store_true",
        help="tell a fleet as well, as `bellboard export nats` would (settings: [export])",
    )
    # For `bellboard` alone, which starts its own board so: see live/lodger.py.
    parser.add_argument("--private", action="store_true", help=argparse.SUPPRESS)
    # And for every command that looks at a fleet: see fleet/lodging.py.
    options.fleet(parser, hidden=True)


def _sessions(commands: Commands) -> None:
    parser = _command(commands, "sessions")
    parser.add_argument("id", nargs="?", metavar="ID", help="show this session (the beginning of its id is enough)")
    parser.add_argument("--once", action="store_true", help="read the agents' files now; needs no running supervisor")
    options.as_json(parser)
    options.sources(parser, "; a FOLDER needs --once")
    options.filters(parser)
    parser.add_argument(
        "--since", metavar="AGE", help="only sessions that moved in this time (90s, 15m, 24h, 7d) or `all`"
    )
    parser.add_argument(
        "--needs-you", action="store_true", help="only sessions that wait for a person; exit code 10 if any"
    )
    options.fleet(parser)


def _watch(commands: Commands) -> None:
    parser = _command(commands, "watch")
    parser.add_argument("--jsonl", action="store_true", help="print JSON, a line an event")
    parser.add_argument(
        "--topic", action="append", metavar="PREFIX", help="only topics that begin so: session.claude., health., ..."
    )
    parser.add_argument(
        "--source", action="append", metavar="NAME", help="only this source; may be given several times"
    )
    options.filters(parser)
    parser.add_argument("--needs-you", action="store_true", help="only sessions that wait for a person")
    options.fleet(parser)


def _doctor(commands: Commands) -> None:
    parser = _command(commands, "doctor")
    options.as_json(parser)
    options.sources(parser)
    options.state_dir(parser)


def _config(commands: Commands) -> None:
    verbs = _command(commands, "config").add_subparsers(dest="verb", metavar="VERB", required=True)
    show = _verb(verbs, "show", "print every setting with its value and where that is from")
    options.as_json(show)
    options.sources(show)
    options.state_dir(show)
    show.add_argument("--ephemeral", action="store_true", help="as with `run`")
    check = _verb(verbs, "check", "say whether a configuration file is right, and if not, what is wrong and where")
    check.add_argument("file", nargs="?", metavar="FILE", help="this one instead of the one that is read")
    _verb(verbs, "path", "say which configuration file is read")


def _hooks(commands: Commands) -> None:
    parser = _command(commands, "hooks")
    parser.add_argument(
        "verb", choices=["install", "status", "remove"], help="what to do; install shows the change first"
    )
    parser.add_argument(
        "agents", nargs="*", default=[], metavar="AGENT", help="claude, codex, gemini, opencode; default: the installed"
    )
    parser.add_argument("--dry-run", action="store_true", help="show the change and leave everything as it is")
    options.state_dir(parser, "folder of the board's state, which holds the spool")


def _service(commands: Commands) -> None:
    parser = _command(commands, "service")
    parser.add_argument("verb", choices=["install", "status", "remove"], help="what to do, for this user alone")
    parser.add_argument("--print", action="store_true", help="with install: print the file, and install nothing")
    options.state_dir(parser)


def _notify(commands: Commands) -> None:
    parser = _command(commands, "notify")
    kinds = ("needs-you", "turn", "source", "board")
    parser.add_argument("--on", action="append", choices=kinds, help="tell only of this; may be given several times")
    parser.add_argument(
        "--with",
        dest="way",
        choices=["auto", "notify-send", "osascript", "osc9", "osc777", "osc99", "bell", "command"],
        metavar="WAY",
        help="auto, notify-send, osascript, osc9, osc777, osc99, bell or command; default: a command if one is set, else "
        "what this desktop or this terminal has",
    )
    parser.add_argument("--titles", action="store_true", default=None, help="say titles, too")
    options.fleet(parser)
    parser.add_argument("--dry-run", action="store_true", help="print a line instead")
    parser.add_argument(
        "--command",
        dest="program",
        nargs=argparse.REMAINDER,
        metavar="PROGRAM [ARGUMENT ...]",
        help="start this program for each, with JSON on its stdin; must come last",
    )


def _serve(commands: Commands) -> None:
    parser = _command(commands, "serve")
    parser.add_argument("--host", metavar="H", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, metavar="P", help="port to listen on (default: 2355, 0: any)")
    parser.add_argument(
        "--token-file", metavar="F", help="file with the token (default: web-token in the state folder)"
    )
    options.state_dir(parser)
    parser.add_argument(
        "--allow-host", action="append", metavar="NAME[:PORT]", help="a name under which the board may be asked for"
    )
    parser.add_argument("--expose", action="store_true", help="listen on an address that other machines can reach")
    parser.add_argument(
        "--privacy",
        choices=["full", "names", "minimal"],
        help="how much is told (default: full on this machine, names beyond it)",
    )
    options.fleet(parser)


def _export(commands: Commands) -> None:
    engines = _command(commands, "export").add_subparsers(dest="engine", metavar="ENGINE", required=True)
    parser = _verb(engines, "nats", "NATS with JetStream")
    parser.add_argument("--url", metavar="URL", help="the server: nats://HOST:PORT, or tls://HOST:PORT")
    parser.add_argument(
        "--host-name", metavar="H", help="name of this machine on the fleet's board (default: that which it has)"
    )
    parser.add_argument(
        "--creds", metavar="F", help="file that shows who we are: .creds, an nkey seed, or one line USER:PASSWORD"
    )
    parser.add_argument(
        "--ca", metavar="F", help="file with the certificates to trust; nothing is said without TLS then"
    )
    parser.add_argument(
        "--privacy", choices=["full", "names", "minimal"], help="how much is told beyond this machine (default: names)"
    )
    parser.add_argument(
        "--init", action="store_true", help="make the buckets and the stream on the server, or mend them, and end"
    )
    parser.add_argument(
        "--forget", metavar="H", help="take a machine that will not come back off the fleet's board, and end"
    )
    parser.add_argument(
        "--ephemeral", action="store_true", help="what waits for the server waits in memory, not on disk"
    )
    options.state_dir(parser, "folder in which events wait for the server")


def _ctl(commands: Commands) -> None:
    verbs = _command(commands, "ctl").add_subparsers(dest="verb", metavar="VERB", required=True)
    for verb, text in (
        ("restart", "end the source's worker and start it again"),
        ("pause", "end the source's worker and keep it ended, also over restarts of the supervisor"),
        ("resume", "let a paused source work again"),
        ("reset", "forget a source's failures and start it at once"),
    ):
        _verb(verbs, verb, text).add_argument("ctl_source", metavar="SOURCE", help="its name")
    release = _verb(verbs, "release", "try a session again that was set aside because it ended its worker")
    release.add_argument("ctl_source", metavar="SOURCE", help="its name")
    release.add_argument("ctl_handle", metavar="ID", help="the beginning of its id is enough")
    _verb(verbs, "reload", "read the configuration again and change only what differs")
    _verb(verbs, "drain", "end all workers, then the supervisor")

"""Options: those that several commands share, each group said once. Which command has which stands in `arguments.py`."""

import argparse

ACTIVITIES = ("working", "prompt", "idle", "ended", "waiting", "terminal")
"""What may be asked for; what each means stands in `commands/choice.py`."""

ONLY = "only this source, with that agent's own home as FOLDER; may be given several times"


def common(parser: argparse.ArgumentParser, *, suppress: bool) -> None:
    """Add what may be given before and after each command.

    `suppress`: to a command, whose own default must not overwrite what was given before it.
    """
    default = argparse.SUPPRESS if suppress else None
    parser.add_argument("--config", metavar="FILE", default=default, help="configuration file")
    parser.add_argument("--runtime-dir", metavar="DIR", default=default, help="folder of the sockets")
    parser.add_argument(
        "-v", "--verbose", action="count", default=argparse.SUPPRESS if suppress else 0, help="say more on stderr"
    )


def fleet(parser: argparse.ArgumentParser, *, suppress: bool = True, hidden: bool = False) -> None:
    """Add how a fleet is reached; `suppress` is that of `common`, `hidden` leaves it out of the help."""
    default = argparse.SUPPRESS if suppress else None
    for flag, metavar, text in (
        ("--fleet", "URL", "all machines of the fleet whose engine is there (extra: fleet); alone: `fleet.url`"),
        ("--creds", "FILE", "credentials for the fleet"),
        ("--ca", "FILE", "certificates to trust in the fleet"),
    ):
        shown = argparse.SUPPRESS if hidden else text
        if flag == "--fleet":
            parser.add_argument(flag, metavar=metavar, default=default, help=shown, nargs="?", const="")
        else:
            parser.add_argument(flag, metavar=metavar, default=default, help=shown)


def as_json(parser: argparse.ArgumentParser) -> None:
    """Add the word for output that programs read."""
    parser.add_argument("--json", action="store_true", help="print JSON for programs")


def state_dir(parser: argparse.ArgumentParser, text: str = "folder of the database") -> None:
    """Add where the state is; `text` says what of it the command needs."""
    parser.add_argument("--state-dir", metavar="DIR", help=text)


def sources(parser: argparse.ArgumentParser, more: str = "") -> None:
    """Add which sources, and where their agents' files are; `more` is what else the help says of it."""
    parser.add_argument("--source", action="append", metavar="NAME[=FOLDER]", default=None, help=f"{ONLY}{more}")


def filters(parser: argparse.ArgumentParser) -> None:
    """Add which sessions; `commands/choice.py` is who chooses them."""
    parser.add_argument(
        "--activity",
        choices=ACTIVITIES,
        metavar="WORD",
        help="only sessions doing this: working, prompt, idle or ended (also stale), as it is shown; or, as in the JSON, "
        "waiting (at the prompt, or for you) or terminal",
    )
    parser.add_argument(
        "--project",
        action="append",
        metavar="NAME|PATH",
        help="only sessions in folders of this last name, or in and below this path (one with a /); several times: in any",
    )

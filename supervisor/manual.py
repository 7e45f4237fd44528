"""Manual: what each command's help says besides its options: what it does, examples, exit codes, environment, see also.

Pure data: one table, an entry a command, which is why this file is as long as it is. How a page is laid out is in `page.py`;
the options themselves stand in `arguments.py`, which puts both together.
"""

from .page import Page

CONFIG = {"BELLBOARD_CONFIG": "the configuration file (as --config)"}
RUNTIME_DIR = {"BELLBOARD_RUNTIME_DIR": "the folder of the sockets (as --runtime-dir)"}
STATE_DIR = {"BELLBOARD_STATE_DIR": "the folder of the database (as --state-dir)"}

ATTACHED = {**CONFIG, **RUNTIME_DIR}
OWN = {**ATTACHED, **STATE_DIR}
AGENTS = {
    "CLAUDE_CONFIG_DIR": "where Claude Code keeps its files",
    "CODEX_HOME": "where Codex keeps its files",
    "GEMINI_CLI_HOME": "the folder in which Gemini CLI has its `.gemini`",
    "PI_CODING_AGENT_DIR": "where Pi keeps its files",
    "XDG_DATA_HOME": "the folder in which OpenCode has its `opencode`",
}

USAGE = {2: "what was asked for cannot be meant"}
NO_BOARD = {**USAGE, 3: "no supervisor is running"}
FOLLOWED = {**NO_BOARD, 130: "interrupted"}


def page_of(command: str | None) -> Page:
    """Return the page of a command; None is `bellboard` alone."""
    return TOP if command is None else PAGES[command]


def see(*commands: str) -> tuple[str, ...]:
    """Name commands as one would type them."""
    return tuple(f"bellboard {command}" for command in commands)


TOP = Page(
    summary="the live board",
    about="""One board for all coding-agent sessions of this machine: what each is doing, who waits for you, how full its
    context is. Without a command it shows the board: that of a running supervisor, else one read for this moment.

    With --fleet it is the board of all machines that tell theirs to an engine (`bellboard export`). The commands
    sessions, watch, health, serve and notify know --fleet, too.

    Data goes to stdout, everything else to stderr. `bellboard COMMAND --help` explains a command.""",
    examples={
        "bellboard": "what is going on now",
        "bellboard --fleet nats://board.example.org:4222": "what is going on on all machines",
        "bellboard run": "keep the board, for everybody who attaches",
        "bellboard sessions --needs-you": "who waits for me? (exit code 10: someone)",
        "bellboard watch": "each change as it happens",
        "bellboard doctor": "find out what is wrong, and what mends it",
        "bellboard demo": "see it without any agent",
    },
    exits={
        2: "usage",
        3: "no supervisor running",
        4: "not all is well (health, doctor)",
        10: "someone waits (sessions --needs-you)",
        130: "interrupted",
    },
    environment={**OWN, **AGENTS},
)

PAGES: dict[str, Page] = {
    "run": Page(
        summary="keep the board: start the workers and serve everybody who attaches",
        about="""Starts one worker process for each source and keeps the board until it is told to end (Ctrl-C, SIGTERM,
        or `bellboard ctl drain`). What it knows is kept on disk, so that a restart loses no number; a second
        supervisor on the same folders is refused. It writes `ready` to stderr when others can attach.""",
        examples={
            "bellboard run": "all installed sources, as they are configured",
            "bellboard run --source claude --source codex=~/other/.codex": "these two only, one in another folder",
            "bellboard run --ephemeral -v": "keep nothing on disk, and say more",
            "bellboard run --serve": "and serve the board to browsers, in a process of its own (extra: web)",
            "bellboard run --export": "and tell it to a fleet, in a process of its own (extra: fleet)",
        },
        exits=USAGE,
        environment={**OWN, **AGENTS},
        see=see("service", "ctl", "health", "config"),
    ),
    "sessions": Page(
        summary="list the sessions, or show one",
        about="""Lists the sessions on the board, those that need you first. With an ID it shows all of one session, and why
        it is said to be in its state. Filters are joined: each session shown passes all of them.

        With --once no supervisor is needed: the agents' files are read now, everything in them, however old. A board
        leaves out what has not moved within `board.since` when it first starts.

        In a narrow terminal MODEL, MSG, TOOLS, CONTEXT, TOOL NOW, AGENT, HOST (of a fleet) and PROJECT give way, in
        this order.""",
        examples={
            "bellboard sessions": "the sessions on the board",
            "bellboard sessions 4f": "one of them in full (the beginning of its id)",
            "bellboard sessions --needs-you": "who waits for me? exit code 10: someone",
            "bellboard sessions --project webshop --activity working": "what works in the folders called webshop",
            "bellboard sessions --json --since 8h": "what moved today, for a program",
            "bellboard sessions --fleet nats://board.example.org:4222 --json": "those of all machines, each with its host",
            "bellboard sessions --once --source claude=~/backup/.claude": "read a folder without any supervisor",
        },
        exits={**NO_BOARD, 10: "someone waits (with --needs-you)"},
        environment={**ATTACHED, **AGENTS},
        see=see("watch", "schema", "health"),
    ),
    "watch": Page(
        summary="print each change as it happens",
        about="""Follows the board until interrupted, or until nobody reads it: first the whole picture, then a line for each
        change, with the time. It outlives restarts of the supervisor, says on stderr when that is gone and back, and
        begins with a whole picture again when it has missed something.

        An event passes a filter if its session is so after the change. Health of the chosen sources is told in any
        case, because it says whether silence means anything; --topic session. leaves it out.""",
        examples={
            "bellboard watch": "everything, for people",
            "bellboard watch --needs-you --topic session.": "a line whenever a session begins to wait for you",
            "bellboard watch --activity prompt --topic session.": "a line whenever a turn ends",
            "bellboard watch --jsonl --project webshop": "one project, for a program",
            "bellboard watch --topic health.": "how the workers are doing",
        },
        exits=FOLLOWED,
        environment=ATTACHED,
        see=see("sessions", "schema"),
    ),
    "health": Page(
        summary="how each source's worker is doing",
        about="""Shows for each source whether its worker is well, and if not, why: what it could not read, how often it was
        restarted, which sessions are set aside.""",
        examples={
            "bellboard health": "a line for each source",
            "bellboard health --json": "the same for a program",
        },
        exits={**NO_BOARD, 4: "a source is degraded or failed"},
        environment=ATTACHED,
        see=see("doctor", "ctl"),
    ),
    "doctor": Page(
        summary="find out what is wrong, and what mends it",
        about="""Looks at everything that has to be right: the folders of each agent and who chose them, the newest record,
        how changes are noticed, inotify limits, mounts, hooks, sockets, state, disk, clock, versions. Each line that
        is not right ends with the command or setting that mends it. It works with and without a running supervisor
        and changes nothing.""",
        examples={
            "bellboard doctor": "look at everything",
            "bellboard doctor --source codex=~/other/.codex": "look at one source, in another folder",
            "bellboard doctor --json": "the same for a program",
        },
        exits={**USAGE, 4: "something is wrong"},
        environment={**OWN, **AGENTS},
        see=see("health", "config"),
    ),
    "ctl": Page(
        summary="tell the running supervisor what to do",
        about="""Sends one word to the running supervisor and says what became of it.""",
        examples={
            "bellboard ctl restart codex": "end the worker and start a new one",
            "bellboard ctl pause gemini": "let a source rest, also over restarts of the supervisor",
            "bellboard ctl resume gemini": "let it go on",
            "bellboard ctl release claude 4f": "try a session again that was set aside",
            "bellboard ctl reload": "read the configuration again; touches only what differs",
            "bellboard ctl drain": "end the supervisor, losing nothing",
        },
        exits=NO_BOARD,
        environment=ATTACHED,
        see=see("health", "run"),
    ),
    "config": Page(
        summary="show what is set and by whom, check a file, or say which file is read",
        about="""`show` prints every setting with its value and where that is from: a flag, the environment, the file or the
        default. `check` reads a file as `run` would and says all that is wrong with it and where. `path` says which file
        is read, whether it exists or not. A folder that was named and is not there is a warning of `check`, no mistake.""",
        examples={
            "bellboard config show": "everything that is set, and by whom",
            "bellboard config show --json": "the same for a program",
            "bellboard config check": "look at the file that is read",
            "bellboard config check new.toml": "look at another one before it is used",
            "bellboard config path": "which file is it?",
        },
        exits=USAGE,
        environment=OWN,
        see=see("doctor", "ctl"),
    ),
    "hooks": Page(
        summary="let agents tell the board who waits, by their own documented hooks",
        about="""Permission waits of some agents are nowhere on disk. `install` adds an entry for each of four to
        six events to an agent's own hook configuration (to OpenCode a plugin file); they tell the board who waits:
        agent, session id, kind and time, nothing else. It shows the change and keeps a copy of what was there; `remove`
        takes everything out again. Claude Code from 2.1.119 on needs none: its own registry says who waits.""",
        examples={
            "bellboard hooks install --dry-run": "show what would change",
            "bellboard hooks install claude codex": "these two; without names, all that are installed",
            "bellboard hooks status": "where hooks are",
            "bellboard hooks remove": "take them out again",
        },
        exits=USAGE,
        environment={**CONFIG, **STATE_DIR, **AGENTS},
        see=see("doctor"),
    ),
    "serve": Page(
        summary="serve the board to browsers and HTTP clients (extra: web)",
        about="""Serves a page, an HTTP API, streams of events and metrics on loopback, and prints a link that opens the page
        once. It only reads; every other browser and program has to show the token.""",
        examples={
            "bellboard serve": "on http://localhost:2355/",
            "bellboard serve --port 0 --privacy names": "on any free port, without titles and branches",
            "bellboard serve --allow-host board.example.org": "behind a proxy that has this name",
        },
        exits=USAGE,
        environment=OWN,
        see=see("run", "health"),
    ),
    "export": Page(
        summary="tell this machine's board to a fleet's NATS server (extra: fleet)",
        about="""Carries each session and the health of each source to a NATS server with JetStream, where the boards of all
        machines meet, until it is told to end. It follows the running supervisor like everybody else: a server that is
        away, slow or full is never felt by it. Events wait on disk meanwhile, up to a bound; what stands on the
        server is compared with the board whenever either was away.

        One exporter writes for each machine. Titles and branches stay on the machine unless --privacy full is given. A
        password is never given on the command line or in the URL, only in a file that others cannot read.""",
        examples={
            "bellboard export nats --url nats://board.example.org:4222": "tell this machine's board",
            "bellboard export nats --url tls://board.example.org:4222 --creds laptop": "encrypted, as a user of its own",
            "bellboard export nats --host-name laptop": "under another name, to the server of the configuration",
            "bellboard export nats --init --creds admin": "make what the fleet needs on the server, and tidy up there",
            "bellboard export nats --forget ci-7 --creds admin": "take a machine that is gone for good off the board",
        },
        exits=USAGE,
        environment=OWN,
        see=see("run", "serve"),
    ),
    "service": Page(
        summary="keep the board from login to logout, by systemd or launchd",
        about="""Makes `bellboard run` a service of this user alone: a systemd user unit on Linux, a launchd agent on macOS.
        Flags that are given with `install` become the service's own.""",
        examples={
            "bellboard service install": "start now, and at each login",
            "bellboard service install --print": "print the file and install nothing",
            "bellboard service status": "is it installed, and does it run?",
            "bellboard service remove": "stop it and take it away",
        },
        exits=USAGE,
        environment=OWN,
        see=see("run", "ctl"),
    ),
    "notify": Page(
        summary="tell a person, once per change, when a session needs somebody",
        about="""Follows the board until interrupted and tells a person what needs one, once per change, by what this desktop
        or this terminal has, or by a program of yours. Prompt text is never told, titles only if asked for.""",
        examples={
            "bellboard notify": "on this desktop, or in this terminal",
            "bellboard notify --on needs-you --on turn": "only these; `turn`: a turn is over",
            "bellboard notify --dry-run": "print a line instead, to see what would be told",
            "bellboard notify --command python beep.py": "start a program for each, with JSON on its stdin",
        },
        exits=FOLLOWED,
        environment=ATTACHED,
        see=see("watch", "sessions"),
    ),
    "demo": Page(
        summary="simulated agents through the real pipeline, in a temporary home",
        about="""Plays simulated agents into a temporary home, where real workers read them, shows the board and compares
        its counts with what was written; a difference that stays is exit code 1. Nothing of yours is looked at.""",
        examples={
            "bellboard demo": "until interrupted",
            "bellboard demo --chaos": "and meanwhile workers are killed and made to hang",
            "bellboard demo --seconds 20": "for a while",
        },
        exits={**USAGE, 130: "interrupted"},
        see=("bellboard",),
    ),
    "schema": Page(
        summary="print the JSON Schema of what the commands and sockets say",
        about="""Prints the JSON Schema (draft 2020-12) of one document, or of all of them. Each document that a command
        prints carries `schema_version` (an event: `v`); fields may be added, and anything else is a new version.""",
        examples={
            "bellboard schema": "all documents, each under its name in `documents`",
            "bellboard schema sessions": "that of `bellboard sessions --json` alone",
            "bellboard schema event": "that of an event on the PUB socket",
        },
        exits=USAGE,
        see=see("sessions", "watch", "health", "doctor"),
    ),
    "completion": Page(
        summary="print a completion script for a shell",
        about="""Prints what a shell needs to complete the words of this command, to be put where the shell looks.""",
        examples={
            "bellboard completion bash": "put it into ~/.local/share/bash-completion/completions/bellboard",
            "bellboard completion zsh": "put it into a file _bellboard in a folder of $fpath",
            "bellboard completion fish": "put it into ~/.config/fish/completions/bellboard.fish",
        },
        exits=USAGE,
    ),
}

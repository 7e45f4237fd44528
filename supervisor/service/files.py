"""Files: the unit for systemd and the property list for launchd, as text. Pure.

Only those restrictions stand in the unit that a service of a user can have everywhere: those that need namespaces would keep
it from starting where these are forbidden (docs/service.md shows how to add them).
"""

import plistlib
from collections.abc import Mapping, Sequence

UNIT = "bellboard.service"
LABEL = "io.github.bellboard"

MARK = "Written by `bellboard service install`; `bellboard service remove` takes it away."

PASSED_ON = (
    "BELLBOARD_CONFIG",
    "BELLBOARD_RUNTIME_DIR",
    "BELLBOARD_STATE_DIR",
    "CLAUDE_CONFIG_DIR",
    "CODEX_HOME",
    "GEMINI_CLI_HOME",
    "PI_CODING_AGENT_DIR",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "XDG_STATE_HOME",
)
"""Variables that say where things are. A service does not see those of the shell, so they are written down."""

_UNIT = """\
# {mark}
[Unit]
Description=bellboard: one board for all coding-agent sessions
StartLimitIntervalSec=0

[Service]
Type=notify
NotifyAccess=main
ExecStart={command}
ExecReload=/bin/kill -HUP $MAINPID
{environment}Restart=on-failure
RestartSec=5
RestartPreventExitStatus=2
OOMPolicy=continue
WatchdogSec=30
TimeoutStopSec=20
KillMode=mixed

# A guest: it gives way to everybody.
Nice=5
CPUWeight=20
IOSchedulingClass=best-effort
IOSchedulingPriority=7
MemoryHigh=1G
MemoryMax=2G
TasksMax=512

# No network, no way to more rights, nothing readable by others.
UMask=0077
NoNewPrivileges=yes
RestrictAddressFamilies=AF_UNIX
RestrictSUIDSGID=yes
RestrictRealtime=yes
LockPersonality=yes
SystemCallArchitectures=native

[Install]
WantedBy=default.target
"""


def unit(command: Sequence[str], environ: Mapping[str, str]) -> str:
    """Return the unit of a systemd user service that runs `command`."""
    lines = [f"Environment={_quoted(f'{name}={environ[name]}')}\n" for name in PASSED_ON if environ.get(name)]
    words = " ".join(_quoted(word, dollars=True) for word in command)
    return _UNIT.format(mark=MARK, command=words, environment="".join(lines))


def plist(command: Sequence[str], environ: Mapping[str, str], log: str) -> str:
    """Return the property list of a launchd agent that runs `command`; what it says goes to the file `log`."""
    content = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": {name: environ[name] for name in PASSED_ON if environ.get(name)},
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ThrottleInterval": 10,
        "ExitTimeOut": 20,
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "Nice": 5,
        "Umask": 0o077,
        "StandardErrorPath": log,
    }
    text = plistlib.dumps(content, sort_keys=False).decode()
    return text.replace("<plist", f"<!-- {MARK} -->\n<plist", 1)


def _quoted(word: str, *, dollars: bool = False) -> str:
    """Write a word as systemd reads it: specifiers and (in commands) variables mean nothing in it."""
    escaped = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    if dollars:
        escaped = escaped.replace("$", "$$")
    plain = escaped == word and word and all(char.isalnum() or char in "/._-+=:@" for char in word)
    return word if plain else f'"{escaped}"'

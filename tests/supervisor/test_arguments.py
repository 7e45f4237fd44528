from typing import Any

import pytest

from bellboard.supervisor.arguments import parse
from bellboard.supervisor.version import VERSION

COMMON: dict[str, Any] = {"config": None, "runtime_dir": None, "verbose": 0}
NOTIFY: dict[str, Any] = {
    **COMMON,
    "command": "notify",
    "on": None,
    "way": None,
    "titles": None,
    "dry_run": False,
    "program": None,
}
SESSIONS: dict[str, Any] = {
    **COMMON,
    "command": "sessions",
    "id": None,
    "once": False,
    "json": False,
    "source": None,
    "since": None,
    "activity": None,
    "project": None,
    "needs_you": False,
}


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("", {**COMMON, "command": None}),
        ("-vv", {**COMMON, "command": None, "verbose": 2}),
        ("run", {**COMMON, "command": "run", "source": None, "state_dir": None, "ephemeral": False}),
        (
            "run --source claude --source codex=/x --state-dir /s --runtime-dir /r --config /c --ephemeral -v",
            {
                "command": "run",
                "source": ["claude", "codex=/x"],
                "state_dir": "/s",
                "runtime_dir": "/r",
                "config": "/c",
                "ephemeral": True,
                "verbose": 1,
            },
        ),
        ("sessions", SESSIONS),
        ("notify", NOTIFY),
        ("notify --on turn --on needs-you --with osc777", {**NOTIFY, "on": ["turn", "needs-you"], "way": "osc777"}),
        (
            "notify --titles --dry-run --command beep --titles -x",
            {**NOTIFY, "titles": True, "dry_run": True, "program": ["beep", "--titles", "-x"]},
        ),
        (
            "sessions abc --once --json --source pi --since 15m --activity waiting --needs-you",
            {
                **SESSIONS,
                "id": "abc",
                "once": True,
                "json": True,
                "source": ["pi"],
                "since": "15m",
                "activity": "waiting",
                "needs_you": True,
            },
        ),
        (
            "watch",
            {
                **COMMON,
                "command": "watch",
                "jsonl": False,
                "topic": None,
                "source": None,
                "activity": None,
                "project": None,
                "needs_you": False,
            },
        ),
        (
            "watch --source pi --activity idle --project a --project /b",
            {"source": ["pi"], "activity": "idle", "project": ["a", "/b"]},
        ),
        (
            "watch --jsonl --topic health. --topic session.",
            {**COMMON, "command": "watch", "jsonl": True, "topic": ["health.", "session."]},
        ),
        ("health", {**COMMON, "command": "health", "json": False}),
        ("health --json", {**COMMON, "command": "health", "json": True}),
        ("ctl drain", {**COMMON, "command": "ctl", "verb": "drain"}),
        ("ctl pause claude", {**COMMON, "command": "ctl", "verb": "pause", "ctl_source": "claude"}),
        ("demo", {**COMMON, "command": "demo", "seconds": None, "chaos": False}),
        ("demo --seconds 2.5", {**COMMON, "command": "demo", "seconds": 2.5, "chaos": False}),
        ("demo --chaos", {**COMMON, "command": "demo", "seconds": None, "chaos": True}),
        ("schema", {"command": "schema", "document": None}),
        ("schema event", {"command": "schema", "document": "event"}),
        ("completion fish", {"command": "completion", "shell": "fish"}),
        ("doctor --json --source pi --state-dir /s", {"json": True, "source": ["pi"], "state_dir": "/s"}),
        (
            "config show --json --ephemeral",
            {"command": "config", "verb": "show", "json": True, "ephemeral": True, "source": None, "state_dir": None},
        ),
        ("config check", {"command": "config", "verb": "check", "file": None}),
        ("config check x.toml", {"verb": "check", "file": "x.toml"}),
        ("config path", {**COMMON, "verb": "path"}),
    ],
)
def test_words_mean_what_the_help_says(line: str, meant: dict[str, Any]) -> None:
    found = vars(parse(line.split()))
    assert {name: found.get(name, "missing") for name in meant} == meant


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("frobnicate", "invalid choice: 'frobnicate'"),
        ("sesions", "): did you mean `sessions`?\n"),
        ("hooks instal", "): did you mean `install`?\n"),
        ("ctl resum codex", "): did you mean `resume`?\n"),
        ("completion fisch", "): did you mean `fish`?\n"),
        ("hooks", "the following arguments are required: verb\n"),
        ("sessions --activity asleep", "invalid choice: 'asleep'"),
        ("sessions one two", "unrecognized arguments: two"),
        ("run --port 80", "unrecognized arguments: --port 80"),
        ("ctl", "the following arguments are required: VERB"),
        ("ctl pause", "the following arguments are required: SOURCE"),
        ("ctl drain claude", "unrecognized arguments: claude"),
        ("sessions --need-you", "sessions: error: unrecognized arguments: --need-you: did you mean `--needs-you`?\n"),
        ("sessions a --projct=x", "sessions: error: unrecognized arguments: --projct=x: did you mean `--project`?\n"),
        ("demo --secs=3", "demo: error: unrecognized arguments: --secs=3: did you mean `--seconds`?\n"),
        ("config show --jsn", "config show: error: unrecognized arguments: --jsn: did you mean `--json`?\n"),
        ("run --zzz", "run: error: unrecognized arguments: --zzz\n"),
        ("--confg x", "bellboard: error: "),
        ("demo --seconds soon", "argument --seconds: 'soon' is no number"),
        ("run --source", "expected one argument"),
    ],
)
def test_what_cannot_be_meant_ends_with_two_and_a_sentence_on_stderr(
    line: str, complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(line.split())
    out, err = capsys.readouterr()
    assert (caught.value.code, out) == (2, "")
    assert complaint in err


@pytest.mark.parametrize("command", ["run", "sessions", "watch", "health", "ctl", "demo"])
def test_the_help_names_every_command_and_each_has_its_own(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    out = capsys.readouterr().out
    assert (caught.value.code, f"    {command} " in out) == (0, True)
    assert "exit codes:" in out

    with pytest.raises(SystemExit) as caught:
        parse([command, "--help"])
    assert caught.value.code == 0
    assert f"usage: bellboard {command}" in capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        parse(["-v", "--version"])
    assert (caught.value.code, capsys.readouterr().out) == (0, f"bellboard {VERSION}\n")

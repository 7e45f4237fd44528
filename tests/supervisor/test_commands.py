import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from harness import wait_for
from msgspec import structs

from bellboard.protocol.ask import Command, Reply, Verb
from bellboard.protocol.event import Snapshot
from bellboard.protocol.session import HealthState, SessionState
from bellboard.protocol.testing import MockBoard
from bellboard.supervisor import private
from bellboard.supervisor.aggregator.aggregator import Aggregator
from bellboard.supervisor.aggregator.diagnosis import Thresholds
from bellboard.supervisor.aggregator.health import HealthBook
from bellboard.supervisor.aggregator.tracked import Rules
from bellboard.supervisor.answers import Answers
from bellboard.supervisor.arguments import parse
from bellboard.supervisor.commands import common, ctl, dispatch, watch
from bellboard.supervisor.config import BUILT_IN, Config
from bellboard.supervisor.config_file import read
from bellboard.supervisor.errors import ConfigError
from bellboard.supervisor.folders import lock

NOW = datetime.now(UTC)

SESSIONS = (
    SessionState(
        id="abc1", source="claude", title="bells", activity="waiting", waiting_for="permission", last_activity_at=NOW
    ),
    SessionState(id="abd2", source="claude", activity="waiting", waiting_for="prompt", last_activity_at=NOW),
    SessionState(id="xyz3", source="codex", activity="working", last_activity_at=NOW - timedelta(hours=2)),
    SessionState(id="old4", source="codex", activity="terminal", lifecycle="terminal"),
)
WELL = HealthState(source="claude", pid=7, home="~/.claude")
AWAY = HealthState(source="codex", reason="not found: looked in ~/.codex", absent=("~/.codex",))
FAILED = HealthState(source="codex", status="failed", reason="the source cannot be loaded: ImportError")


@pytest.fixture(autouse=True)
def _own_folders(folder: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, below in (("CONFIG", "config.toml"), ("RUNTIME_DIR", "run"), ("STATE_DIR", "state")):
        monkeypatch.setenv(f"BELLBOARD_{name}", f"{folder}/{below}")
    Path(folder, "config.toml").write_text("")
    monkeypatch.setenv("HOME", folder)


def run(*words: str) -> int:
    return dispatch.run(parse(list(words)))


def show(monkeypatch: pytest.MonkeyPatch, *health: HealthState, sessions: tuple[SessionState, ...] = SESSIONS) -> None:
    """Let the board be this picture, wherever it comes from."""
    picture = Snapshot(epoch="e", seq=9, source_seqs={}, sessions=sessions, health=health or (WELL,))

    def found(_: str | Config) -> Snapshot:
        return picture

    monkeypatch.setattr(common, "picture", found)
    monkeypatch.setattr(private, "read_once", found)


@pytest.mark.parametrize("words", [["sessions"], ["health"], ["watch"], ["ctl", "drain"], ["ctl", "pause", "claude"]])
def test_without_a_supervisor_a_command_says_how_to_start_one_and_ends_with_three(
    words: list[str], folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 3
    instead = ", or read the agents' files with --once" if words == ["sessions"] else ""
    said = f"bellboard: no supervisor in {folder}/run: start one with `bellboard run`{instead}\n"
    assert capsys.readouterr() == ("", said)


def test_a_flag_outweighs_the_environment_in_where_the_supervisor_is(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--runtime-dir", f"{folder}/elsewhere", "health") == 3
    assert f"no supervisor in {folder}/elsewhere" in capsys.readouterr().err


def test_a_supervisor_that_does_not_answer_is_none(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(folder, "run").mkdir()
    Path(folder, "run", "control.sock").touch()
    monkeypatch.setattr(ctl, "REPLY_SECONDS", 0.1)
    assert run("ctl", "drain") == 3
    assert capsys.readouterr().err.startswith(f"bellboard: the supervisor in {folder}/run does not answer")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["run", "--source", "nobody"], "unknown source 'nobody' (known: claude, codex, gemini, opencode, pi)\n"),
        (["sessions", "--once", "--source", "cluade=/tmp"], "unknown source 'cluade': did you mean `claude`? (known: "),
        (["demo", "--seconds", "0"], "--seconds 0: write how long it goes on, more than 0"),
        (["demo", "--seconds", "-3"], "--seconds -3: write how long it goes on, more than 0"),
        (["demo", "--seconds", "inf"], "--seconds inf: write how long it goes on, more than 0"),
        (["demo", "--runtime-dir", "/x"], "--runtime-dir means nothing to `bellboard demo`"),
        (["--config", "/x", "demo"], "--config means nothing to `bellboard demo`"),
        (["hooks", "status", "--runtime-dir", "/x"], "--runtime-dir means nothing to `bellboard hooks`"),
        (["schema", "--runtime-dir", "/x"], "--runtime-dir means nothing to `bellboard schema`"),
        (["completion", "bash", "--config", "/x"], "--config means nothing to `bellboard completion`"),
        (["run", "--source", "claude=/nowhere"], "--source claude=/nowhere: /nowhere is not a folder"),
        (["run", "--source", "claude="], "--source claude=: the empty path is not a folder"),
        (["run", "--config", "/nowhere.toml"], "there is no configuration file /nowhere.toml"),
        (["sessions", "--since", "soon"], "--since: 'soon' is no duration"),
    ],
)
def test_what_cannot_be_meant_is_a_sentence_and_ends_with_two(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*words) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"bellboard: {sentence}")


def test_an_age_that_is_none_is_a_usage_error_when_reading_once_too(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch)
    assert run("sessions", "--once", "--source", "mock", "--since", "soon") == 2
    assert capsys.readouterr().err.startswith("bellboard: --since: 'soon' is no duration")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_a_usage_error(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path(folder, "closed").mkdir(mode=0o000)
    assert run("run", "--source", f"claude={folder}/closed") == 2
    assert f"{folder}/closed cannot be read: permission denied" in capsys.readouterr().err


def test_a_configuration_without_any_source_is_a_usage_error(folder: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = "".join(f"[sources.{name}]\nenabled = false\n" for name in BUILT_IN)
    Path(folder, "config.toml").write_text(text)
    assert run("run") == 2
    assert capsys.readouterr().err.startswith("bellboard: no source is enabled")


def test_a_second_supervisor_is_refused_with_the_lock_that_is_held(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(folder, "run").mkdir(mode=0o700)
    held = lock(f"{folder}/run")
    try:
        assert run("run", "--source", "mock") == 1
    finally:
        os.close(held)
    assert (
        f"another bellboard supervisor (process {os.getpid()}) holds the lock {folder}/run/lock"
        in capsys.readouterr().err
    )


def test_a_runtime_folder_that_is_too_long_is_refused_before_anything_is_made(
    folder: str, capsys: pytest.CaptureFixture[str]
) -> None:
    runtime = f"{folder}/{'x' * 100}"
    assert run("run", "--source", "mock", "--runtime-dir", runtime) == 1
    assert "choose a shorter folder" in capsys.readouterr().err
    assert not Path(runtime).exists()


@pytest.mark.parametrize(
    ("words", "ids", "code"),
    [
        ([], ["abc1", "abd2", "xyz3", "old4"], 0),
        (["ab"], ["abc1", "abd2"], 0),
        (["--source", "codex"], ["xyz3", "old4"], 0),
        (["--activity", "waiting"], ["abc1", "abd2"], 0),
        (["--activity", "prompt"], ["abd2"], 0),
        (["--activity", "ended"], ["old4"], 0),
        (["--activity", "terminal"], ["old4"], 0),
        (["--since", "1h"], ["abc1", "abd2", "old4"], 0),
        (["--since", "all"], ["abc1", "abd2", "xyz3", "old4"], 0),
        (["--needs-you"], ["abc1"], 10),
        (["--needs-you", "--source", "codex"], list[str](), 0),
        (["--source", "claude", "--activity", "working"], list[str](), 0),
    ],
)
def test_sessions_are_chosen_by_what_was_said(
    words: list[str], ids: list[str], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch, WELL, AWAY)
    assert run("sessions", "--json", *words) == code
    document = json.loads(capsys.readouterr().out)
    assert [session["id"] for session in document["sessions"]] == ids
    assert (document["schema_version"], document["epoch"], document["seq"]) == (1, "e", 9)


def test_sessions_are_a_table_for_people(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    show(monkeypatch)
    assert run("sessions") == 0
    out, err = capsys.readouterr()
    assert (err, len(out.splitlines())) == ("", 5)
    assert out.splitlines()[1].startswith("▲  needs permission?  claude")


def test_of_a_board_whose_source_looks_in_a_folder_that_is_not_there_is_warned(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lost = HealthState(
        source="claude", status="degraded", reason="not found: looked in ~/nowhere", absent=("~/nowhere",)
    )
    said = "bellboard: claude degraded: not found: looked in ~/nowhere\n"
    show(monkeypatch, lost)
    assert (run("sessions", "--needs-you"), capsys.readouterr().err) == (10, said)
    assert (run("sessions", "--once"), capsys.readouterr().err) == (1, said)


def test_one_session_is_told_in_full(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    show(monkeypatch)
    assert run("sessions", "abc") == 0
    out = capsys.readouterr().out
    assert out.splitlines()[0] == "▲ needs permission?  bells  abc1"
    assert out.splitlines()[1].startswith("why        waiting for permission - ")
    assert "datetime" not in out
    assert "_" not in out


def test_a_session_that_is_not_there_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch)
    assert run("sessions", "nothing") == 1
    assert capsys.readouterr() == (
        "",
        "bellboard: no session whose id begins with 'nothing' (of a folder: --project NAME)\n",
    )
    assert run("sessions", "--needs-you", "--activity", "working") == 0
    assert capsys.readouterr() == ("", "bellboard: nobody needs you\n")


@pytest.mark.parametrize(
    ("words", "sessions", "health", "said"),
    [
        ([], SESSIONS, WELL, ["no sessions that match"]),
        (
            [],
            (),
            structs.replace(WELL, left_out=2),
            [
                "claude: 2 older left out in ~/.claude",
                "no sessions (older ones than `board.since` are left out: `bellboard sessions --once` reads all)",
            ],
        ),
        ([], (), WELL, ["claude: no sessions in ~/.claude", "no sessions"]),
        ([], (), AWAY, ["codex: not found: looked in ~/.codex", "no sessions"]),
        (["--once"], (), WELL, ["claude: no sessions in ~/.claude", "no sessions"]),
    ],
    ids=["none match", "old ones only", "none on the board", "no agent", "none at all"],
)
def test_of_no_sessions_is_said_on_stderr_where_was_looked_and_what_is_left_out(
    words: list[str],
    sessions: tuple[SessionState, ...],
    health: HealthState,
    said: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(monkeypatch, health, sessions=sessions)
    assert run("sessions", "--activity", "idle", *words) == 0
    assert capsys.readouterr() == ("", "".join(f"bellboard: {line}\n" for line in said))


def test_a_source_that_the_board_does_not_have_is_told_with_the_name_that_was_probably_meant(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch, WELL, FAILED)
    assert run("sessions", "--json", "--source", "cluade", "--source", "codex") == 2
    said = "bellboard: the board has no source 'cluade': did you mean `claude`? (it has: claude, codex)\n"
    assert capsys.readouterr() == ("", said)
    assert run("sessions", "--source", "pi") == 2
    assert capsys.readouterr() == ("", "bellboard: the board has no source 'pi' (it has: claude, codex)\n")


def test_a_topic_that_no_event_has_is_refused_with_the_one_that_was_probably_meant(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for word, like in (("sesion.", ": did you mean `session.`?"), ("helth.pi", ": did you mean `health.`?"), ("x", "")):
        assert run("watch", "--topic", word) == 2
        said = f"bellboard: --topic {word}: no topic begins so{like} (known: session., health.)\n"
        assert capsys.readouterr() == ("", said)
    assert run("watch", "--topic", "sess", "--topic", "health.claude") == 3


@pytest.mark.parametrize(("source", "code"), [("nope", 2), ("pi", None)])
def test_a_source_that_can_never_come_is_not_waited_for(
    source: str, code: int | None, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Gone:
        def poll(self, _: int) -> bool:
            return True

    monkeypatch.setattr(watch, "_reader", Gone)
    with MockBoard(f"{folder}/mock") as board:
        board.health("codex")
        words = ["watch", "--runtime-dir", board.runtime_dir, "--source", source]
        if code is None:
            with pytest.raises(BrokenPipeError):
                run(*words)
        else:
            assert run(*words) == code
    assert capsys.readouterr() == ("", f"bellboard: the board has no source {source!r} (it has: codex)\n")


@pytest.mark.parametrize("words", [["sessions"], ["health"], ["watch"], ["ctl", "drain"]])
def test_what_is_wrong_with_the_settings_keeps_nobody_from_a_board(
    words: list[str], folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BELLBOARD_RUNTIME_DIR")
    wrong = f"bellboard: {folder}/config.toml, line 2: unknown key `privasy`"
    Path(folder, "config.toml").write_text(f'runtime_dir = "{folder}/there"\nprivasy = "full"\n')
    assert run(*words) == 3
    warned, went_on, ended = capsys.readouterr().err.splitlines()
    assert (warned.startswith(wrong), went_on) == (True, "bellboard: going on with `runtime_dir` alone")
    assert ended.startswith(f"bellboard: no supervisor in {folder}/there: ")
    assert run("run") == 2
    assert capsys.readouterr().err.startswith(wrong)


@pytest.mark.parametrize(
    ("text", "sentence"), [("runtime_dir = 3\n", "runtime_dir: write a text"), ("[", "is not valid TOML")]
)
def test_where_the_file_does_not_say_where_the_board_is_nothing_is_guessed(
    text: str, sentence: str, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BELLBOARD_RUNTIME_DIR")
    Path(folder, "config.toml").write_text(text)
    assert run("health") == 2
    assert sentence in capsys.readouterr().err


def test_hooks_can_be_looked_at_whatever_is_wrong_with_the_settings(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BELLBOARD_STATE_DIR")
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    Path(folder, "config.toml").write_text('privasy = "full"\n')
    assert run("hooks", "status", "claude") == 0
    out, err = capsys.readouterr()
    assert (out, err.count("\n")) == (f"claude    not installed  ({folder}/.claude/settings.json)\n", 2)


def test_a_board_that_was_named_and_is_not_there_is_told_before_a_private_one_is_shown(
    folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch)
    assert run("--runtime-dir", f"{folder}/nowhere") == 0
    assert capsys.readouterr().err == f"bellboard: no supervisor in {folder}/nowhere: this is a private board\n"


def test_at_a_terminal_a_board_talks_in_sentences_and_elsewhere_its_log_has_the_time() -> None:
    program = (
        "import logging, sys; from bellboard.supervisor.arguments import parse; "
        "from bellboard.supervisor.commands import common; sys.stderr.isatty = lambda: len(sys.argv) == 2; "
        "common.log(parse(['run'])); logging.getLogger('bellboard').warning('SIGINT: ending')"
    )
    said = [
        subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True, timeout=30)
        for words in (["terminal"], [])
    ]
    assert said[0].stderr == "bellboard: SIGINT: ending\n"
    assert re.fullmatch(r"[\d-]+ [\d:,]+ WARNING SIGINT: ending\n", said[1].stderr)


def test_reading_once_reads_everything_unless_told_since_when(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Config] = []
    picture = Snapshot(epoch="e", seq=1, source_seqs={}, sessions=SESSIONS, health=(WELL,))

    def read_once(config: Config) -> Snapshot:
        seen.append(config)
        return picture

    monkeypatch.setattr(private, "read_once", read_once)
    assert run("sessions", "--once", "--source", "mock") == 0
    assert run("sessions", "--once", "--source", "mock", "--since", "2h") == 0
    assert run("sessions", "--once", "--source", "claude", "--since", "2h", "--needs-you") == 10
    assert [(config.board.since, list(config.sources)) for config in seen] == [
        (float("inf"), ["mock"]),
        (7200.0, ["mock"]),
        (float("inf"), ["claude"]),
    ]


def test_a_source_that_failed_makes_reading_once_an_error_and_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch, WELL, FAILED)
    assert run("sessions", "--once", "--json", "--source", "claude") == 1
    out, err = capsys.readouterr()
    assert len(json.loads(out)["sessions"]) == 2
    assert err == "bellboard: codex failed: the source cannot be loaded: ImportError\n"
    assert run("sessions", "--json") == 0


@pytest.mark.parametrize(
    ("health", "code"),
    [
        ((WELL,), 0),
        ((HealthState(source="claude", status="paused"),), 0),
        ((WELL, HealthState(source="codex", status="degraded")), 4),
        ((WELL, FAILED), 4),
    ],
    ids=["healthy", "paused", "degraded", "failed"],
)
def test_health_ends_with_four_if_a_source_is_not_well(
    health: tuple[HealthState, ...],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    show(monkeypatch, *health)
    assert run("health") == code
    assert len(capsys.readouterr().out.splitlines()) == len(health)
    assert run("health", "--json") == code
    assert [state["status"] for state in json.loads(capsys.readouterr().out)["health"]] == [
        state.status for state in health
    ]


def test_no_words_show_the_board_and_without_any_session_where_was_looked(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    show(monkeypatch)
    assert run() == 0
    assert len(capsys.readouterr().out.splitlines()) == 5

    away = HealthState(source="claude", reason="not found: looked in ~/.claude")
    show(monkeypatch, away, structs.replace(WELL, left_out=1), sessions=())
    assert run() == 1
    out, err = capsys.readouterr()
    assert (out, err.splitlines()) == (
        "",
        [
            "bellboard: claude: not found: looked in ~/.claude",
            "bellboard: claude: 1 older left out in ~/.claude",
            (
                "bellboard: no agent's sessions were found (older ones than `board.since` are left out: "
                "`bellboard sessions --once` reads all) - `bellboard demo` shows the board with simulated ones"
            ),
        ],
    )


class Board:
    """The control socket of a supervisor, answered by a test while the command runs beside it."""

    def __init__(self, folder: str, *, ok: bool) -> None:
        self.commands: list[Command] = []
        self.ok = ok
        self.refusal = "not done"
        board = Aggregator("e", Rules())
        self.answers = Answers(folder, board, HealthBook(Thresholds()), self._obey)

    def _obey(self, command: Command) -> Reply:
        self.commands.append(command)
        return Reply(request=command.request, ok=self.ok, message="done" if self.ok else self.refusal)

    def serve(self, *words: str) -> int:
        """Run a command to its end, answering meanwhile."""
        with ThreadPoolExecutor(1) as other:
            ended = other.submit(run, *words)

            def over() -> Any:
                self.answers.serve()
                return ended.done()

            wait_for(over, what="the end of the command")
            return ended.result()


@pytest.fixture(params=[True, False], ids=["obeyed", "refused"])
def board(request: pytest.FixtureRequest, folder: str) -> Iterator[Board]:
    Path(folder, "run").mkdir(mode=0o700)
    made = Board(f"{folder}/run", ok=request.param)
    with closing(made.answers):
        yield made


@pytest.mark.parametrize("verb", ["restart", "pause", "resume", "reset"])
def test_a_command_is_sent_once_and_what_became_of_it_is_told(
    board: Board, verb: Verb, capsys: pytest.CaptureFixture[str]
) -> None:
    code = board.serve("ctl", verb, "claude")
    assert board.commands == [Command(request=1, verb=verb, source="claude")]
    assert (code, capsys.readouterr()) == (
        (0, ("", "bellboard: done\n")) if board.ok else (1, ("", "bellboard: not done\n"))
    )


def test_a_drain_names_no_source(board: Board) -> None:
    board.serve("ctl", "drain")
    assert board.commands == [Command(request=1, verb="drain")]


def test_a_mistake_in_the_settings_is_told_once_although_the_supervisor_finds_it_too(
    board: Board, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("BELLBOARD_RUNTIME_DIR")
    Path(folder, "config.toml").write_text(f'runtime_dir = "{folder}/run"\nprivasy = "full"\n')
    with pytest.raises(ConfigError) as wrong:
        read(None)
    board.refusal = f"nothing was changed: {wrong.value}"
    board.serve("ctl", "reload")
    answer = "done" if board.ok else "nothing was changed: see above"
    assert capsys.readouterr().err.splitlines() == [
        f"bellboard: {wrong.value}",
        "bellboard: going on with `runtime_dir` alone",
        f"bellboard: {answer}",
    ]


@pytest.mark.parametrize("by", ["file", "environment", "flag"])
def test_hooks_are_told_into_the_folder_that_a_board_with_these_settings_reads(
    by: str, folder: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if by != "environment":
        monkeypatch.delenv("BELLBOARD_STATE_DIR")
    if by == "file":
        Path(folder, "config.toml").write_text(f'state_dir = "{folder}/state"\n')
    monkeypatch.delenv("CLAUDE_CONFIG_DIR", raising=False)
    flag = ["--state-dir", f"{folder}/state"] if by == "flag" else []
    assert run("hooks", "install", "claude", "--dry-run", *flag) == 0
    assert f"{folder}/state/spool" in capsys.readouterr().out

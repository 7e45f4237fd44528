import json
import os
import tomllib
from pathlib import Path

import pytest
from published import complaints

from bellboard.supervisor.arguments import parse
from bellboard.supervisor.commands import dispatch


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in (
        "BELLBOARD_CONFIG",
        "BELLBOARD_STATE_DIR",
        "BELLBOARD_RUNTIME_DIR",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    return tmp_path


def run(*words: str) -> int:
    return dispatch.run(parse(["config", *words]))


def test_the_path_is_told_whether_the_file_is_there_or_not(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    default = home / ".config/bellboard/config.toml"
    assert run("path") == 0
    assert capsys.readouterr() == (
        f"{default}\n",
        "bellboard: there is no such file: the defaults hold (the default place)\n",
    )
    default.parent.mkdir(parents=True)
    default.touch()
    assert run("path") == 0
    assert capsys.readouterr() == (f"{default}\n", "")
    monkeypatch.setenv("BELLBOARD_CONFIG", "/nowhere.toml")
    assert run("path") == 0
    assert "chosen with BELLBOARD_CONFIG" in capsys.readouterr().err
    assert run("path", "--config", str(default)) == 0
    assert capsys.readouterr().out == f"{default}\n"


def test_a_file_is_checked_before_it_is_used(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = home / "new.toml"
    new.write_text('[board]\nsince = "2h"\n')
    assert run("check", str(new)) == 0
    assert capsys.readouterr() == ("", f"bellboard: {new} is right\n")
    new.write_text('[board]\n\nretension = "2h"\n')
    assert run("check", str(new)) == 2
    assert capsys.readouterr().err == (
        f"bellboard: {new}, line 3: unknown key `retension` in [board]: did you mean `retention`? "
        "(known: since, stale_after, retention)\n"
    )
    new.write_text("[board]\nsince = = 3\n")
    assert run("check", str(new)) == 2
    assert "at line 2, column 9" in capsys.readouterr().err


def test_without_a_name_the_file_that_is_read_is_checked(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check") == 0
    assert (
        capsys.readouterr().err == f"bellboard: there is no {home}/.config/bellboard/config.toml: the defaults hold\n"
    )
    assert run("check", "--config", f"{home}/none.toml") == 2
    assert capsys.readouterr().err == f"bellboard: there is no configuration file {home}/none.toml\n"
    (home / "mine.toml").write_text("privacy = 'all'")
    assert run("check", "--config", f"{home}/mine.toml") == 2
    assert capsys.readouterr().err == (
        f"bellboard: {home}/mine.toml, line 1: privacy: there is no `all` (known: full, minimal, names)\n"
    )


def test_of_a_folder_that_was_named_and_is_not_there_is_warned(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("CLAUDE_CONFIG_DIR", "GEMINI_CLI_HOME", "PI_CODING_AGENT_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CODEX_HOME", f"{home}/no-codex")
    monkeypatch.setenv("XDG_DATA_HOME", f"{home}/no-data")
    warned = f"bellboard: codex: there is no {home}/no-codex (named by $CODEX_HOME)\n"
    assert (run("check"), capsys.readouterr().err.partition("\n")[2]) == (0, warned)
    (home / "mine.toml").write_text(f'[sources.claude]\nhome = ["{home}", "~/nowhere"]\n')
    assert run("check", f"{home}/mine.toml") == 0
    claude = "bellboard: claude: there is no ~/nowhere (named by configuration)\n"
    assert capsys.readouterr() == ("", f"bellboard: {home}/mine.toml is right\n{claude}{warned}")


def test_all_that_is_wrong_with_a_file_is_said_at_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "bad.toml").write_text(
        """privacy = "ful"
stat_dir = "/x"
[board]
sinse = "2h"
stale_after = "soon"
[notify]
on = ["needs-you", "turns"]
way = "bel"
[limits]
hung = 1
[sources.cluade]
[sources.claude]
hom = "/x"
"""
    )
    assert run("check", f"{home}/bad.toml") == 2
    said = [line.removeprefix(f"bellboard: {home}/bad.toml, line ") for line in capsys.readouterr().err.splitlines()]
    assert [line.partition(" (known")[0] for line in said] == [
        "1: privacy: there is no `ful`: did you mean `full`?",
        "2: unknown key `stat_dir`: did you mean `state_dir`?",
        "4: unknown key `sinse` in [board]: did you mean `since`?",
        "5: board.stale_after: 'soon' is no duration: write seconds, or a number with s, m, h or d, or \"all\"",
        "7: notify.on: there is no `turns`: did you mean `turn`?",
        "8: notify.way: there is no `bel`: did you mean `bell`?",
        "9: limits: `suspect`, `hung` and `starved` must be in this order, and more than 0",
        (
            "11: unknown source `cluade`: did you mean `claude`? - installed are claude, codex, gemini, opencode, pi; "
            'another one needs `factory = "package.module:callable"`'
        ),
        "13: unknown key `hom` in [sources.claude]: did you mean `home`?",
    ]


def test_each_value_is_shown_with_who_set_it(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (home / "mine.toml").write_text('runtime_dir = "/run/x"\n[work]\ncredit = 3\n')
    monkeypatch.setenv("BELLBOARD_STATE_DIR", "/environment")
    words = ["show", "--config", f"{home}/mine.toml", "--source", f"codex={home}"]
    assert run(*words) == 0
    out, err = capsys.readouterr()
    assert err == ""
    lines = [" ".join(line.split()) for line in out.splitlines()]
    assert lines[0] == f"# {home}/mine.toml"
    for line in (
        'state_dir = "/environment" # environment',
        'runtime_dir = "/run/x" # file',
        "credit = 3 # file",
        'beat = "2s" # default',
        "enabled = true # flag",
        f'home = "{home}" # flag',
    ):
        assert line in lines
    assert list(tomllib.loads(out)["sources"]) == ["codex"]

    assert run(*words, "--json", "--state-dir", "/flag") == 0
    document = json.loads(capsys.readouterr().out)
    assert complaints("config", document) == []
    assert (document["file"], document["settings"][0]["value"], document["settings"][0]["origin"]) == (
        f"{home}/mine.toml",
        "/flag",
        "flag",
    )


def test_a_board_in_memory_has_no_folder_for_its_state(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("show", "--ephemeral") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("# there is no ")
    assert lines[1] == "# state_dir is not set  # flag"
    assert os.environ["XDG_RUNTIME_DIR"] == "/run/user/7"
    assert lines[2].startswith('runtime_dir = "/run/user/7/bellboard"')

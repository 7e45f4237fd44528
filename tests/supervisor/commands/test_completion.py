"""The scripts are loaded into the real shells, and these are asked what they would offer."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bellboard.supervisor.commands.completion import script

SOURCES = ("claude", "codex", "gemini", "mock")

CASES = [
    ("bellboard se", ["serve", "service", "sessions"]),
    ("bellboard sessions --act", ["--activity"]),
    ("bellboard sessions --activity w", ["waiting", "working"]),
    ("bellboard watch --source c", ["claude", "codex"]),
    ("bellboard ctl re", ["release", "reload", "reset", "restart", "resume"]),
    ("bellboard ctl restart c", ["claude", "codex"]),
    ("bellboard config ch", ["check"]),
    ("bellboard config check o", ["one.toml"]),
    ("bellboard --config o", ["one.toml"]),
    ("bellboard run --state-dir f", ["folder/"]),
    ("bellboard schema h", ["health"]),
    ("bellboard completion ", ["bash", "fish", "zsh"]),
]

BASH = """source ./script
_line="$1"; read -ra COMP_WORDS <<< "$_line"; [[ $_line == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); COMP_LINE="$_line"; COMP_POINT=${#COMP_LINE}
_shtab_bellboard
printf '%s\\n' "${COMPREPLY[@]}"
"""

ZSH = """zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "source $PWD/prepare"
until [[ -e $PWD/ready ]] { sleep 0.02; while zpty -r -t shell line; do :; done }
zpty -w -n shell "$1"$'\\t'
until [[ -e $PWD/over ]] { sleep 0.02; while zpty -r -t shell line; do :; done }
zpty -d shell
cat $PWD/found
"""

PREPARE = """PS1=
fpath=($PWD $fpath)
autoload -U compinit
compinit -u -D
zle -C ask complete-word ask
bindkey '\\t' ask
ask() {
    compadd() {
        if [[ " $* " == *" -[OAD] "* ]] { builtin compadd "$@"; return }
        local -a found
        builtin compadd -A found "$@"
        print -rl -- $found >> $PWD/found
        builtin compadd "$@"
    }
    _main_complete
    unfunction compadd
    : >> $PWD/found
    : > $PWD/over
}
: > $PWD/ready
"""
"""A key that completes as the real one does, and writes down what it was given."""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "one.toml").touch()
    (tmp_path / "folder").mkdir()
    return tmp_path


def ask(place: Path, *words: str) -> list[str]:
    done = subprocess.run(
        words,
        cwd=place,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={"PATH": os.environ["PATH"], "HOME": str(place), "TERM": "dumb"},
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def need(shell: str) -> str:
    return shutil.which(shell) or pytest.skip(f"{shell} is not installed here")


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_bash_completes(line: str, offered: list[str], place: Path) -> None:
    bash = need("bash")
    (place / "script").write_text(script("bash", SOURCES))
    found = ask(place, bash, "--norc", "-c", BASH, "bash", line)
    assert sorted(found) == [each.rstrip("/") for each in offered]


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_fish_completes(line: str, offered: list[str], place: Path) -> None:
    fish = need("fish")
    (place / "script").write_text(script("fish", SOURCES))
    found = ask(place, fish, "--no-config", "-c", 'source ./script; complete -C "$argv[1]"', line)
    assert sorted(each.partition("\t")[0] for each in found) == offered


@pytest.mark.parametrize(("line", "offered"), CASES)
def test_zsh_completes(line: str, offered: list[str], place: Path) -> None:
    zsh = need("zsh")
    (place / "_bellboard").write_text(script("zsh", SOURCES))
    (place / "prepare").write_text(PREPARE)
    found = ask(place, zsh, "-f", "-c", ZSH, "zsh", line)
    assert sorted({each for each in found if each}) == [each.rstrip("/") for each in offered]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_says_nothing_else_and_knows_no_simulated_source(shell: str) -> None:
    text = script(shell, SOURCES)
    assert "mock" not in text
    assert text.endswith("\n")
    if (found := shutil.which(shell)) is not None:
        checked = subprocess.run([found, "-n"], input=text, text=True, capture_output=True, timeout=30, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")


def test_the_command_prints_the_script_for_the_sources_that_are_installed() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bellboard.supervisor", "completion", "bash"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "claude" in done.stdout

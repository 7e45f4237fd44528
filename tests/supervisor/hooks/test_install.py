"""Installing, showing and removing hooks in a temporary home."""

import json
from pathlib import Path

import pytest

from bellboard.supervisor.errors import UsageError
from bellboard.supervisor.folders import private_folder
from bellboard.supervisor.hooks import install
from bellboard.supervisor.hooks.install import HookError, run


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("CLAUDE_CONFIG_DIR", "CODEX_HOME", "GEMINI_CLI_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


class Told(list[str]):
    """What was said."""

    def __call__(self, text: str) -> None:
        self.append(text)


def do(home: Path, verb: str, *agents: str, dry_run: bool = False) -> str:
    told = Told()
    assert run(verb, list(agents), str(home / "state"), told, dry_run=dry_run) == 0
    return "\n".join(told)


def test_only_installed_agents_are_touched_and_a_dry_run_touches_nothing(home: Path) -> None:
    with pytest.raises(UsageError, match="no agent that has hooks is installed"):
        do(home, "install")
    (home / ".claude").mkdir()
    said = do(home, "install", dry_run=True)
    assert "+" in said
    assert "PermissionRequest" in said
    assert list((home / ".claude").iterdir()) == []
    assert not (home / "state").exists()


def copies(path: Path) -> list[str]:
    """Return what was kept of a file, oldest first."""
    return [copy.read_text() for copy in sorted(path.parent.glob(f"{path.name}.before-bellboard-*"))]


def test_the_users_settings_are_kept_backed_up_and_come_back(home: Path) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    text = (
        json.dumps({"model": "opus", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "x"}]}]}}, indent=4)
        + "\n"
    )
    settings.write_text(text)
    settings.chmod(0o600)

    do(home, "install", "claude")
    assert "installed  (" in do(home, "status", "claude")
    assert settings.stat().st_mode & 0o777 == 0o600
    (backup,) = settings.parent.glob("settings.json.before-bellboard-*")
    assert backup.read_text() == text
    assert (home / "state" / "bellboard-hook.py").exists()
    assert "nothing to change" in do(home, "install", "claude")

    do(home, "remove", "claude")
    assert settings.read_text() == text
    assert "not installed" in do(home, "status", "claude")

    first, second = copies(settings)
    do(home, "install", "claude")
    assert copies(settings) == [second, first] == [second, text], (
        "each text is kept once, the last one with the last time"
    )
    do(home, "remove", "claude")
    assert copies(settings) == [first, second]


def test_a_file_of_settings_that_was_not_there_before_goes_again(home: Path) -> None:
    (home / ".claude").mkdir()
    for _ in range(2):
        do(home, "install", "claude")
        assert (home / ".claude" / "settings.json").exists()
        do(home, "remove", "claude")
        assert list((home / ".claude").iterdir()) == []


def test_a_file_of_settings_that_was_there_stays_even_if_nothing_is_in_it(home: Path) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text("{}\n")
    for _ in range(2):
        do(home, "install", "claude")
        do(home, "remove", "claude")
        assert settings.read_text() == "{}\n"


def test_a_supervisor_takes_the_folder_that_hooks_were_installed_into_before_it_ever_ran(home: Path) -> None:
    (home / ".claude").mkdir()
    do(home, "install", "claude")
    assert (home / "state").stat().st_mode & 0o777 == 0o700
    assert private_folder(str(home / "state"), "state") == str(home / "state")


def test_a_file_that_holds_only_our_hooks_goes_with_them(home: Path) -> None:
    (home / ".codex").mkdir()
    assert "trusted" in do(home, "install", "codex")
    assert (home / ".codex" / "hooks.json").exists()
    do(home, "remove", "codex")
    assert not (home / ".codex" / "hooks.json").exists()


OURS = {
    "claude": ".claude/settings.json",
    "codex": ".codex/hooks.json",
    "opencode": ".config/opencode/plugins/bellboard.js",
}


@pytest.mark.parametrize(("agent", "left"), [("claude", "{}\n"), ("codex", None), ("opencode", None)])
def test_what_somebody_added_to_a_file_of_ours_is_kept_when_it_goes(home: Path, agent: str, left: str | None) -> None:
    path = home / OURS[agent]
    path.parent.mkdir(parents=True)
    do(home, "install", agent)
    edited = path.read_text().replace("2>/dev/null; true", "2>/dev/null; ~/bin/mine") + "\n\n"
    path.write_text(edited)
    do(home, "remove", agent)
    assert copies(path) == [edited]
    assert (path.read_text() if path.exists() else None) == left


def test_a_copy_that_cannot_be_read_is_no_reason_not_to_go_on(home: Path) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"model": "opus"}\n')
    (settings.parent / "settings.json.before-bellboard-1").symlink_to("nowhere")
    do(home, "install", "claude")
    do(home, "remove", "claude")
    assert json.loads(settings.read_text()) == {"model": "opus"}


def test_settings_of_which_no_copy_can_be_kept_are_not_changed(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text('{"model": "opus"}\n')

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(install.shutil, "copy2", full)
    with pytest.raises(HookError, match=r"No space left on device; it is as it was$"):
        do(home, "install", "claude")
    assert settings.read_text() == '{"model": "opus"}\n'


def test_opencode_gets_a_plugin_file(home: Path) -> None:
    (home / ".config" / "opencode").mkdir(parents=True)
    do(home, "install", "opencode")
    plugin = home / ".config" / "opencode" / "plugins" / "bellboard.js"
    assert json.dumps(str(home / "state" / "spool")) in plugin.read_text()
    do(home, "remove", "opencode")
    assert not plugin.exists()


def test_an_agent_that_has_sessions_but_no_folder_of_settings_yet_is_here(home: Path) -> None:
    (home / ".local" / "share" / "opencode").mkdir(parents=True)
    plugin = home / ".config" / "opencode" / "plugins" / "bellboard.js"
    assert do(home, "status") == f"opencode  not installed  ({plugin})"
    do(home, "install")
    assert do(home, "status") == f"opencode  installed  ({plugin})"


def test_a_link_to_the_settings_stays_a_link(home: Path) -> None:
    real = home / "dotfiles.json"
    real.write_text("{}\n")
    (home / ".claude").mkdir()
    (home / ".claude" / "settings.json").symlink_to(real)
    do(home, "install", "claude")
    assert (home / ".claude" / "settings.json").is_symlink()
    assert "bellboard-hook.py" in real.read_text()


@pytest.mark.parametrize("text", ["// a comment\n{}", "[]", '{"hooks": []}'])
def test_what_cannot_be_changed_safely_is_left_as_it_is(home: Path, text: str) -> None:
    settings = home / ".claude" / "settings.json"
    settings.parent.mkdir()
    settings.write_text(text)
    with pytest.raises(HookError, match="nothing was changed"):
        do(home, "install", "claude")
    assert settings.read_text() == text


def test_an_agent_we_know_no_hooks_of_is_a_usage_error(home: Path) -> None:
    with pytest.raises(UsageError, match="no hooks are known for 'pi'"):
        do(home, "install", "pi")

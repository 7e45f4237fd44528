from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from bellboard.supervisor.config import BUILT_IN, Board, Config, HealthRules, Limits, Restart, SourceConfig, Work
from bellboard.supervisor.config_file import build, default_path, default_state_dir, read, source_config
from bellboard.supervisor.errors import ConfigError
from bellboard.supervisor.units import Seconds, Size

KNOWN = frozenset((*BUILT_IN, "mock"))

DEFAULT = Config(
    state_dir="/home/anna/.local/state/bellboard",
    runtime_dir="/run/bb",
    board=Board(since=Seconds(86400), stale_after=Seconds(3600), retention=Seconds(86400)),
    restart=Restart(first=Seconds(0.5), most=Seconds(60), at_least=Seconds(0.5), probe=Seconds(300)),
    work=Work(sweep=Seconds(1), sweep_watched=Seconds(60), pulse=Seconds(0.5), beat=Seconds(2), watch=True, credit=8),
    health=HealthRules(degraded=1, failed=5),
    sources={name: SourceConfig() for name in BUILT_IN},
)


@pytest.fixture(autouse=True)
def _plain_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BELLBOARD_CONFIG", "BELLBOARD_STATE_DIR", "XDG_CONFIG_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", "/home/anna")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def config(path: Path, text: str, **flags: Any) -> Config:
    """The settings that come of a file of this text and these flags."""
    path.write_text(text)
    chosen: dict[str, Any] = {"runtime_dir": "/run/bb", **flags}
    return build(read(str(path), KNOWN), **chosen)


def test_an_empty_file_and_none_at_all_are_the_defaults(path: Path) -> None:
    assert config(path, "") == DEFAULT
    assert build(read(None, KNOWN), runtime_dir="/run/bb") == DEFAULT


def test_every_setting_can_be_written_into_the_file(path: Path) -> None:
    text = """
        state_dir = "/var/bb"
        [board]
        since = "all"
        stale_after = "15m"
        retention = 7200
        [restart]
        first = 1
        most = "2m"
        at_least = 0.25
        probe = "1m"
        [work]
        sweep = "3s"
        sweep_watched = "5m"
        pulse = 0.5
        beat = 1
        watch = false
        credit = 4
        [limits]
        suspect = 5
        hung = "20s"
        starved = "1m"
        memory_soft = "1.5GiB"
        memory_hard = "all"
        [health]
        degraded = 2
        failed = 9
        [sources.codex]
        enabled = false
        [sources.gemini]
        home = "/elsewhere"
        [sources.mock]
        sessions = 3
        [sources.mine]
        factory = "my_source:Source"
        folder = "/mine"
    """
    assert config(path, text) == Config(
        state_dir="/var/bb",
        runtime_dir="/run/bb",
        board=Board(since=Seconds("inf"), stale_after=Seconds(900), retention=Seconds(7200)),
        restart=Restart(first=Seconds(1), most=Seconds(120), at_least=Seconds(0.25), probe=Seconds(60)),
        work=Work(
            sweep=Seconds(3), sweep_watched=Seconds(300), pulse=Seconds(0.5), beat=Seconds(1), watch=False, credit=4
        ),
        limits=Limits(
            suspect=Seconds(5),
            hung=Seconds(20),
            starved=Seconds(60),
            memory_soft=Size(3 << 29),
            memory_hard=Size(0),
        ),
        health=HealthRules(degraded=2, failed=9),
        sources={
            **{name: SourceConfig() for name in BUILT_IN if name != "codex"},
            "gemini": SourceConfig(options={"home": "/elsewhere"}),
            "mine": SourceConfig(factory="my_source:Source", options={"folder": "/mine"}),
            "mock": SourceConfig(options={"sessions": 3}),
        },
    )


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "stat_dir = '/x'",
            "line 1: unknown key `stat_dir`: did you mean `state_dir`? (known: state_dir, runtime_dir, privacy",
        ),
        ("[bord]", "line 1: unknown key `bord`: did you mean `board`? (known: "),
        (
            "[board]\nstail_after = 3",
            "line 2: unknown key `stail_after` in [board]: did you mean `stale_after`? (known: since, ",
        ),
        (
            "[restart]\nlast = 3",
            "line 2: unknown key `last` in [restart]: did you mean `at_least`? (known: first, most, at_least, probe)",
        ),
        ("[work]\ncredits = 3", "line 2: unknown key `credits` in [work]: did you mean `credit`? (known: sweep"),
        (
            "[health]\nfail = 3",
            "line 2: unknown key `fail` in [health]: did you mean `failed`? (known: degraded, failed)",
        ),
        ("[board]\nstale_after = 'soon'", "'soon' is no duration: write seconds, or a number with s, m, h or d"),
        ("[board]\nretention = -3", "line 2: board.retention: -3 is no duration: it must be 0 or more"),
        ("[board]\nretention = nan", "nan is no duration: it must be 0 or more"),
        ("[board]\nsince = true", "True is no duration"),
        ("[work]\nwatch = 1", "line 2: work.watch: write true or false, not a whole number"),
        ("[work]\ncredit = 0", "line 2: work.credit: write a whole number of at least 1"),
        ("[work]\ncredit = 65", "line 2: work.credit: write a whole number of at most 64"),
        ("[health]\nfailed = 0", "line 2: health.failed: write a whole number of at least 1"),
        ("[limits]\nhung = 5", "`suspect`, `hung` and `starved` must be in this order"),
        ("[limits]\nmemory_hard = '1MiB'", '`memory_hard` must be at least 64MiB, or "all"'),
        ("[limits]\nmemory_soft = '3 MB'", "'3 MB' is no amount of memory: write bytes, or a number with KiB"),
        ("[limits]\nmemory_soft = -1", "-1 is no amount of memory"),
        ("state_dir = 3", "line 1: state_dir: write a text, not a whole number"),
        ("board = 3", "line 1: board: write a table, not a whole number"),
        ("[sources]\nclaude = true", "line 1: sources: write a table, not true or false"),
        ("[board\n", "is not valid TOML: "),
        ("[board]\n[board]\n", "is not valid TOML: "),
        (
            "[sources.nobody]",
            f"unknown source `nobody` - installed are {', '.join(BUILT_IN)}; another one needs `factory = ",
        ),
        ("[sources.mine]\nfactory = 'mine'", 'sources.mine.factory: write it as "package.module:callable"'),
        ("[sources.mine]\nfactory = 3", 'sources.mine.factory: write it as "package.module:callable"'),
        ("[sources.claude]\n\nhome = 3", "line 3: sources.claude.home: write a folder, or a list of folders"),
        ("[sources.pi]\nhome = ['/x', 3]", "line 2: sources.pi.home: write a folder, or a list of folders"),
        ("[sources.claude]\nenabled = 'no'", "sources.claude.enabled: write true or false"),
        (
            "[sources.claude]\nhomee = '/x'",
            "line 2: unknown key `homee` in [sources.claude]: did you mean `home`? (known: enabled, home)",
        ),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_path_and_place(path: Path, text: str, sentence: str) -> None:
    with pytest.raises(ConfigError) as caught:
        config(path, text)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)
    assert caught.value.exit_code == 2


def test_a_source_of_somebody_else_may_have_any_options_and_a_built_in_one_with_a_factory_too(path: Path) -> None:
    text = "[sources.mock]\nanything = 1\n[sources.claude]\nfactory = 'a:b'\nanything = 2"
    found = config(path, text).sources
    assert found["mock"] == SourceConfig(options={"anything": 1})
    assert found["claude"] == SourceConfig(factory="a:b", options={"anything": 2})


def test_bytes_that_are_no_text_are_no_toml(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="is not valid TOML: "):
        read(str(path), KNOWN)


@pytest.mark.parametrize("by", ["flag", "environment"])
def test_a_file_that_was_named_has_to_be_there(path: Path, monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    if by == "environment":
        monkeypatch.setenv("BELLBOARD_CONFIG", str(path))
    with pytest.raises(ConfigError, match=f"there is no configuration file {path}"):
        read(str(path) if by == "flag" else None, KNOWN)


def test_a_file_that_cannot_be_read_is_said_with_the_systems_reason(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=f"cannot read the configuration file {tmp_path}: Is a directory"):
        read(str(tmp_path), KNOWN)


def test_the_file_is_the_one_of_the_flag_then_of_the_environment_then_the_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    for name in ("flag.toml", "environment.toml", "bellboard/config.toml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'state_dir = "/{name}"')

    assert read(None, KNOWN).state_dir == "/bellboard/config.toml"
    monkeypatch.setenv("BELLBOARD_CONFIG", str(tmp_path / "environment.toml"))
    assert read(None, KNOWN).state_dir == "/environment.toml"
    assert read(str(tmp_path / "flag.toml"), KNOWN).state_dir == "/flag.toml"


def test_the_default_places_are_the_users_own(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (default_path(), default_state_dir()) == (
        "/home/anna/.config/bellboard/config.toml",
        "/home/anna/.local/state/bellboard",
    )
    monkeypatch.setenv("XDG_CONFIG_HOME", "/config")
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert (default_path(), default_state_dir()) == ("/config/bellboard/config.toml", "/state/bellboard")
    monkeypatch.setenv("BELLBOARD_CONFIG", "/named.toml")
    assert default_path() == "/named.toml"


def test_flags_outweigh_the_environment_the_environment_the_file_and_the_file_the_default(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [config(path, "").state_dir, config(path, "state_dir = '/file'").state_dir]
    monkeypatch.setenv("BELLBOARD_STATE_DIR", "/environment")
    found.append(config(path, "state_dir = '/file'").state_dir)
    found.append(config(path, "state_dir = '/file'", state_dir="/flag").state_dir)
    found.append(config(path, "state_dir = '/file'", state_dir="/flag", ephemeral=True).state_dir)
    assert found == ["/home/anna/.local/state/bellboard", "/file", "/environment", "/flag", None]


def test_folders_are_absolute_and_a_tilde_is_the_home(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(path.parent)
    made = config(path, "", state_dir="~/state", runtime_dir="run")
    assert (made.state_dir, made.runtime_dir) == ("/home/anna/state", f"{path.parent}/run")


def test_sources_given_by_flag_are_the_only_ones_and_run_even_if_the_file_says_no(path: Path) -> None:
    text = "[sources.claude]\nenabled = false\nhome = '/file'\n[sources.mine]\nfactory = 'a:b'\nx = 1\nhome = '/mine'"
    only = {"mine": None, "claude": "/flag", "mock": "/mock"}
    assert config(path, text, only=only) == structs.replace(
        DEFAULT,
        sources={
            "claude": SourceConfig(options={"home": "/flag"}, named=True),
            "mine": SourceConfig(factory="a:b", options={"x": 1, "home": "/mine"}),
            "mock": SourceConfig(options={"home": "/mock"}, named=True),
        },
    )
    assert list(config(path, text).sources) == sorted({*BUILT_IN, "mine"} - {"claude"})


def test_a_table_is_split_into_what_we_need_and_what_the_source_does() -> None:
    assert source_config({}) == SourceConfig()
    assert source_config({"enabled": False, "factory": "a:b", "home": "/x", "n": 1}) == SourceConfig(
        enabled=False, factory="a:b", options={"home": "/x", "n": 1}
    )

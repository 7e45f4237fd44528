import tomllib
from pathlib import Path
from typing import Any

import pytest

from bellboard.supervisor.config import Config, SourceConfig
from bellboard.supervisor.config_file import build, known_keys, read
from bellboard.supervisor.settings import ABOUT, document, duration, size, toml
from bellboard.supervisor.units import seconds
from bellboard.supervisor.units import size as read_size
from bellboard.supervisor.views.document import Origin

KNOWN = frozenset(("claude", "codex", "notes"))


def config(path: Path, text: str, only: dict[str, str | None] | None = None) -> tuple[Config, dict[str, Any]]:
    path.write_text(text)
    return build(read(str(path), KNOWN), installed=("claude",), only=only, runtime_dir="/run/bb"), tomllib.loads(text)


def test_every_key_of_the_file_has_its_unit_and_its_meaning_and_no_other_has() -> None:
    keys = [f"{table}.{key}" if table else key for table, inner in known_keys().items() for key in inner]
    assert list(ABOUT) == [key for key in keys if key not in known_keys() and key != "sources"]
    assert all(unit and about for unit, about in ABOUT.values())


@pytest.mark.parametrize("text", ["0s", "0.5s", "10s", "1m", "90s", "24h", "36h", "all"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert duration(seconds(text)) == text


@pytest.mark.parametrize("text", ["1B", "3KiB", "256MiB", "2GiB", "all"])
def test_an_amount_of_memory_is_written_as_it_is_read(text: str) -> None:
    assert size(read_size(text)) == text


def test_each_value_says_whose_it_is(tmp_path: Path) -> None:
    text = '[board]\nsince = "all"\n[sources.claude]\nhome = "/a"\n[sources.codex]\nenabled = false\nhome = "/c"\n'
    made, said = config(tmp_path / "c.toml", text)
    given: dict[str, Origin] = {"runtime_dir": "environment", "state_dir": "flag"}
    shown = document(made, "/c.toml", said, given)
    found = {each.key: (each.value, each.default, each.origin) for each in shown.settings}
    wanted = {
        "runtime_dir": ("/run/bb", None, "environment"),
        "board.since": ("all", "24h", "file"),
        "board.retention": ("24h", "24h", "default"),
        "limits.memory_hard": ("512MiB", "512MiB", "default"),
        "sources.claude.enabled": (True, True, "default"),
        "sources.claude.home": ("/a", None, "file"),
        "sources.codex.enabled": (False, True, "file"),
        "sources.codex.home": ("/c", None, "file"),
    }
    assert (shown.schema_version, shown.file, found["state_dir"][2]) == (1, "/c.toml", "flag")
    assert {key: found[key] for key in wanted} == wanted


def test_a_source_that_a_flag_chose_is_the_flags(tmp_path: Path) -> None:
    text = '[sources.claude]\nhome = "/a"\n[sources.notes]\nfactory = "a:b"\nnumber = 3\n'
    made, said = config(tmp_path / "c.toml", text, only={"claude": "/b", "notes": None})
    shown = document(made, None, said, {"sources.claude": "flag", "sources.notes": "flag"})
    assert [(each.key, each.value, each.origin) for each in shown.settings if each.key.startswith("sources.")] == [
        ("sources.claude.enabled", True, "flag"),
        ("sources.claude.home", "/b", "flag"),
        ("sources.notes.enabled", True, "flag"),
        ("sources.notes.factory", "a:b", "file"),
        ("sources.notes.number", 3, "file"),
    ]


def test_what_is_shown_is_a_file_that_says_the_same(tmp_path: Path) -> None:
    text = """
        privacy = "names"
        [limits]
        memory_soft = "all"
        [sources.notes]
        factory = "a:b"
        text = "a \\"quoted\\" \\\\ and ü\\u007f"
        list = [1, 2.5, true]
        when = 2026-01-02T03:04:05Z
        inner = { "a b" = 1, c = [{}] }
    """
    made, said = config(tmp_path / "c.toml", text)
    shown = toml(document(made, None, said, {}))
    again, _ = config(tmp_path / "d.toml", shown)
    assert again == made
    assert again.sources["notes"].options["text"] == 'a "quoted" \\ and ü\x7f'


def test_what_is_not_set_is_a_comment() -> None:
    made = Config(state_dir=None, runtime_dir="/r", sources={"claude": SourceConfig()})
    assert "# state_dir is not set  # flag" in toml(document(made, None, {}, {"state_dir": "flag"})).splitlines()

"""Each source says where it looks, and who chose that."""

import json
from pathlib import Path

import pytest

from bellboard.sources.catalog import load
from bellboard.sources.contract import Place, Placed

CASES = [
    ("claude", "CLAUDE_CONFIG_DIR", "", ".claude"),
    ("codex", "CODEX_HOME", "", ".codex"),
    ("gemini", "GEMINI_CLI_HOME", "/.gemini", ".gemini"),
    ("opencode", "XDG_DATA_HOME", "/opencode", ".local/share/opencode"),
    ("pi", "PI_CODING_AGENT_DIR", "", ".pi/agent"),
]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for _, variable, _, _ in CASES:
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def places(name: str, **options: object) -> list[Place]:
    source = load(name, None, dict(options))
    assert isinstance(source, Placed)
    return list(source.where())


@pytest.mark.parametrize(("name", "variable", "below", "default"), CASES)
def test_the_default_a_variable_and_a_setting_are_told_apart(
    name: str, variable: str, below: str, default: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert places(name) == [Place(path=f"{home}/{default}", why="default")]
    monkeypatch.setenv(variable, "/chosen")
    assert places(name) == [Place(path=f"/chosen{below}", why=variable)]
    assert places(name, home=["/one", "/two"]) == [Place(path=each, why="setting") for each in ("/one", "/two")]
    assert places(name, home="/one") == [Place(path="/one", why="setting")]


@pytest.mark.parametrize(
    ("settings", "days"),
    [
        ({"cleanupPeriodDays": 7}, "7"),
        ({"cleanupPeriodDays": 0.5, "hooks": {}}, "0.5"),
        ({"cleanupPeriodDays": 30}, None),
        ({"cleanupPeriodDays": 0}, None),
        ({"cleanupPeriodDays": "7"}, None),
        ({}, None),
        ("nonsense", None),
        (None, None),
    ],
)
def test_that_claude_deletes_transcripts_soon_is_told(settings: object, days: str | None, home: Path) -> None:
    path = home / ".claude" / "settings.json"
    path.parent.mkdir()
    if settings is not None:
        path.write_text(json.dumps(settings))
    (place,) = places("claude")
    said = f"cleanupPeriodDays is {days}: Claude Code deletes transcripts after that many days"
    mend = f'set "cleanupPeriodDays": 365 in {path}'
    assert (place.remark, place.mend) == ((said, mend) if days is not None else ("", ""))

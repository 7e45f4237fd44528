"""The size of the window is what the client says, else what was seen, else what the table says, else not known."""

import pytest

from bellboard.sources.claude.window import LARGE, SMALL, table, window


@pytest.mark.parametrize(
    ("model", "size"),
    [
        ("claude-opus-5-5", LARGE),
        ("claude-opus-4-8-20260401", LARGE),
        ("claude-opus-4-7", LARGE),
        ("claude-sonnet-5", LARGE),
        ("claude-haiku-5-5", LARGE),
        ("claude-fable-1", LARGE),
        ("claude-mythos-2-1", LARGE),
        ("claude-opus-4-20250514", SMALL),
        ("claude-opus-4-1-20250805", SMALL),
        ("claude-opus-4-6", SMALL),
        ("claude-sonnet-4-5-20250929", SMALL),
        ("claude-haiku-4-5-20251001", SMALL),
        ("claude-3-5-sonnet-20241022", SMALL),
        ("claude-3-opus-20240229", SMALL),
        ("us.anthropic.claude-sonnet-4-5-20250929-v1:0", SMALL),
        ("claude-opus-4-5@20251101", SMALL),
        ("claude-opus-9", None),
        ("glm-4.6", None),
        ("", None),
    ],
)
def test_the_table_knows_names_with_and_without_dates(model: str, size: int | None) -> None:
    assert table(model) == size


def test_what_the_client_asked_for_is_reported() -> None:
    assert window("claude-sonnet-4-5", "claude-sonnet-4-5[1m]", [], 10) == (LARGE, "reported")
    assert window("claude-sonnet-4-5", None, ["claude-sonnet-4-5"], 10) == (LARGE, "reported")
    assert window("claude-sonnet-4-5", "claude-sonnet-4-5", ["claude-sonnet-4-5"], 10) == (SMALL, "table")


def test_holding_more_than_the_table_allows_is_an_observation() -> None:
    assert window("claude-sonnet-4-5", None, [], 200_000) == (SMALL, "table")
    assert window("claude-sonnet-4-5", None, [], 200_001) == (LARGE, "observed")
    assert window("claude-opus-5", None, [], 999_999) == (LARGE, "table")


def test_an_unknown_model_has_an_unknown_window_until_it_holds_much() -> None:
    assert window("glm-4.6", None, [], 150_000) == (None, "unknown")
    assert window("glm-4.6", None, [], 200_001) == (LARGE, "observed")

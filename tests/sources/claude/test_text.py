"""Words are made harmless before they leave, and times are made datetimes or nothing."""

from datetime import UTC, datetime

import pytest

from bellboard.sources.claude.text import first_line, moment, moment_of_millis, plain


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("main", "main"),
        ("\x1b[31mred\x07", "[31mred"),
        ("a\0b\nc\td\x7f\x9b", "abcd"),
        ("a\ud83db", "ab"),
        ("a\u2028b\u202ec\u200b", "abc"),
        ("Grüße, 世界 \U0001f600", "Grüße, 世界 \U0001f600"),
        ("x" * 500, "x" * 200),
        ("ü" * 500, "ü" * 200),
    ],
)
def test_only_what_can_be_shown_is_kept(text: str, shown: str) -> None:
    assert plain(text) == shown


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("Fix the test\nplease", "Fix the test"),
        ("\n \t\n  Fix\tit  \n", "Fix it"),
        ("\x1b\0\n\u200b\nFix", "Fix"),
        ("", ""),
        ("\n\n", ""),
        ("word " * 40, ("word " * 16).rstrip()),
    ],
)
def test_a_title_is_the_first_line_that_shows_anything(text: str, title: str) -> None:
    assert first_line(text) == title


@pytest.mark.parametrize(
    ("iso", "time"),
    [
        ("2026-11-22T12:00:00.250Z", datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)),
        ("2026-11-22T14:00:00+02:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("2026-11-22T12:00:00", datetime(2026, 11, 22, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("yesterday", None),
        ("", None),
        (None, None),
    ],
)
def test_a_time_is_in_utc_or_not_known(iso: str | None, time: datetime | None) -> None:
    assert moment(iso) == time


@pytest.mark.parametrize("millis", [None, float("nan"), float("inf"), 1e30, -1e30])
def test_milliseconds_that_are_no_time_are_not_known(millis: float | None) -> None:
    assert moment_of_millis(millis) is None


def test_milliseconds_are_counted_from_1970() -> None:
    assert moment_of_millis(1_795_348_800_250) == datetime(2026, 11, 22, 12, 0, 0, 250_000, UTC)

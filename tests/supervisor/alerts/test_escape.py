import base64
from datetime import UTC, datetime

import pytest
from msgspec import structs

from bellboard.supervisor.alerts.escape import Dialect, dialect, sequence
from bellboard.supervisor.alerts.wording import Notice

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
RING = Notice(action="ring", key="session/pi/a b;c", at=NOW, headline="pi asks; now", text="4s ago\nits title")
OVER = Notice(action="retract", key="session/pi/a b;c", at=NOW)


@pytest.mark.parametrize(
    ("environ", "spoken"),
    [
        ({}, "bell"),
        ({"TERM": "xterm-256color"}, "bell"),
        ({"TERM": "xterm-kitty", "KITTY_WINDOW_ID": "1"}, "osc99"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "iTerm.app"}, "osc9"),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "WezTerm"}, "osc777"),
        ({"TERM": "xterm-ghostty"}, "osc777"),
        ({"TERM": "foot"}, "osc777"),
        ({"TERM": "rxvt-unicode-256color"}, "osc777"),
        ({"TERM": "xterm-256color", "WT_SESSION": "x"}, "osc9"),
        ({"TERM": "tmux-256color", "TMUX": "/x", "KITTY_WINDOW_ID": "1"}, "bell"),
        ({"TERM": "screen", "TERM_PROGRAM": "WezTerm"}, "bell"),
    ],
)
def test_the_dialect_is_what_the_terminal_is_known_to_understand(environ: dict[str, str], spoken: Dialect) -> None:
    assert dialect(environ) == spoken


@pytest.mark.parametrize(
    ("spoken", "written"),
    [
        ("bell", "\a"),
        ("osc9", "\x1b]9;pi asks; now: 4s ago; its title\x1b\\\a"),
        ("osc777", "\x1b]777;notify;pi asks, now;4s ago; its title\x1b\\\a"),
    ],
)
def test_terminals_without_identifiers_are_told_once_and_nothing_is_taken_back(spoken: Dialect, written: str) -> None:
    assert sequence(RING, spoken, tmux=False) == written
    assert sequence(OVER, spoken, tmux=False) == ""


def test_a_text_that_begins_with_a_number_is_no_command_of_osc_9() -> None:
    summary = structs.replace(RING, headline="2 sessions need you", text="")
    assert sequence(summary, "osc9", tmux=False) == "\x1b]9;bellboard: 2 sessions need you: \x1b\\\a"


def test_osc_99_names_the_notification_so_that_it_is_replaced_and_closed() -> None:
    first, second, rest = sequence(RING, "osc99", tmux=False).split("\x1b\\")
    name = first.removeprefix("\x1b]99;i=").partition(":")[0]
    assert name.replace("-", "").isalnum()
    assert first.startswith(f"\x1b]99;i={name}:d=0:e=1:u=1;")
    assert second.startswith(f"\x1b]99;i={name}:d=1:e=1:p=body;")
    assert [base64.b64decode(part.rpartition(";")[2]).decode() for part in (first, second)] == [
        "pi asks; now",
        "4s ago\nits title",
    ]
    assert rest == ""
    assert sequence(OVER, "osc99", tmux=False) == f"\x1b]99;i={name}:p=close;\x1b\\"


def test_within_tmux_it_is_wrapped_for_the_terminal_outside() -> None:
    assert sequence(RING, "osc9", tmux=True) == (
        "\x1bPtmux;\x1b\x1b]9;pi asks; now: 4s ago; its title\x1b\x1b\\\x1b\\\a"
    )

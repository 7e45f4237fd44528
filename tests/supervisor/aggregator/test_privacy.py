import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellboard.supervisor.aggregator.privacy import TEXT_LIMIT, redact


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("", ""),
        ("exit code 1", "exit code 1"),
        ("  first line \nsecond line", "first line "),
        ("no file /home/anna/x", "no file ~/x"),
        ("no file /Users/anna/x", "no file ~/x"),
        ("no file /root/x and /home/anna", "no file ~/x and ~"),
        ("'/home/anna/notes/deep/er/file.txt' is gone", "'~/notes/...' is gone"),
        ("in /home/anna/a/b", "in ~/a/b"),
        ("/home/a/1/2/3, /home/b/4/5/6: no", "~/1/..., ~/4/...: no"),
        ("/rooted and /homely and /usr/share/doc/x/y", "/rooted and /homely and /usr/share/doc/x/y"),
        ("colour \x1b[31mred\x1b[0m bell\x07", "colour  [31mred [0m bell "),
        ("carriage\rreturn\ttab", "carriage return tab"),
        ("right-to-left \u202eevil, no-break\u00a0space", "right-to-left  evil, no-break space"),
        ("grüße 你好 🙂", "grüße 你好 🙂"),
        ("x" * 400, "x" * 297 + "..."),
        ("x" * 300, "x" * 300),
    ],
)
def test_a_text_is_one_printable_line_without_anybodys_home(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    ("home", "text", "redacted"),
    [
        ("/data/anna", "no file /data/anna/x, /data/annabel/x", "no file ~/x, /data/annabel/x"),
        ("/data/anna/", "in /data/anna.", "in ~."),
        ("/data/anna", "/data/anna/a/b/c/d is gone", "~/a/... is gone"),
        ("/", "no file /opt/x", "no file /opt/x"),
        ("", "no file /opt/x", "no file /opt/x"),
        ("/root", "no file /root/x and /rooted", "no file ~/x and /rooted"),
        ("/data/a+b", "no file /data/a+b/x", "no file ~/x"),
    ],
)
def test_a_home_that_is_elsewhere_is_nobodys_either(home: str, text: str, redacted: str) -> None:
    assert redact(text, home) == redacted


@settings(deadline=None, max_examples=100)
@given(st.text(), st.sampled_from(["/home/anna", "/Users/anna", "/root"]), st.text())
def test_no_text_gets_out_with_a_control_character_or_a_home_in_it(before: str, home: str, after: str) -> None:
    redacted = redact(f"{before} {home}/{after}")
    assert len(redacted) <= TEXT_LIMIT
    assert all(char.isprintable() for char in redacted)
    assert "/home/anna" not in redacted
    assert "/Users/anna" not in redacted
    assert "/root/" not in redacted

import pytest

from bellboard.supervisor.mistakes import line_of, nearest, sentence, unknown_key

TEXT = """# bellboard
state_dir = "/x"
[board]   # what is kept
since = "1h"

[sources."claude"]
 home = "a = b"
work.credit = 3
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("state_dir", 2),
        ("board", 3),
        ("board.since", 4),
        ("board.retention", 3),
        ("sources.claude", 6),
        ("sources.claude.home", 7),
        ("sources.claude.work.credit", 8),
        ("sources", None),
        ("nothing", None),
    ],
)
def test_a_value_is_found_in_its_line_else_where_its_table_begins(path: str, line: int | None) -> None:
    assert line_of(TEXT, path) == line


def test_a_word_that_is_similar_is_offered_and_no_other() -> None:
    assert nearest("stail_after", ("since", "stale_after")) == ": did you mean `stale_after`?"
    assert nearest("zebra", ("since", "stale_after")) == ""
    assert nearest("--jsno", ("--verbose", "--json")) == ": did you mean `--json`?"
    assert nearest("--bogus", ("--verbose", "--json")) == ""


def test_an_unknown_key_is_told_with_its_place_and_what_there_is() -> None:
    assert unknown_key("c.toml", TEXT, "board", "sinse", ("since", "retention")) == (
        "c.toml, line 3: unknown key `sinse` in [board]: did you mean `since`? (known: since, retention)"
    )


@pytest.mark.parametrize(
    ("text", "key", "line"), [("\n[source.claude]\n", "source", 2), ("[[boards]]\n", "boards", 1), ("[a]\n", "b", None)]
)
def test_an_unknown_table_is_found_also_by_one_within_it(text: str, key: str, line: int | None) -> None:
    where = "c.toml" if line is None else f"c.toml, line {line}"
    assert unknown_key("c.toml", text, "", key, ()) == f"{where}: unknown key `{key}` (known: )"


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("Object contains unknown field `x`", "c.toml: unknown key `x` (known: a, b)"),
        ("Object contains unknown field `x` - at `$.board`", "c.toml, line 3: unknown key `x` in [board] (known: c)"),
        ("Expected `int` - at `$.board.since`", "c.toml, line 4: board.since: write a whole number"),
        ("Expected `object` - at `$.sources[...]`", "c.toml: sources: write a table"),
        (
            "Expected `str | array | null`, got `int` - at `$.a`",
            "c.toml: a: write a text or a list, not a whole number",
        ),
        ("Expected `float` >= 0.0 - at `$.a`", "c.toml: a: write a number of at least 0.0"),
        ("Expected `str` matching regex 'x' - at `$.a`", "c.toml: a: Expected `str` matching regex 'x'"),
        (
            "Invalid enum value 'ful' - at `$.board.since`",
            "c.toml, line 4: board.since: there is no `ful`: did you mean `full`? (known: full, names)",
        ),
        ("Invalid enum value 'ful' - at `$.other`", "c.toml: other: Invalid enum value 'ful'"),
        ("something else", "c.toml: something else"),
    ],
)
def test_what_msgspec_says_becomes_a_sentence_with_a_line(error: str, said: str) -> None:
    known, words = {"": ("a", "b"), "board": ("c",)}, {"board.since": ("full", "names")}
    assert sentence("c.toml", TEXT, error, known, words) == said

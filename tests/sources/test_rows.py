"""Lines become rows; a bad line costs only itself."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Raw, Struct

from bellboard.sources.rows import Rows, clean


class Row(Struct):
    """What this test's agent writes."""

    type: str = ""
    count: int | None = None
    extra: Raw = Raw()


ROWS = Rows(Row)


def read(chunk: bytes) -> tuple[list[tuple[str, int | None]], int]:
    rows, bad = ROWS.read(chunk)
    return [(row.type, row.count) for row in rows], bad


def test_whole_lines_become_rows_in_order() -> None:
    assert read(b'{"type":"a","count":1}\n{"type":"b","other":[1]}\n') == ([("a", 1), ("b", None)], 0)
    assert read(b"") == ([], 0)


@pytest.mark.parametrize(
    "line",
    [
        b"not json",
        b'{"type":"a"',
        b"7",
        b'"text"',
        b"null",
        b"[1]",
        b'{"type":5}',
        b'{"count":"many"}',
        b'{"count":1.5}',
        b'{"type":"a\x01b"}',
        b"[" * 200_000 + b"]" * 200_000,
        b'{"extra":' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    ],
    ids=range(12),
)
def test_a_line_that_nobody_understands_is_counted_and_the_others_are_read(line: bytes) -> None:
    assert read(b'{"type":"a"}\n' + line + b'\n{"type":"b"}\n') == ([("a", None), ("b", None)], 1)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        (b'\xef\xbb\xbf{"type":"a"}', ("a", None)),
        (b'\0\0\0{"type":"a"}', ("a", None)),
        (b' \t{"type":"a"}\r', ("a", None)),
        (b'{"type":"a\\ud83db"}', ("a?b", None)),
        (b'{"type":"a\xffb"}', ("a\ufffdb", None)),
        (b'{"type":"a\xe2\x80\xa8b"}', ("a\u2028b", None)),
        (b'{"type":"a","other":"\\ud83d\\u0000"}', ("a", None)),
        (b'{"type":"a","other":NaN,"count":3.0}', ("a", 3)),
        (b'{"type":"a","other":"\\ud83d","count":"7"}', ("a", 7)),
        (b'{"type":"a","other":' + b"9" * 400 + b"}", ("a", None)),
        (b'{"type":"a","type":"b"}', ("b", None)),
    ],
    ids=range(11),
)
def test_an_odd_line_is_understood(line: bytes, row: tuple[str, int | None]) -> None:
    assert read(line + b'\n{"type":"z"}\n') == ([row, ("z", None)], 0)


@pytest.mark.parametrize("beside", [b"", b"garbage\n"])
def test_rows_that_lost_the_newline_between_them_are_rows(beside: bytes) -> None:
    rows, bad = read(b'{"type":"a"}{"type":"b"}\n{"type":"c"}\n' + beside)
    assert (rows, bad) == ([("a", None), ("b", None), ("c", None)], 1 if beside else 0)


@pytest.mark.parametrize("nothing", [b"", b"   ", b"\r", b"\0" * 512, b"\xef\xbb\xbf"])
def test_a_line_of_nothing_is_nothing(nothing: bytes) -> None:
    assert read(b'{"type":"a"}\n' + nothing + b'\n{"type":"b"}\n') == ([("a", None), ("b", None)], 0)


def test_a_field_kept_as_text_survives_the_patient_reader() -> None:
    (row,), bad = ROWS.read(b'{"type":"\\ud83d","extra":{"a":[1,"\xc3\xbc"]}}\n')
    assert (bytes(row.extra), bad) == ('{"a":[1,"ü"]}'.encode(), 0)


def test_lone_surrogates_are_taken_out_wherever_they_are() -> None:
    assert clean({"a\ud800": ["\udfffb", {"c": "d\ud83d"}], "n": 1, "x": None}) == {
        "a?": ["?b", {"c": "d?"}],
        "n": 1,
        "x": None,
    }


GOOD = st.integers(0, 99).map(lambda number: json.dumps({"type": "t", "count": number}).encode())
ANY = st.binary(max_size=30).map(lambda line: line.replace(b"\n", b""))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(GOOD | ANY, max_size=20))
def test_no_chunk_is_too_odd_and_no_good_line_is_lost(lines: list[bytes]) -> None:
    rows, bad = ROWS.read(b"".join(line + b"\n" for line in lines))
    good = [line for line in lines if line.startswith(b'{"type": "t"')]
    assert len(good) <= len(rows) <= len(lines) - bad
    assert [row.count for row in rows if row.type == "t"] == [json.loads(line)["count"] for line in good]

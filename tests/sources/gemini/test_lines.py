"""Bad lines: each costs only itself."""

import json
from pathlib import Path

import pytest
from gemini_home import SESSION, Home, at, call, gemini, header, info, lines, set_, user

STATE = ("activity", "message_count", "tool_call_count", "unknown_records")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / ".gemini")


def append(home: Home, data: bytes) -> None:
    with home.path().open("ab") as file:
        file.write(data)


@pytest.mark.parametrize(
    "line",
    [
        b"garbage", b'{"id":', b"[1]", b"5", b"null", b'"text"', b"\xff\xfe", b"{}", b'{"$set":null}', b'{"what":1}',
        b'{"id":5}', b'{"id":"x"}', b'{"id":"x","type":null}', b'{"id":"x","type":"video"}', b'{"$set":5}',
        b'{"id":"x","type":"gemini","tokens":{"input":"many"}}', b'{"projectHash":"0"}', b"[" * 5000,
        b'{"id":"x","type":"user","content":{"text":5}}', b'{"$set":{"messages":{}}}',
    ],
)  # fmt: skip
def test_a_line_that_is_none_is_counted_and_the_others_are_read(home: Home, line: bytes) -> None:
    home.write(header(), user("u", 1))
    append(home, line + b"\n")
    home.write(gemini("g", 2, "Yes.", [call("t")]))
    assert home.shown(*STATE) == ("working", 2, 1, 1)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"   ", b"\0\0\0", b'{"$set":{}}', b'{"$set":{"messages":null}}',
        b'{"$set":{"messages":[user],"summary":null}}'.replace(b"user", json.dumps(user("u", 1)).encode()),
        b'{"id":"i","type":"info"}', b'{"id":"u","type":"user","content":"x"}', b'{"$set":{"memoryScratchpad":{"a":1}}}',
        b'{"sessionId":"1f0c24aa-0000-4000-8000-000000000001","projectHash":null,"startTime":null,"directories":[null]}',
    ],
)  # fmt: skip
def test_a_line_that_says_nothing_new_is_no_drift(home: Home, line: bytes) -> None:
    home.write(header(), user("u", 1))
    append(home, line + b"\n")
    home.write(gemini("g", 2, "Yes.", [call("t")]))
    assert home.shown(*STATE) == ("working", 2, 1, 0)


def test_nulls_where_something_should_stand_do_no_harm(home: Home) -> None:
    nothing = {"timestamp": None, "content": None, "thoughts": None, "model": None}
    home.write(
        header(),
        {"id": "a", "type": "gemini", "tokens": {"input": None, "output": None, "cached": None}, **nothing},
        {"id": "b", "type": "gemini", "tokens": None, "toolCalls": [None, {"id": None}, {"id": None}, {}], **nothing},
        {"id": "c", "type": "user", **nothing, "content": [None, {"text": None}, {"functionResponse": None}]},
        {"id": "d", "type": "user", **nothing, "content": [{"functionResponse": {"response": None}}]},
        {"id": "e", "type": "user", **nothing, "content": [{"functionResponse": {"response": {"error": {"a": 1}}}}]},
        {
            "id": "f",
            "type": "gemini",
            "tokens": {"input": 1.5, "output": -3, "cached": 1e300},
            **nothing,
            "timestamp": "soon",
        },
    )
    assert home.shown(*STATE) == ("working", 2, 3, 0)
    assert home.shown("input_tokens", "output_tokens", "cache_read_tokens", "model") == (1, 0, 1 << 53, None)


def test_a_byte_order_mark_and_foreign_line_ends_do_no_harm(home: Home) -> None:
    append(home, b"\xef\xbb\xbf" + lines(header(), user("u", 1)).replace(b"\n", b"\r\n"))
    assert home.shown(*STATE) == ("working", 1, 0, 0)


def test_a_line_separator_inside_a_text_is_no_end_of_a_line(home: Home) -> None:
    home.write(header())
    append(home, json.dumps(user("u", 1, "a\u2028b\x85c"), ensure_ascii=False).encode() + b"\n")
    append(home, b"garbage\n")
    assert home.shown(*STATE) == ("working", 1, 0, 1)


def test_lone_surrogates_are_replaced(home: Home) -> None:
    home.write(header(), user("u", 1, "a\ud83d"), gemini("g\udc00", 2, "x", model="m\ud800"))
    home.write(gemini("g\udc00", 2, "x", [call("t")]))
    assert home.shown(*STATE, "title", "model") == ("working", 2, 1, 0, "a?", "gemini-2.5-pro")


def test_a_line_longer_than_the_limit_is_passed_over(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.tail.LINE_LIMIT", 4096)
    monkeypatch.setattr("bellboard.sources.tail.READ_LIMIT", 512)
    monkeypatch.setattr("bellboard.sources.gemini.source.READ_LIMIT", 512)
    home.write(header(), user("u", 1), user("v", 2, "x" * 100_000), gemini("g", 3, "Yes."))
    assert home.shown("activity", "message_count", "unknown_records") == ("waiting", 2, 1)


def test_a_list_of_messages_longer_than_the_limit_is_no_drift(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bellboard.sources.tail.LINE_LIMIT", 4096)
    monkeypatch.setattr("bellboard.sources.tail.READ_LIMIT", 512)
    monkeypatch.setattr("bellboard.sources.gemini.source.READ_LIMIT", 512)
    rebuilt = set_(messages=[user("u", 1, "x" * 10_000)])
    home.write(header(), user("u", 1), rebuilt)
    assert home.shown(*STATE) == ("waiting", 1, 0, 0)
    home.write(user("v", 2))
    assert home.shown(*STATE) == ("working", 2, 0, 0)
    home.write(info("i", 3), rebuilt)
    assert home.shown(*STATE) == ("waiting", 2, 0, 0)


def test_a_torn_last_line_waits_for_its_end(home: Home) -> None:
    whole = lines(gemini("g", 2, "Yes."))
    home.write(header(), user("u", 1))
    append(home, whole[:20])
    assert home.shown(*STATE) == ("working", 1, 0, 0)
    append(home, whole[20:])
    assert home.shown(*STATE) == ("waiting", 2, 0, 0)


@pytest.mark.parametrize("time", ["soon", "", "9999", "2026-13-45T99:99:99Z", "2026-01-02T03:04:09", at(9)])
def test_times_that_are_none_stay_unknown(home: Home, time: str) -> None:
    home.write(header(startTime=time, lastUpdated=time), user("u", 1, timestamp=time))
    got = home.read()[SESSION]
    readable = "T03:04:09" in time
    assert [got.get(name) is not None for name in ("started_at", "last_activity_at")] == [readable, readable]
    assert got["evidence"].since == (got["last_activity_at"] if readable else None)

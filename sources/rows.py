"""Rows: whole lines of JSON become typed records, and one bad line costs only itself.

The fast way decodes a whole chunk at once (`decode_lines`, the fastest honest reader measured). It fails the chunk on
one bad line, so that chunk is then read line by line, and a line that even a lenient reader cannot understand is
counted. The counterpart is `tail.py`, which brings the chunks.
"""

import json
from typing import Any, Generic, TypeVar, cast

import msgspec

Row = TypeVar("Row", bound=msgspec.Struct)


class Rows(Generic[Row]):
    """A decoder of one agent's rows: `Rows(RowStruct).read(chunk)`."""

    def __init__(self, shape: type[Row]) -> None:
        self._one = msgspec.json.Decoder(shape)
        self._patient = msgspec.json.Decoder(shape, strict=False)

    def read(self, chunk: bytes) -> tuple[list[Row], int]:
        """Decode whole lines. Returns the rows, in order, and how many lines were not understood."""
        if not chunk:
            return [], 0
        try:
            return self._one.decode_lines(chunk), 0
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return self._line_by_line(chunk)

    def _line_by_line(self, chunk: bytes) -> tuple[list[Row], int]:
        rows: list[Row] = []
        bad = 0
        # On b"\n" only, before decoding: JSON leaves U+2028 and its like raw, str.splitlines would cut there.
        for raw in chunk.split(b"\n"):
            line = raw.strip(b"\0\r\t ").removeprefix(b"\xef\xbb\xbf")
            if not line:
                continue
            found = self._lenient(line)
            rows += found
            bad += not found
        return rows, bad

    def _lenient(self, line: bytes) -> list[Row]:
        """Decode one line. Two rows that lost the newline between them are two rows, as they are in a whole chunk."""
        try:
            return self._one.decode_lines(line)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            pass  # the second, more patient reader below decides
        try:
            # The standard library accepts lone surrogates, which old clients wrote; `clean` takes them out again.
            value = json.loads(line.decode("utf-8", "replace"))
            # Written out again instead of converted: a field kept as `Raw` exists only in text.
            return [self._patient.decode(msgspec.json.encode(clean(value)))] if isinstance(value, dict) else []
        except (ValueError, OverflowError, msgspec.MsgspecError, RecursionError):
            return []


def clean(value: Any) -> Any:
    """Replace what cannot be written as UTF-8 again (lone surrogates) in every text of a decoded JSON value."""
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, dict):
        return {clean(key): clean(inner) for key, inner in cast("dict[Any, Any]", value).items()}
    if isinstance(value, list):
        return [clean(inner) for inner in cast("list[Any]", value)]
    return value

"""Any value that the type of a field of ours allows, for properties that hold for all of them."""

import types
import typing
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec
from hypothesis import strategies as st

from bellboard.protocol.ask import Number
from bellboard.protocol.update import Delta

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    str: st.text(max_size=20),
    bool: st.booleans(),
    bytes: st.binary(max_size=32),
    float: st.floats(allow_nan=False, allow_infinity=False),
    type(None): st.none(),
    msgspec.UnsetType: st.just(msgspec.UNSET),
    datetime: st.datetimes(timezones=st.just(UTC)),
    Any: st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=5,
    ),
}


def values(kind: Any) -> st.SearchStrategy[Any]:
    """Any value that the type of a field allows."""
    if kind == Delta:
        return st.integers(0, 1 << 40)
    if kind == Number:
        return st.integers(0, 1 << 53)
    if kind in PLAIN:
        return PLAIN[kind]
    if hasattr(kind, "__struct_fields__"):
        return st.builds(kind, **{each.name: values(each.type) for each in msgspec.structs.fields(kind)})
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is typing.Annotated:
        return values(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        return st.one_of([values(each) for each in arguments])
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(values(arguments[0]), values(arguments[1]), max_size=2)
    raise NotImplementedError(kind)

"""Roles: what a piece of text means. It imports nothing, so that also plain tables may use the board's words."""

from typing import Literal, TypeAlias

Role: TypeAlias = Literal[
    "plain",
    "dim",
    "strong",
    "brand",
    "needs",
    "working",
    "waiting",
    "idle",
    "ended",
    "good",
    "warn",
    "bad",
    "track",
    "key",
    "heading",
]

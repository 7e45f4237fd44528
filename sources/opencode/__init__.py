"""OpenCode: the sessions in its databases (1.2 and later) and in the tree of JSON files that came before."""

from .source import OpenCodeSource, register

__all__ = ["OpenCodeSource", "register"]

"""Gemini CLI: sessions from `~/.gemini`, in the append-only format and in the older documents."""

from .source import GeminiSource, register

__all__ = ["GeminiSource", "register"]

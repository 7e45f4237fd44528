"""Codex CLI: the threads below `$CODEX_HOME`, as clients 0.20 to 0.169 write them."""

from .source import CodexSource, register

__all__ = ["CodexSource", "register"]

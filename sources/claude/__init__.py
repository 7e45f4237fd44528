"""Claude Code: its transcripts below `~/.claude/projects` and its register of living sessions."""

from .source import ClaudeSource, register

__all__ = ["ClaudeSource", "register"]

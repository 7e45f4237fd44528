"""Page: what one command's help says besides its options, and how that is laid out. Pure.

What the pages say stands in `manual.py`; the options that stand between both are laid out by `parser.py`.
"""

import textwrap

from msgspec import Struct

WIDTH = 80
"""Columns that help takes at most, so that it reads the same everywhere."""


class Page(Struct, frozen=True, kw_only=True):
    """What one command's help says. `examples`, `exits` and `environment` say of each what it is good for or means."""

    summary: str
    about: str
    examples: dict[str, str]
    exits: dict[int, str]
    environment: dict[str, str] = {}
    see: tuple[str, ...] = ()

    @property
    def description(self) -> str:
        """The paragraphs above the options."""
        return "\n\n".join(filled(part) for part in self.about.split("\n\n"))

    @property
    def epilog(self) -> str:
        """The sections below the options."""
        exits = {str(code): meaning for code, meaning in sorted({0: "ok", 1: "error", **self.exits}.items())}
        parts = [f"examples:\n{_examples(self.examples)}", f"exit codes:\n{_pairs(exits)}"]
        if self.environment:
            parts.append(f"environment:\n{_pairs(self.environment)}")
        if self.see:
            parts.append("see also:\n  " + ", ".join(self.see))
        return "\n\n".join(parts)


def filled(text: str, indent: str = "") -> str:
    """Return a paragraph in lines that fit."""
    return textwrap.fill(
        " ".join(text.split()), WIDTH - 2, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=False
    )


def _examples(examples: dict[str, str]) -> str:
    return "\n".join(f"  {line}\n{filled(meaning, ' ' * 6)}" for line, meaning in examples.items())


def _pairs(pairs: dict[str, str]) -> str:
    width = max(len(name) for name in pairs) + 2
    return "\n".join(_pair(name, meaning, width) for name, meaning in pairs.items())


def _pair(name: str, meaning: str, width: int) -> str:
    lines = textwrap.wrap(meaning, WIDTH - 4 - width, break_on_hyphens=False)
    return "\n".join(f"  {name if number == 0 else '':<{width}}{line}" for number, line in enumerate(lines))

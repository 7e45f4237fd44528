"""Parser: argparse as we want it: help that fits, and who mistypes a word is asked whether a similar one was meant.

Which words there are stands in `arguments.py`; which words are similar is decided by `mistakes.py`.
"""

import argparse
import re
import shutil
import sys
from typing import Any, NoReturn, Protocol

from .mistakes import nearest
from .page import WIDTH

_NO_CHOICE = re.compile(r"invalid choice: '(.*)' \(choose from (.*)\)$", re.DOTALL)


class Commands(Protocol):
    """What argparse hands out for adding subcommands; its own name for it is private."""

    def add_parser(
        self,
        name: str,
        *,
        help: str,  # noqa: A002 - argparse's word
        description: str,
        epilog: str | None = None,
        formatter_class: type[argparse.HelpFormatter],
    ) -> argparse.ArgumentParser:
        """Add one subcommand."""
        ...


def number(word: str) -> float:
    """Read a number. Raises ArgumentTypeError that says what to write."""
    try:
        return float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{word!r} is no number") from None


class Layout(argparse.RawDescriptionHelpFormatter):
    """Help of at most 80 columns, fewer where the terminal has fewer."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size((WIDTH, 24)).columns
        super().__init__(prog, max_help_position=26, width=min(WIDTH, max(columns, 40)) - 2)


class Parser(argparse.ArgumentParser):
    """A parser that asks whether a word like the one that was typed was meant.

    Each command refuses itself what it does not know, so that the usage that is shown is its own.
    """

    def parse_known_args(self, *args: Any, **options: Any) -> Any:
        """Parse all there is; ends the process if something is left over."""
        found, over = super().parse_known_args(*args, **options)
        if over:
            known = [
                word for action in self._actions if action.help != argparse.SUPPRESS for word in action.option_strings
            ]
            typed = next((word.partition("=")[0] for word in over if word.startswith("-")), "")
            self.error(f"unrecognized arguments: {' '.join(over)}{nearest(typed, known)}")
        return found, over

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write help, version or usage. That what was asked for cannot be written is an error, which argparse hides."""
        if file is sys.stdout:
            file.write(message)
        else:
            super()._print_message(message, file)

    def error(self, message: str) -> NoReturn:
        """End with code 2 and a sentence."""
        found = _NO_CHOICE.search(message)
        super().error(message + (nearest(found[1], re.findall(r"[\w-]+", found[2])) if found else ""))

"""Notices: what an exporter tells the people of its machine, each sentence once for as long as it is so.

What it tells other machines is its `telling.py`.
"""

from collections.abc import Callable


class Notices:
    """What was said last of each topic."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: dict[str, str] = {}

    def about(self, topic: str, sentence: str) -> None:
        """Tell how it is with a topic, unless that is what was told last."""
        if sentence != self._said.get(topic):
            self._say(sentence)
        self._said[topic] = sentence

    def well(self, topic: str) -> None:
        """All is well with a topic: what is told next of it is news."""
        self._said.pop(topic, None)

    def news(self, sentence: str) -> None:
        """Tell what is news each time."""
        self._say(sentence)

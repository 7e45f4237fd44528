"""A proof comes in two sizes: a short one that always runs, and the whole one with `--chaos`, which prints its figures."""

FIGURES: list[str] = []


class Proof:
    """How thorough this run is, and what it found."""

    def __init__(self, name: str, *, full: bool) -> None:
        self.full = full
        self._name = name

    def many(self, short: int, full: int) -> int:
        """Return how many: `short` in the ordinary tests, `full` with `--chaos`."""
        return full if self.full else short

    def figure(self, text: str) -> None:
        """Note a figure; all of them are printed at the end of a run with `--chaos`."""
        FIGURES.append(f"{self._name}: {text}")

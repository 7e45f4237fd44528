"""What the docs promise about the code is compared with the code."""

import re
from pathlib import Path

from bellboard.supervisor.aggregator.lifecycle import TRANSITIONS

DOCS = Path(__file__).parents[1] / "docs"


def test_the_lifecycle_table_of_the_docs_is_the_table_of_the_code() -> None:
    text = (DOCS / "architecture.md").read_text()
    table = text.partition("<!-- lifecycle -->")[2].partition("<!-- /lifecycle -->")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    said = {(now, trigger): (then, tuple(re.split(r",\s*", events))) for now, trigger, then, events in rows}
    assert said == {pair: (step.then, step.events) for pair, step in TRANSITIONS.items()}

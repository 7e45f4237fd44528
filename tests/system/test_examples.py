"""The examples of the docs run as they stand."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from harness import House, wait_for

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def start_with_notes(house: House) -> Path:
    folder = house.homes / "notes"
    folder.mkdir()
    (folder / "shopping.txt").write_text("milk\n")
    (house.root / "notes_source.py").write_text((EXAMPLES / "notes" / "notes_source.py").read_text())
    house.config.write_text(
        f'[work]\nsweep = 0.1\n[sources.notes]\nfactory = "notes_source:Notes"\nhome = "{folder}"\n'
    )
    house.start("--source", "notes")
    wait_for(lambda: house.sessions().get("shopping"), what="the session of the example source")
    return folder / "shopping.txt"


def test_the_example_source_counts_its_lines(house: House) -> None:
    notes = start_with_notes(house)
    with notes.open("a") as file:
        file.write("bread\n")
    wait_for(lambda: house.sessions()["shopping"]["message_count"] == 2, what="the second line")


@pytest.mark.parametrize(
    ("example", "expected"), [("follow.py", "1 sessions on the board"), ("follow_async.py", "snapshot")]
)
def test_the_subscriber_examples_follow_the_board(house: House, example: str, expected: str) -> None:
    start_with_notes(house)
    out = house.root / "out.txt"
    with out.open("w") as file:
        process = subprocess.Popen(
            [sys.executable, str(EXAMPLES / example)],
            stdout=file,
            stderr=subprocess.STDOUT,
            env={**os.environ, **house.env},
        )
    try:
        wait_for(lambda: expected in out.read_text(), what=f"{expected!r} from {example}")
    finally:
        process.kill()
        process.wait()

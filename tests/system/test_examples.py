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


def test_the_source_of_the_readme_runs_as_it_stands_there_and_one_that_python_does_not_find_is_named(
    house: House,
) -> None:
    readme = (EXAMPLES.parents[1] / "README.md").read_text(encoding="utf-8")
    code = readme.partition("A source of your own, here `~/sources/notes_source.py`:\n\n```python\n")[2].partition(
        "```"
    )[0]
    settings = readme.partition("```toml\n[sources.notes]\n")[2].partition("```")[0]
    (house.homes / "notes").mkdir()
    (house.homes / "notes" / "shopping.txt").write_text("milk\n")
    house.config.write_text(f"[sources.notes]\n{settings}")
    supervisor = house.start("--source", "notes")
    reason = "the source cannot be loaded: ModuleNotFoundError: there is no module notes_source where Python looks"
    wait_for(lambda: house.health()["notes"]["reason"] == reason, what="the name of the module")
    supervisor.terminate()
    supervisor.wait(12)
    sources = house.homes / "sources"
    sources.mkdir()
    (sources / "notes_source.py").write_text(code)
    house.start("--source", "notes", env={"PYTHONPATH": str(sources)})
    wait_for(lambda: house.sessions().get("shopping"), what="the session")

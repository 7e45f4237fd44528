"""The short version of the mutation fuzz: `tests/fuzz/mutate.py` runs the long one."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "fuzz" / "mutate.py"
SPEC = importlib.util.spec_from_file_location("mutate", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
mutate = importlib.util.module_from_spec(SPEC)
sys.modules["mutate"] = mutate
SPEC.loader.exec_module(mutate)


@pytest.mark.parametrize("source", list(mutate.WRITERS))
def test_no_mutated_line_makes_a_parser_fail(source: str) -> None:
    assert mutate.run(source, inputs=4000, seed=7) > 0

"""The short version of `tests/fuzz/sizes.py`: what is monstrous costs neither numbers nor memory."""

import importlib.util
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "fuzz" / "sizes.py"
SPEC = importlib.util.spec_from_file_location("sizes", SCRIPT)
assert SPEC is not None
assert SPEC.loader is not None
sizes = importlib.util.module_from_spec(SPEC)
sys.modules["sizes"] = sizes
SPEC.loader.exec_module(sizes)

MOST_MEMORY = 96
"""MiB that a reader takes at its peak: 30 of them before it has read anything, 16 and their copies for the longest line."""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="asks the system for the peak in Linux's way")
@pytest.mark.parametrize("kind", list(sizes.KINDS))
@pytest.mark.parametrize("home", list(sizes.HOMES))
def test_sizes_cost_no_numbers_and_little_memory(home: str, kind: str) -> None:
    figures, (least, most) = sizes.run(home, kind, sizes.SHORT)

    assert least <= figures.messages <= most
    assert figures.sessions == (sizes.SHORT.files if kind == "files" else 1)
    assert figures.peak < MOST_MEMORY

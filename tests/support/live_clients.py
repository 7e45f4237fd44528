"""Clients: where the genuine agents and their stand-in model servers are found.

A client lies in FOLDER/<agent>/<version>/node_modules, as npm installs it. The stand-in servers lie in the folder of
drivers beside the checkout; without them, or without the client, a live test is skipped and says so.
"""

import os
import subprocess
from pathlib import Path

import pytest

DRIVERS = Path(__file__).resolve().parents[2].parent / "shared" / "realclient"

PACKAGES = {
    "claude": "@anthropic-ai/claude-code",
    "codex": "@openai/codex",
    "gemini": "@google/gemini-cli",
    "opencode": "opencode-ai",
    "pi": "@earendil-works/pi-coding-agent",
}

PROGRAMS: dict[str, tuple[str, ...]] = {
    "claude": ("@anthropic-ai/claude-code-*/claude", "@anthropic-ai/claude-code/cli.js"),
    "codex": ("@openai/codex-linux-*/vendor/*/bin/codex", "@openai/codex-linux-*/vendor/*/codex/codex",
              "@openai/codex/vendor/x86_64*linux*/*/codex", "@openai/codex/bin/codex-x86_64-unknown-linux-musl"),
}  # fmt: skip
"""Where a client's program lies below `node_modules`, newest layout first; a `.js` is run by node."""


def driver(agent: str, name: str) -> Path:
    """Return a stand-in model server of the drivers; skips the test where there is none."""
    path = DRIVERS / agent / name
    if not path.is_file():
        pytest.skip(f"no driver of {agent}: {path.relative_to(DRIVERS.parent.parent)} is not beside the checkout")
    return path


def client(
    agent: str,
    version: str,
    folder: str | None,
    *,
    install: bool,
    patterns: tuple[str, ...] | None = None,
) -> list[str]:
    """Return the command of a genuine client; installs it by name if asked to, skips the test if it is not there."""
    if not folder:
        pytest.skip("no folder of clients: --clients FOLDER or BELLBOARD_LIVE_CLIENTS")
    place = Path(folder).resolve() / agent / version
    found = _program(place, patterns or PROGRAMS[agent])
    if found is None and install:
        place.mkdir(parents=True, exist_ok=True)
        words = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix", str(place)]
        subprocess.run([*words, f"{PACKAGES[agent]}@{version}"], check=True, stdout=subprocess.DEVNULL)
        found = _program(place, patterns or PROGRAMS[agent])
    if found is None:
        pytest.skip(f"{agent} {version} is not installed: --install does it, with npm")
    return ["node", str(found)] if found.suffix == ".js" else [str(found)]


def _program(place: Path, patterns: tuple[str, ...]) -> Path | None:
    hits = (hit for pattern in patterns for hit in sorted((place / "node_modules").glob(pattern)))
    return next(hits, None)


def clean_environment(home: Path, *, path: str | None = None) -> dict[str, str]:
    """Return an environment in which a client finds nothing of the person who runs the test."""
    return {
        "HOME": str(home),
        "PATH": path or os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "LANG": "C.UTF-8",
        "TERM": "xterm-256color",
        "SHELL": "/bin/bash",
        "TZ": "UTC",
    }

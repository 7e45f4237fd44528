"""A source for tests of what people see: each file in its home is a session, and says of itself what it is."""

import json
from pathlib import Path
from typing import Any

from harness import House

SOURCE = """
import json, os
from bellboard.sources import SessionHandle, SourceUpdate
from bellboard.protocol import Evidence

class Cards:
    def __init__(self, home, name="cards"):
        self.home, self.name = home, name

    def discover(self):
        for name in sorted(os.listdir(self.home)):
            path = os.path.join(self.home, name)
            if name.endswith(".json"):
                yield SessionHandle(id=name[:-5], path=path, source=self.name, modified_at=os.stat(path).st_mtime)

    def parse(self, handle, cursor):
        with open(handle.path) as file:
            text = file.read()
        if text == cursor:
            return None, cursor
        facts = json.loads(text)
        known = facts.pop("known_by", "registry")
        return SourceUpdate(session_id=handle.id, evidence=Evidence(kind=known), restart=True, **facts), text
"""


def settle(house: House, *names: str) -> None:
    """Let these sources run in a house, and no other."""
    (house.root / "cards_source.py").write_text(SOURCE)
    tables = [f"[sources.{name}]\nenabled = false\n" for name in ("claude", "codex", "gemini", "opencode", "pi")]
    for name in names:
        (house.homes / name).mkdir()
        tables.append(
            f'[sources.{name}]\nfactory = "cards_source:Cards"\nname = "{name}"\nhome = "{house.homes / name}"\n'
        )
    house.config.write_text("".join(tables))


def deal(house: House, source: str, name: str, **facts: Any) -> None:
    """Write what a session says of itself."""
    path: Path = house.homes / source / f"{name}.json"
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"activity": "working", "working_dir": "/home/you/webshop", **facts}))
    new.rename(path)

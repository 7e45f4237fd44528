"""A stand-in for the client writes whatever a person may do, in any order; the counts stay those of what was said."""

import random
from pathlib import Path
from typing import Any

import pytest
from gemini_home import SESSION, Home, at, call, context, gemini, header, info, result, set_, user

COUNTED = ("message_count", "tool_call_count", "compaction_count")


class Client:
    """Writes as 0.61 does, and keeps account of what was said."""

    def __init__(self, home: Home, chance: random.Random) -> None:
        self.home = home
        self.chance = chance
        self.second = 0.0
        self.named = 0
        self.live: list[dict[str, Any]] = []
        self.said = dict.fromkeys((*COUNTED, "output_tokens"), 0)
        self.begin()

    def name(self) -> str:
        self.named += 1
        return f"m{self.named}"

    def now(self) -> float:
        self.second += self.chance.uniform(0.2, 30)
        return self.second

    def begin(self) -> None:
        self.live = [context("c", self.now())]
        self.home.write(header(self.second), set_(messages=self.live, lastUpdated=at(self.second)))

    def append(self, row: dict[str, Any]) -> None:
        self.live.append(row)
        self.home.write(row, set_(lastUpdated=row["timestamp"]))

    def relist(self, *rows: dict[str, Any]) -> None:
        self.live = list(rows)
        self.home.write(set_(messages=self.live, lastUpdated=at(self.second)))

    def prompt(self) -> None:
        self.append(user(self.name(), self.now(), self.chance.choice(["go on", "do it", "why?"])))
        self.said["message_count"] += 1

    def answer(self, text: str = "Done.") -> dict[str, Any]:
        spent = self.chance.randrange(500)
        row = gemini(self.name(), self.now(), text, tokens={"input": 10, "output": spent, "cached": 0})
        self.append(row)
        self.said["message_count"] += 1
        self.said["output_tokens"] += spent
        return row

    def tools(self, status: str = "success") -> None:
        row = self.answer(self.chance.choice(["", "Let me see."]))
        calls = [call(self.name(), status) for _ in range(self.chance.randint(1, 3))]
        row["toolCalls"] = calls
        self.home.write(row)
        self.said["tool_call_count"] += len(calls)
        if status == "success":
            self.append(result(self.name(), self.now()))

    def turn(self) -> None:
        self.prompt()
        for _ in range(self.chance.randrange(4)):
            self.tools()
        self.answer()

    def cancelled_prompt(self) -> None:
        before = list(self.live)
        self.prompt()
        self.home.write(info(self.name(), self.now()))
        self.relist(*before)

    def refused_tool(self) -> None:
        before = [row for row in self.live if row["type"] != "info"]
        self.prompt()
        self.tools("cancelled")
        self.home.write(info(self.name(), self.now()))
        copies = [self.copy(row) for row in before]
        for row in copies:
            self.home.write(row, set_(lastUpdated=row["timestamp"]))
        self.relist(*copies)

    def copy(self, row: dict[str, Any]) -> dict[str, Any]:
        said: Any = row["content"]
        content: Any = [{"text": said}] if isinstance(said, str) else said
        copied: dict[str, Any] = {
            "id": self.name(),
            "timestamp": at(self.second),
            "type": row["type"],
            "content": content,
        }
        return copied | ({"thoughts": [], "tokens": None} if row["type"] == "gemini" else {})

    def compressed(self) -> None:
        self.now()
        summary = user(self.name(), self.second, f"<state_snapshot>{self.second}</state_snapshot>")
        thanks = self.copy(gemini("", 0, "Got it. Thanks for the additional context!"))
        self.home.write(set_(sessionId=SESSION))
        self.relist(context("c", self.second), summary, thanks, *[self.copy(row) for row in self.live[-3:]])
        self.home.write(info(self.name(), self.second, ""))
        self.said["compaction_count"] += 1

    def rewound(self) -> None:
        prompts = [at for at, row in enumerate(self.live) if row["type"] == "user" and row["id"] != "c"]
        if prompts:
            cut = self.chance.choice(prompts)
            self.home.write({"$rewindTo": self.live[cut]["id"]})
            self.relist(*[row for row in self.live[:cut] if row["id"] != "c"])

    def resumed(self) -> None:
        before = [row for row in self.live if row["id"] != "c"]
        if self.chance.random() < 0.5:
            self.begin()
        self.home.write(set_(sessionId=SESSION))
        rebuilt = [{name: row[name] for name in ("id", "timestamp", "type", "content")} for row in before]
        self.relist(context("c", self.now()), *rebuilt)


DEEDS = (
    Client.turn, Client.turn, Client.cancelled_prompt, Client.refused_tool,
    Client.compressed, Client.rewound, Client.resumed,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
def test_counts_are_exact_whatever_the_person_does(seed: int, tmp_path: Path) -> None:
    chance = random.Random(seed)
    home = Home(tmp_path / ".gemini")
    client = Client(home, chance)

    for _ in range(25):
        chance.choice(DEEDS)(client)
        if chance.random() < 0.4:
            wanted = {name: client.said[name] for name in COUNTED}
            assert {name: home.read()[SESSION][name] for name in COUNTED} == wanted

    client.turn()
    got = home.read()[SESSION]
    assert {name: got[name] for name in client.said} == client.said
    assert (got["activity"], got["waiting_for"], got["unknown_records"]) == ("waiting", "prompt", 0)
    assert len(home.cursors["1f0c24aa"]) < 2048

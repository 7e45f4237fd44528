"""Claude Code, the genuine client: what the board says while it works is what is true."""

import json
import uuid
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import live_clients
import pytest
from live_stage import Stage, stage_of

NEWEST = "2.1.330"
QUIET = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "CLAUDE_CODE_DISABLE_OFFICIAL_MARKETPLACE_AUTOINSTALL": "1",
}

PROMPT = "\u276f"


class Claude:
    """One stage with a genuine client on it."""

    def __init__(self, stage: Stage, words: list[str]) -> None:
        self.stage, self.words = stage, words
        self.session = str(uuid.uuid4())

    def begin(self, *steps: Any, hooks: bool = False, **scenario: Any) -> None:
        """Prepare the home, start the model and the board."""
        stage = self.stage
        folder = stage.home / ".claude"
        folder.mkdir(mode=0o700)
        project = {
            "hasTrustDialogAccepted": True,
            "hasCompletedProjectOnboarding": True,
            "projectOnboardingSeenCount": 9,
        }
        config = {
            "hasCompletedOnboarding": True, "lastOnboardingVersion": stage.version, "theme": "dark",
            "numStartups": 9, "autoUpdates": False, "bypassPermissionsModeAccepted": True,
            "customApiKeyResponses": {"approved": ["dummy"], "rejected": []}, "projects": {str(stage.cwd): project},
        }  # fmt: skip
        for place in (stage.home / ".claude.json", folder / ".claude.json"):
            place.write_text(json.dumps(config))
        (folder / "settings.json").write_text("{}\n")
        if hooks:
            stage.hooks()
        url = stage.serve(live_clients.driver("claude", "mock_api.py"), {"main": list(steps), **scenario})
        stage.environment |= {**QUIET, "ANTHROPIC_API_KEY": "dummy", "ANTHROPIC_BASE_URL": url}
        stage.watch("--source", f"claude={folder}")

    def line(self, *words: str) -> list[str]:
        """Return the interactive client's command line."""
        return [*self.words, "--session-id", self.session, *words]


@pytest.fixture
def claude(request: pytest.FixtureRequest, client: Callable[..., list[str]]) -> Generator[Claude]:
    """Set the stage for one version of the client (indirect parameter, else the newest)."""
    version = getattr(request, "param", NEWEST)
    words = client("claude", version)
    with stage_of("claude", version, live_clients.clean_environment(Path("/"))) as stage:
        yield Claude(stage, words)


def test_a_plain_turn(claude: Claude, figures: Callable[..., None]) -> None:
    stage, session = claude.stage, claude.session
    claude.begin({"text": "Hello.", "delay": 2.5})
    screen = stage.screen(claude.line())
    screen.see(PROMPT)
    stage.true(session, "open", {"activity": "idle", "evidence": "registry"}, mark='"status":"idle"')
    stage.hold(2)
    asked = screen.type("Say hello")
    stage.true(session, "thinking", {"activity": "working"}, at=asked, mark='"status":"busy"')
    answered = screen.see("Hello\\.")
    stage.true(session, "answered", {"activity": "waiting", "waiting_for": "prompt"}, at=answered, mark='"idle"')
    stage.hold(2)
    stage.true(session, "killed", {"activity": "terminal", "end": "process gone"}, at=screen.end())
    stage.hold(1.5)
    figures("claude", stage.version, stage.verdict())

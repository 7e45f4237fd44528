"""What is said of agents that leave no trace of their process."""

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from msgspec import UNSET

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate
from bellboard.sources.catalog import load
from bellboard.sources.contract import SessionHandle, Watching
from bellboard.sources.unseen import DOUBT, Unseen

HANDLE = SessionHandle(id="s", path="/w/s", source="quiet")


class Quiet:
    """A source that says what it is told to say."""

    name = "quiet"

    def __init__(self, update: SourceUpdate | None) -> None:
        self.update = update

    def discover(self) -> Iterable[SessionHandle]:
        return [HANDLE]

    def parse(self, handle: SessionHandle, cursor: str) -> tuple[SourceUpdate | None, str]:  # noqa: ARG002 - a fake
        return self.update, cursor + "."

    def watch(self) -> Iterable[str]:
        return ["/w"]

    def touched(self, paths: Sequence[str]) -> Iterable[SessionHandle]:
        return [HANDLE] if paths else []

    def pulse(self) -> Iterable[SessionHandle]:
        return [HANDLE]


def said(**facts: Any) -> Any:
    update, _ = Unseen(Quiet(SourceUpdate(session_id="s", **facts)), permission="given or not").parse(HANDLE, "")
    assert update is not None
    return update.evidence


def test_all_that_has_not_ended_may_have_ended() -> None:
    tool = Evidence(kind="tool", detail="bash has no result yet")
    assert said(activity="working", evidence=tool) == Evidence(kind="tool", detail=f"bash has no result yet; {DOUBT}")
    assert said(activity="idle", evidence=Evidence(kind="none")) == Evidence(kind="none", detail=DOUBT)


def test_of_a_permission_it_is_said_what_its_hook_does_not_tell() -> None:
    asked = Evidence(kind="hook", detail="it asked for a permission")
    detail = f"it asked for a permission; given or not; {DOUBT}"
    assert said(activity="waiting", waiting_for="permission", evidence=asked) == Evidence(kind="hook", detail=detail)


def test_what_has_ended_is_certain() -> None:
    closed = Evidence(kind="hook", detail="the session was closed")
    assert said(activity="terminal", terminal=True, evidence=closed) == closed


def test_what_says_nothing_of_the_state_stays_as_it_is() -> None:
    assert said(title="A title") is UNSET
    assert Unseen(Quiet(None)).parse(HANDLE, "c") == (None, "c.")


def test_all_else_is_the_sources_own() -> None:
    source = Unseen(Quiet(None))
    assert isinstance(source, Watching)
    assert (source.name, list(source.discover()), list(source.watch())) == ("quiet", [HANDLE], ["/w"])
    assert (list(source.touched(["/w/s"])), list(source.pulse())) == ([HANDLE], [HANDLE])


@pytest.mark.parametrize("agent", ["gemini", "opencode", "pi"])
def test_agents_without_a_registry_are_such_sources(agent: str) -> None:
    assert isinstance(load(agent, None, {"home": "/nowhere"}), Unseen)

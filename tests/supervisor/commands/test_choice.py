import argparse
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from msgspec import structs

from bellboard.protocol.event import HealthChanged, Snapshot, Updated
from bellboard.protocol.session import HealthState, SessionState
from bellboard.supervisor.arguments import parse
from bellboard.supervisor.commands.choice import Choice, Project, choice, project

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
SHOP = SessionState(
    id="a1", source="claude", activity="working", working_dir="/home/anna/webshop", last_activity_at=NOW
)
INSIDE = SessionState(id="b2", source="codex", activity="waiting", working_dir="/home/anna/webshop/api/")
NOWHERE = SessionState(id="c3", source="codex", activity="working")


def test_nothing_said_lets_everything_pass() -> None:
    assert all(Choice().takes(session) for session in (SHOP, INSIDE, NOWHERE))


@pytest.mark.parametrize(
    ("words", "ids"),
    [
        (["webshop"], ["a1"]),
        (["api"], ["b2"]),
        (["api", "webshop"], ["a1", "b2"]),
        (["/home/anna/webshop"], ["a1", "b2"]),
        (["/home/anna/webshop/"], ["a1", "b2"]),
        (["/home/anna/web"], []),
        (["/"], ["a1", "b2"]),
        (["shop"], []),
        ([""], []),
    ],
)
def test_a_project_is_a_last_name_or_a_path_with_all_below_it(words: list[str], ids: list[str]) -> None:
    chosen = Choice(projects=tuple(project(word) for word in words))
    assert [session.id for session in (SHOP, INSIDE, NOWHERE) if chosen.takes(session)] == ids


def test_a_path_is_what_it_leads_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = tmp_path / "real"
    real.mkdir()
    (tmp_path / "link").symlink_to(real)
    monkeypatch.chdir(real)
    monkeypatch.setenv("HOME", str(tmp_path))
    here = os.path.realpath(real)
    assert project("~/link") == Project("~/link", (f"{tmp_path}/link", here))
    assert project(".").paths == (here,)
    assert project("..").paths == (os.path.dirname(here),)
    assert project("real") == Project("real")


def test_all_filters_have_to_pass() -> None:
    wanted = choice(parse(["watch", "--source", "codex", "--activity", "waiting", "--project", "api"]))
    assert wanted == Choice(sources=frozenset(["codex"]), activity="waiting", projects=(Project("api"),))
    assert [wanted.takes(session) for session in (SHOP, INSIDE, NOWHERE)] == [False, True, False]
    assert not structs.replace(wanted, needs_you=True).takes(INSIDE)
    assert not structs.replace(wanted, id="a").takes(INSIDE)
    assert structs.replace(wanted, oldest=0.0).takes(INSIDE)
    assert not Choice(oldest=NOW.timestamp() + 1).takes(SHOP)


def test_who_needs_somebody_is_never_too_old() -> None:
    waits = structs.replace(SHOP, activity="waiting", waiting_for="permission")
    old = NOW.timestamp() + 1
    assert Choice(oldest=old, needs_you=True).takes(waits)
    assert not Choice(oldest=old).takes(structs.replace(waits, waiting_for="prompt"))
    assert not Choice(oldest=old).takes(structs.replace(waits, lifecycle="terminal"))


def test_the_words_that_are_shown_can_be_asked_for() -> None:
    stale = structs.replace(INSIDE, lifecycle="terminal", end_reason="stale")
    waits = structs.replace(INSIDE, waiting_for="question")
    closed = structs.replace(SHOP, activity="terminal")
    sessions = (SHOP, INSIDE, stale, waits, closed)

    def taken(*words: str) -> list[SessionState]:
        wanted = choice(parse(["watch", *words]))
        return [session for session in sessions if wanted.takes(session)]

    assert taken("--activity", "prompt") == [INSIDE]
    assert taken("--activity", "ended") == [stale, closed]
    assert taken("--activity", "working") == [SHOP]
    assert taken("--activity", "waiting") == [INSIDE, stale, waits]
    assert taken("--activity", "terminal") == [closed]
    assert taken("--needs-you") == [waits]


def test_of_a_picture_only_the_chosen_is_left_and_health_of_the_chosen_sources_always_is() -> None:
    picture = Snapshot(
        epoch="e",
        seq=1,
        source_seqs={},
        sessions=(SHOP, INSIDE, NOWHERE),
        health=(HealthState(source="claude"), HealthState(source="codex")),
    )
    wanted = Choice(sources=frozenset(["codex"]), activity="working")
    assert wanted.of(picture) == structs.replace(picture, sessions=(NOWHERE,), health=(HealthState(source="codex"),))
    for session, taken in ((NOWHERE, True), (INSIDE, False), (SHOP, False)):
        event = Updated(
            epoch="e", seq=2, source=session.source, source_seq=1, id=session.id, version=1, at=NOW, session=session
        )
        assert wanted.of(event) == (event if taken else None)
    for source, taken in (("codex", True), ("claude", False)):
        news = HealthChanged(epoch="e", seq=3, source=source, source_seq=2, at=NOW, health=HealthState(source=source))
        assert wanted.of(news) == (news if taken else None)


def test_a_folder_behind_the_name_of_a_source_does_not_matter_for_the_choice() -> None:
    options: argparse.Namespace = parse(["sessions", "--once", "--source", "codex=/x", "--source", "pi"])
    assert choice(options).sources == frozenset(["codex", "pi"])

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator
from msgspec import structs
from published import complaints

from bellboard.protocol.event import SCHEMA_VERSION, Discovered, HealthChanged, Heartbeat, Snapshot
from bellboard.protocol.session import Evidence, HealthState, SessionState, Subagent
from bellboard.supervisor.views.document import health_json, sessions_json
from bellboard.supervisor.views.schema import DOCUMENTS, schema, schema_json

CHECKED_IN = Path(__file__).parents[3] / "docs" / "schema.json"
NOW = datetime(2026, 11, 28, 12, 30, tzinfo=UTC)
FULL = SessionState(
    id="a",
    source="claude",
    activity="waiting",
    waiting_for="permission",
    evidence=Evidence(kind="registry", since=NOW),
    context_utilization=0.5,
    subagents=(Subagent(id="b", kind="Explore", started_at=NOW),),
    last_activity_at=NOW,
)
PLAIN = SessionState(id="p", source="pi")
SICK = HealthState(source="codex", status="failed", reason="gone", quarantined=("x",), updated_at=NOW)
PICTURE = Snapshot(epoch="e", seq=9, source_seqs={"claude": 1}, sessions=(FULL, PLAIN), health=(SICK,))
UPDATE = Discovered(epoch="e", seq=1, source="claude", source_seq=1, id="a", version=1, at=NOW, session=FULL)
NEWS = HealthChanged(epoch="e", seq=1, source="codex", source_seq=1, at=NOW, health=SICK)
BEAT = Heartbeat(epoch="e", seq=1, source_seqs={}, at=NOW)


def plain(item: msgspec.Struct) -> Any:
    return json.loads(msgspec.json.encode(item))


SAID: list[tuple[str, Any]] = [
    ("sessions", json.loads(sessions_json(PICTURE))),
    ("health", json.loads(health_json(PICTURE))),
    ("watch", plain(PICTURE)),
    ("watch", plain(UPDATE)),
    ("watch", plain(NEWS)),
    ("event", plain(UPDATE)),
    ("event", plain(NEWS)),
    ("event", plain(BEAT)),
]


def test_the_published_copy_is_the_schema_of_the_code() -> None:
    # Make it anew with: bellboard schema > docs/schema.json
    assert CHECKED_IN.read_text(encoding="utf-8") == schema_json()


@pytest.mark.parametrize("document", [None, *DOCUMENTS])
def test_each_document_has_a_valid_schema_of_this_version(document: str | None) -> None:
    made = schema(document)
    Draft202012Validator.check_schema(made)
    assert made["schema_version"] == SCHEMA_VERSION


def test_the_whole_has_every_document_under_its_name() -> None:
    whole = schema()
    assert list(whole["documents"]) == list(DOCUMENTS)
    for name, shape in whole["documents"].items():
        alone = {key: value for key, value in schema(name).items() if key not in {"$schema", "schema_version", "$defs"}}
        assert shape == alone


@pytest.mark.parametrize(("document", "value"), SAID)
def test_what_is_said_is_what_the_schema_says(document: str, value: Any) -> None:
    assert complaints(document, value) == []


@pytest.mark.parametrize(("document", "value"), SAID)
def test_what_is_missing_is_noticed_and_what_is_added_is_not(document: str, value: dict[str, Any]) -> None:
    for key in value:
        assert complaints(document, {name: each for name, each in value.items() if name != key})
    assert complaints(document, {**value, "later": 1}) == []


def test_a_word_that_does_not_exist_is_noticed() -> None:
    value = plain(structs.replace(UPDATE, session=FULL))
    value["session"]["activity"] = "dancing"
    assert complaints("event", value)
    assert complaints("event", plain(PICTURE))
    assert complaints("watch", plain(BEAT))

"""Rows that the real client wrote (1.18.33, the tree 1.1.34), told to the last field and replayed as it wrote them."""

import json
import shutil
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace
from opencode_home import DATA, GENUINE, TREE, Client, Desk, genuine

from bellboard.protocol.session import Evidence
from bellboard.protocol.update import SourceUpdate


def moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


FINISHED = SourceUpdate(
    session_id=GENUINE,
    slug="sunny-otter",
    title="Tools demo",
    activity="waiting",
    waiting_for="prompt",
    evidence=Evidence(kind="record", detail="the turn ended", since=moment(1795344660965)),
    model="mock-1",
    working_dir="/tmp/demo-oc/project-a",
    context_tokens=9500,
    input_tokens=9500,
    cache_read_tokens=27600,
    cache_creation_tokens=0,
    output_tokens=79,
    message_count_delta=5,
    tool_call_count_delta=4,
    current_tool=None,
    current_tool_started_at=None,
    started_at=moment(1795344641689),
    last_activity_at=moment(1795344660981),
    client_version="1.18.33",
    end_reason=None,
    ended_at=None,
)

RUNNING = replace(
    FINISHED,
    activity="working",
    waiting_for=None,
    evidence=Evidence(
        kind="tool", detail="bash has no result yet; it may wait for a permission", since=moment(1795344654283)
    ),
    context_tokens=9000,
    input_tokens=9000,
    cache_read_tokens=0,
    output_tokens=20,
    message_count_delta=3,
    tool_call_count_delta=3,
    current_tool="bash",
    current_tool_started_at=moment(1795344654283),
    last_activity_at=moment(1795344654458),
)


@pytest.mark.parametrize(("case", "told"), [("tools", FINISHED), ("tool_running", RUNNING)])
def test_a_store_of_one_session(case: str, told: SourceUpdate, desk: Desk, client: Client) -> None:
    genuine(case, client)
    desk.read()

    assert desk.updates == [told]


def test_the_same_session_a_little_later(desk: Desk, client: Client) -> None:
    genuine("tool_running", client)
    desk.read()
    genuine("tools", client)
    desk.read()

    assert desk.updates == [RUNNING, replace(FINISHED, message_count_delta=2, tool_call_count_delta=1)]


def test_the_tree_of_an_older_client(desk: Desk) -> None:
    shutil.copytree(DATA / "tree", desk.root)
    desk.read()

    assert desk.updates == [
        replace(
            FINISHED,
            session_id=TREE,
            slug="neon-canyon",
            title="Old storage",
            evidence=Evidence(kind="record", detail="the turn ended", since=moment(1795345135711)),
            working_dir="/tmp/demo-oc/old/project-e",
            context_tokens=8100,
            input_tokens=8100,
            cache_read_tokens=8000,
            output_tokens=27,
            message_count_delta=3,
            tool_call_count_delta=1,
            started_at=moment(1795345135406),
            last_activity_at=moment(1795345135726),
            client_version="1.1.34",
        )
    ]


def write(client: Client, event: dict[str, Any]) -> None:
    """Do to the store what the client did when it published this."""
    data = event["data"]
    if event["type"].startswith("session."):
        info = data["info"]
        row = {"slug": info["slug"], "directory": info["directory"], "title": info["title"], "version": info["version"]}
        times = {"time_created": info["time"]["created"], "time_updated": info["time"]["updated"]}
        client.put("session", {"id": info["id"], "project_id": "global", **row, **times})
    elif event["type"].startswith("message.updated"):
        info = dict(data["info"])
        client.message(info.pop("id"), info, info.pop("sessionID"))
    else:
        part = dict(data["part"])
        client.part(part.pop("id"), part.pop("messageID"), part, part.pop("sessionID"))


def test_a_session_as_it_grew(desk: Desk, client: Client) -> None:
    seen: list[tuple[Any, ...]] = []
    names = ("activity", "current_tool", "message_count", "tool_call_count", "output_tokens", "context_tokens")
    for event in json.loads((DATA / "events.json").read_text(encoding="utf-8")):
        write(client, event)
        now = desk.shown(*names, session=GENUINE)
        if not seen or seen[-1] != now:
            seen.append(now)

    # the tokens of a call come shortly before its end
    assert seen == [
        ("idle", None, 0, 0, 0, None),
        ("working", None, 1, 0, 0, None),
        ("working", None, 2, 0, 0, None),
        ("working", "read", 2, 1, 0, None),
        ("working", None, 2, 1, 0, None),
        ("working", None, 2, 1, 20, 9000),
        ("working", None, 3, 1, 20, 9000),
        ("working", "bash", 3, 2, 20, 9000),
        ("working", "write", 3, 3, 20, 9000),
        ("working", "bash", 3, 3, 20, 9000),
    ]
    whole = Desk(desk.root)
    assert whole.read() == desk.sessions

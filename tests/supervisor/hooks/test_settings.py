"""Our entries in somebody else's configuration: put in once, taken out cleanly, nothing else touched."""

import copy
from typing import Any

import pytest

from bellboard.supervisor.hooks.agents import known
from bellboard.supervisor.hooks.settings import (
    PROGRAM,
    NotAConfiguration,
    command,
    installed,
    with_hooks,
    without_hooks,
)

CLAUDE = known()["claude"]
OWN: dict[str, Any] = {"hooks": [{"type": "command", "command": "say done"}]}
LINE = command(CLAUDE, "/usr/bin/python3", f"/state/{PROGRAM}", "/state/spool")


def test_hooks_are_added_to_those_of_the_user_and_removed_again() -> None:
    before = {"model": "opus", "hooks": {"Stop": [OWN], "PreToolUse": [OWN]}}
    kept = copy.deepcopy(before)
    after = with_hooks(before, CLAUDE, LINE)
    assert before == kept
    assert after["model"] == "opus"
    assert after["hooks"]["PreToolUse"] == [OWN]
    assert after["hooks"]["Stop"] == [OWN, {"hooks": [{"type": "command", "command": LINE, "timeout": 5}]}]
    assert after["hooks"]["PermissionRequest"][0]["matcher"] == "*"
    assert installed(after, CLAUDE) == len(CLAUDE.events)
    assert without_hooks(after, CLAUDE) == before


def test_installing_twice_is_installing_once() -> None:
    once = with_hooks({}, CLAUDE, LINE)
    assert with_hooks(once, CLAUDE, LINE) == once
    assert without_hooks(once, CLAUDE) == {}


def test_a_group_that_somebody_made_of_ours_and_his_own_is_his() -> None:
    mixed = {"hooks": [*OWN["hooks"], {"type": "command", "command": LINE}]}
    document = {"hooks": {"Stop": [mixed]}}
    assert without_hooks(document, CLAUDE) == document


def test_an_empty_table_of_the_users_stays() -> None:
    assert without_hooks({"hooks": {}}, CLAUDE) == {"hooks": {}}


@pytest.mark.parametrize("hooks", [[], "text", {"Stop": {}}])
def test_a_configuration_of_another_shape_is_refused(hooks: object) -> None:
    with pytest.raises(NotAConfiguration, match="nothing was changed"):
        with_hooks({"hooks": hooks}, CLAUDE, LINE)


def test_the_command_is_harmless_when_we_are_gone() -> None:
    assert LINE.startswith(f"[ -r /state/{PROGRAM} ] && ")
    assert LINE.endswith("; true")

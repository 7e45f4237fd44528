"""The page of a fleet: the same session on two machines is two, machines are headings, and one that is away is no error."""

from collections.abc import Callable

import pytest
from harness import wait_for

pytest.importorskip("playwright", reason="needs Playwright: pip install '.[browser]'")

from browser import Watched
from msgspec import structs
from playwright.sync_api import Page, expect
from synthetic import ago, hour, well, working

from bellboard.protocol.session import HealthState
from bellboard.protocol.testing import MockBoard

Open = Callable[..., Watched]


@pytest.fixture
def fleet(board: MockBoard) -> MockBoard:
    """Two machines with the same session of the same source, of which one waits."""
    for host, title in (("laptop", "Mend the gate"), ("tower", "Paint the gate")):
        board.put(structs.replace(working("claude", "one", title, "garden"), host=host))
        board.put(*(structs.replace(state, host=host) for state in well()))
    return board


def headings(page: Page) -> list[str]:
    return page.locator("tr.project").all_text_contents()


def test_a_session_of_the_same_name_on_two_machines_is_two_below_their_machines(
    fleet: MockBoard, open_page: Open
) -> None:
    page = open_page().board()
    wait_for(
        lambda: headings(page) == ["laptop 1 session", "garden 1 session", "tower 1 session", "garden 1 session"],
        what="machines and projects",
    )
    fleet.put(
        structs.replace(
            working("claude", "one", "Paint the gate", "garden", activity="waiting", waiting_for="permission"),
            host="tower",
        )
    )
    expect(page.locator("#needs li")).to_contain_text("garden · main · tower · claude")
    wait_for(lambda: headings(page)[0] == "tower 1 session", what="the machine that needs somebody on top")
    page.get_by_role("searchbox").fill("laptop")
    wait_for(lambda: headings(page) == ["laptop 1 session", "garden 1 session"], what="only the laptop")


def test_a_machine_that_is_away_is_said_to_be_since_when_and_is_no_error(fleet: MockBoard, open_page: Open) -> None:
    page = open_page().board()
    pills = page.locator("#health li")
    expect(pills).to_have_text(["laptop up", "tower up"])
    for state in well():
        gone = HealthState(source=state.source, host="tower", status="offline", updated_at=ago(7300))
        fleet.put(gone)
    expect(pills).to_have_text(["laptop up", "tower offline 2h 1m"])
    expect(pills.nth(1)).to_have_class("offline")
    wait_for(lambda: "tower 1 session · offline for 2h 1m" in headings(page), what="the heading")
    away = page.locator("tbody[data-away] tr:not(.project)")
    assert away.count() == 1
    fleet.put(*(structs.replace(state, host="tower") for state in well()))
    expect(pills).to_have_text(["laptop up", "tower up"])
    expect(page.locator("tbody[data-away]")).to_have_count(0)


def test_the_drawer_of_a_session_names_its_machine_and_asks_for_its_hour_there(
    fleet: MockBoard, open_page: Open
) -> None:
    fleet.remember("claude@tower", "one", hour())
    page = open_page().board()
    page.get_by_role("button", name="Paint the gate").click()
    expect(page.locator("#drawer .facts").first).to_contain_text("machinetower")
    page.wait_for_selector("#drawer .timeline")
    expect(page.locator("#drawer .legend")).to_contain_text("tool calls")

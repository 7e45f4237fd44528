"""The page with a real supervisor and real workers behind it, which are killed while it looks."""

import signal
from collections.abc import Callable, Iterator

import pytest
from faulty import append, settle
from harness import House, wait_for

pytest.importorskip("playwright", reason="needs Playwright: pip install '.[browser]'")

from browser import Watched
from playwright.sync_api import Page, expect
from web import Web

Open = Callable[..., Watched]


@pytest.fixture
def web(house: House) -> Iterator[Web]:
    settle(house, "sick", "well")
    append(house, "well", "one", "line", "line")
    append(house, "sick", "two", "line")
    house.start()
    made = Web(house)
    wait_for(lambda: made.ask("/readyz").status == 200, 15, "the gateway's board")
    yield made
    made.close()


def messages(page: Page, session: str) -> str:
    """What the drawer says."""
    page.get_by_role("button", name=session, exact=True).click()
    text = page.locator("#drawer dt:text-is('messages') + dd").text_content() or ""
    page.keyboard.press("Escape")
    return text


def test_a_killed_worker_shows_as_a_pill_and_recovers(web: Web, house: House, open_page: Open) -> None:
    page = open_page(web).board()
    pill = page.locator("#health li", has_text="well")
    expect(pill).to_have_text("well up")
    pid = house.health()["well"]["pid"]
    next(each for each in house.workers() if each.pid == pid).kill()
    expect(pill).to_contain_text("restarted 1×")
    wait_for(lambda: "up" in (pill.get_attribute("class") or ""), 20, "its recovery")
    append(house, "well", "one")
    wait_for(lambda: messages(page, "one") == "3", what="the next line")
    expect(page.locator("#health li", has_text="sick")).to_have_text("sick up")


def test_a_supervisor_that_is_killed_leaves_its_picture_and_comes_back_equal(
    web: Web, house: House, open_page: Open
) -> None:
    watched = open_page(web)
    page = watched.board()
    wait_for(lambda: page.locator("tbody button.title").count() == 2, what="both sessions")
    before = page.locator("tbody tr:not(.project) td:nth-child(-n+6)").all_inner_texts()
    house._running[0].send_signal(signal.SIGKILL)
    page.wait_for_selector("#connection.gone")
    expect(page.locator("#connection")).to_contain_text("this picture is")
    assert page.title() == "⚠ bellboard"
    assert page.locator("tbody tr:not(.project) td:nth-child(-n+6)").all_inner_texts() == before, "it stays"
    wait_for(lambda: "0s old" not in (page.locator("#connection").text_content() or ""), what="its age, growing")
    house.start()
    page.wait_for_selector("#connection.live")
    wait_for(
        lambda: page.locator("tbody tr:not(.project) td:nth-child(-n+6)").all_inner_texts() == before, what="the same"
    )
    assert (messages(page, "one"), messages(page, "two")) == ("2", "1")
    assert page.title() == "bellboard"
    watched.forgive("503")  # what was asked while nobody was there

"""The page in a real browser, against a board that says what no agent would say."""

import time
from collections.abc import Callable
from typing import Any

import pytest
from harness import wait_for

pytest.importorskip("playwright", reason="needs Playwright: pip install '.[browser]'")

from browser import Watched
from playwright.sync_api import Page, expect
from synthetic import ago, hour, many, unwell, well, working
from synthetic import board as day
from web import Web

from bellboard.protocol import HealthState
from bellboard.protocol.session import Evidence, Subagent
from bellboard.protocol.testing import MockBoard

Open = Callable[..., Watched]

HIDING = """
window.away = false;
Object.defineProperty(document, "hidden", { get: () => window.away });
"""
"""A headless page is always in front; this lets a test put it behind."""

COUNTING = """
() => {
  window.touched = { rows: new Set(), records: 0 };
  new MutationObserver((records) => {
    for (const record of records) {
      const at = record.target.nodeType === 1 ? record.target : record.target.parentElement;
      const row = at?.closest("tbody tr:not(.project)");
      window.touched.records += 1;
      if (row) window.touched.rows.add(row.querySelector("button").textContent);
    }
  }).observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
}
"""
TOUCHED = "() => ({ rows: [...window.touched.rows].sort(), records: window.touched.records })"

CONTRASTS = """
() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colors) => {
    for (const color of colors) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((each) => each / 255);
  };
  const light = (rgb) => rgb.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const found = {};
  for (const element of document.querySelectorAll("body *")) {
    const own = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!(own || element.matches("input")) || !element.checkVisibility()) continue;
    if (element.closest("noscript, .quiet, svg")) continue;
    const papers = [];
    for (let at = element; at; at = at.parentElement) {
      papers.unshift(getComputedStyle(at).backgroundColor);
      if (Number(getComputedStyle(at).opacity) < 1) papers.push("see-through");
    }
    const paper = over(["#fff", ...papers]);
    const ink = over(["#fff", ...papers, getComputedStyle(element).color]);
    const [one, two] = [light(paper), light(ink)].sort((a, b) => b - a);
    const name = `${element.tagName}.${element.className} in ${element.parentElement.className}`;
    found[name] = papers.includes("see-through") ? 0 : (one + 0.05) / (two + 0.05);
  }
  return found;
}
"""


def titles(page: Page) -> list[str]:
    return page.locator("tbody tr:not(.project) button.title").all_text_contents()


def shown(page: Page, *names: str) -> None:
    """Wait until exactly these sessions are in the table, in any order."""
    wait_for(lambda: sorted(titles(page)) == sorted(names), what=f"{names} on the page, not {titles(page)}")


def test_sessions_appear_and_change_while_one_looks(board: MockBoard, open_page: Open) -> None:
    page = open_page().board()
    expect(page.locator("#empty")).to_contain_text("No sessions yet")
    board.put(working("claude", "one", "Mend the gate", "garden", tool="Edit"))
    shown(page, "Mend the gate")
    row = page.locator("tbody tr:not(.project)")
    expect(row.locator(".state")).to_have_text("▶ working")
    expect(row.locator(".tool")).to_contain_text("Edit")
    expect(row.locator(".used")).to_have_text("84k · 42 %")
    expect(page.locator("#counters .working dd")).to_have_text("1")
    board.session(
        "claude", "one", current_tool="Bash", context_tokens=90_000, context_utilization=0.45, title="Mend it"
    )
    expect(row.locator(".tool")).to_contain_text("Bash")
    expect(row.locator(".used")).to_have_text("90k · 45 %")
    expect(row.locator("button.title")).to_have_text("Mend it")
    board.session("claude", "one", activity="terminal")
    shown(page)
    expect(page.locator("#counters .ended dd")).to_have_text("1")
    page.get_by_role("checkbox", name="ended").check()
    shown(page, "Mend it")


def test_a_permission_wait_shows_within_a_second_in_strip_title_and_icon(board: MockBoard, open_page: Open) -> None:
    page = open_page().board()
    board.put(working("claude", "one", "Mend the gate", "garden"))
    shown(page, "Mend the gate")
    took: list[float] = []
    for _ in range(3):
        before = page.locator("#icon").get_attribute("href")
        began = time.monotonic()
        evidence = Evidence(kind="hook", detail="Bash", since=ago(0))
        board.session("claude", "one", activity="waiting", waiting_for="permission", evidence=evidence)
        page.wait_for_selector("#needs li >> text=needs permission")
        took.append(time.monotonic() - began)
        assert page.title() == "(1) bellboard"
        assert page.locator("#icon").get_attribute("href") != before
        expect(page.locator("#needs")).to_contain_text("garden · main · claude")
        expect(page.locator("#needs")).to_contain_text("its hook told us (Bash)")
        expect(page.locator("#announce")).to_have_text("Mend the gate: needs permission")
        board.session("claude", "one", activity="working")
        expect(page.locator("#needs")).to_be_hidden()
        assert page.title() == "bellboard"
    assert min(took) < 1.0, took


def test_who_has_waited_longest_comes_first(board: MockBoard, open_page: Open) -> None:
    page = open_page().board()
    for name, seconds, what in (("young", 5, "plan"), ("old", 500, "permission"), ("middle", 50, "question")):
        evidence = Evidence(kind="record", since=ago(seconds))
        board.put(working("pi", name, name, "x", activity="waiting", waiting_for=what, evidence=evidence))
    expect(page.locator("#needs .title")).to_have_text(["old", "middle", "young"])
    expect(page.locator("#needs .what")).to_have_text(["needs permission", "needs an answer", "needs approval"])
    assert page.title() == "(3) bellboard"


def test_a_source_in_trouble_is_a_pill_with_its_reason(board: MockBoard, open_page: Open) -> None:
    board.put(*well())
    page = open_page().board()
    pills = page.locator("#health li")
    expect(pills).to_have_text(["claude up", "codex up", "gemini up", "opencode up", "pi up"])
    board.put(*unwell())
    expect(pills.nth(1)).to_have_text("codex degraded: its worker hung and is started again in 4 s, restarted 3×")
    expect(pills.nth(1)).to_have_class("degraded")
    expect(pills.nth(2)).to_contain_text("failed: 5 deaths in 5 minutes")
    expect(pills.nth(3)).to_contain_text("paused")
    board.put(*well())
    expect(pills.nth(1)).to_have_text("codex up")


def test_words_and_states_filter(board: MockBoard, open_page: Open) -> None:
    board.put(*day())
    page = open_page().board()
    wait_for(lambda: len(titles(page)) == 10, what="all that goes on")
    page.get_by_label("Filter", exact=True).fill("WEBSHOP payments")
    shown(page, "Move checkout to the new payment client")
    page.keyboard.press("Escape")
    wait_for(lambda: len(titles(page)) == 10, what="the filter gone")
    page.get_by_role("checkbox", name="needs you").check()
    shown(page, "Add an export button to the report page", "Why is the nightly job slow?")
    page.get_by_role("checkbox", name="needs you").uncheck()
    page.get_by_role("checkbox", name="working").uncheck()
    page.get_by_role("checkbox", name="idle").uncheck()
    wait_for(lambda: len(titles(page)) == 5, what="waiting ones")
    page.get_by_label("Filter", exact=True).fill("no such thing")
    expect(page.locator("#empty")).to_have_text("10 sessions do not match the filter.")


def test_the_drawer_tells_the_hour_the_tokens_and_why(board: MockBoard, open_page: Open) -> None:
    board.put(*day())
    board.remember("claude", "2d6c4a3e-3333", hour())
    page = open_page().board()
    page.get_by_role("button", name="Make the retry test stop flaking").click()
    drawer = page.locator("#drawer")
    expect(drawer.get_by_role("heading", level=2)).to_have_text("Make the retry test stop flaking")
    expect(drawer.locator(".verdict")).to_contain_text("the client's live registry says so (busy, process 4711)")
    label = drawer.get_by_role("img", name="The last 60 minutes").get_attribute("aria-label")
    assert label is not None
    assert {"working", "at the prompt", "needed you", "idle", "2 compactions"} == {
        part.strip().rstrip("0123456789 min").strip() if "compactions" not in part else part.strip()
        for part in label.partition(":")[2].split(",")
        if "tool call" not in part
    }
    bands = drawer.locator(".timeline rect:not(.tick)").evaluate_all("all => all.map(each => each.className.baseVal)")
    assert bands == ["working", "waiting", "working", "idle", "working", "needs", "working"]
    assert drawer.locator(".timeline .tick").count() > 20
    expect(drawer.locator(".timeline .compaction")).to_have_count(2)
    expect(drawer).to_contain_text("cache read612k")
    expect(drawer.locator(".subagents li")).to_have_count(4)
    board.session("claude", "2d6c4a3e-3333", message_count=49)
    expect(drawer.locator("dd", has_text="49")).to_be_visible()
    page.keyboard.press("Escape")
    expect(drawer).to_be_hidden()


def test_what_is_being_selected_in_the_drawer_stays(board: MockBoard, open_page: Open) -> None:
    board.put(working("claude", "one", "Mend the gate", "garden"))
    page = open_page().board()
    page.get_by_role("button", name="Mend the gate").click()
    page.locator("#drawer .facts").first.locator("dd").last.dblclick(position={"x": 6, "y": 8})
    board.session("claude", "one", title="Mend the fence")
    shown(page, "Mend the fence")
    assert page.evaluate("getSelection().toString()") == "one"
    page.evaluate("getSelection().removeAllRanges()")
    board.session("claude", "one", message_count=77)
    expect(page.locator("#drawer h2")).to_have_text("Mend the fence")


def test_everything_can_be_done_with_the_keyboard(board: MockBoard, open_page: Open) -> None:
    board.put(*day())
    page = open_page().board()
    wait_for(lambda: len(titles(page)) == 10, what="all that goes on")
    focused = "document.activeElement.textContent"
    order = titles(page)
    page.keyboard.press("j")
    assert page.evaluate(focused) == order[0]
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(focused) == order[1]
    page.keyboard.press("Enter")
    expect(page.locator("#drawer h2")).to_have_text(order[1])
    page.keyboard.press("j")
    page.keyboard.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    assert page.evaluate(focused) == order[1], "the focus comes back"
    page.keyboard.press("w")
    assert page.evaluate(focused) == "Why is the nightly job slow?"
    page.keyboard.press("w")
    assert page.evaluate(focused) == "Add an export button to the report page"
    page.keyboard.press("n")
    wait_for(lambda: len(titles(page)) == 2, what="those that need somebody")
    page.keyboard.press("n")
    page.keyboard.press("4")
    wait_for(lambda: len(titles(page)) == 12, what="the ended ones too")
    page.keyboard.press("1")
    wait_for(lambda: len(titles(page)) == 8, what="no working ones")
    page.keyboard.press("/")
    page.keyboard.type("j1w")
    assert page.get_by_label("Filter", exact=True).input_value() == "j1w", "letters are letters there"
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    before = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    page.reload()
    page.wait_for_selector("#connection.live")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != before, "it is remembered"
    for _ in range(4):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.matches('#needs button, #words, #needs ol, #theme, #keys')")


def test_a_screen_reader_hears_names_and_words(board: MockBoard, open_page: Open) -> None:
    board.put(*[each for each in day() if each.id in {"0b9e2c1a-1111", "5a3f7f6b-6666"}])
    board.put(*well())
    page = open_page().board()
    wait_for(lambda: len(titles(page)) == 2, what="both")
    heard = page.locator("body").aria_snapshot()
    for words in (
        'heading "bellboard"',
        "status: live",
        'region "Needs you"',
        'region "Sources"',
        'searchbox "Filter"',
        'checkbox "needs you"',
        'checkbox "working" [checked]',
        'table "Sessions by project"',
        'columnheader "State"',
        'rowheader "reports 1 session"',
        'cell "working"',
        'button "4m Add an export button to the report page needs permission reports · export-button · claude',
        'button "Backfill the events of last March"',
        'img "12 % of 258k"',
        'button "Switch between light and dark"',
    ):
        assert words in heard, f"{words} in\n{heard}"
    nameless = page.evaluate(
        "() => [...document.querySelectorAll('button, input, [role=img], dialog')].filter(e => !(e.textContent.trim() || "
        "e.labels?.length || e.getAttribute('aria-label') || e.getAttribute('aria-labelledby'))).map(e => e.outerHTML)"
    )
    assert nameless == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_stands_out_from_its_paper(
    board: MockBoard, stage: tuple[MockBoard, Web], open_page: Open, scheme: str
) -> None:
    board.put(*day())
    board.put(*unwell())
    watched = open_page(color_scheme=scheme, reduced_motion="reduce")
    page = watched.board()
    page.get_by_role("checkbox", name="ended").check()
    wait_for(lambda: len(titles(page)) == 12, what="every state")
    weak: dict[str, float] = {}
    counted = 0
    for step in ("board", "drawer", "help", "stale", "login"):
        if step == "drawer":
            page.get_by_role("button", name="Make the retry test stop flaking").click()
        elif step == "help":
            page.keyboard.press("Escape")
            page.keyboard.press("?")
        elif step == "stale":
            page.keyboard.press("Escape")
            board.stop()
            page.wait_for_selector("#connection.gone")
        elif step == "login":
            board.start()
            wait_for(lambda: stage[1].ask("/readyz").status == 200, 15, "the board")
            page.goto(page.url + "login")
            watched.forgive("503")  # what was asked of a board that is gone
        found: dict[str, float] = page.evaluate(CONTRASTS)
        counted += len(found)
        weak |= {f"{step}: {name}": ratio for name, ratio in found.items() if ratio < 4.5}
    assert counted > 80
    assert weak == {}


def test_nothing_moves_where_that_is_not_wanted(board: MockBoard, open_page: Open) -> None:
    board.put(working("claude", "one", "Mend the gate", "garden"))
    name = "getComputedStyle(document.querySelector('tr.working .glyph')).animationName"
    for motion, animation in (("reduce", "none"), ("no-preference", "breathe")):
        page = open_page(reduced_motion=motion).board()
        shown(page, "Mend the gate")
        assert page.evaluate(name) == animation


def test_on_a_phone_nothing_is_cut_off(board: MockBoard, open_page: Open) -> None:
    board.put(*day())
    page = open_page(viewport={"width": 360, "height": 740}, is_mobile=True).board()
    wait_for(lambda: len(titles(page)) == 10, what="all that goes on")
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.get_by_role("button", name="Make the retry test stop flaking").click()
    assert page.evaluate("document.querySelector('#drawer').scrollWidth <= 360")


HOSTILE = "<img src=x onerror=pwned=1>\"'><svg onload=pwned=1><script>pwned=1&amp;${pwned}"


def test_what_agents_wrote_stays_text_wherever_it_shows(board: MockBoard, open_page: Open) -> None:
    evil = Subagent(id="a", kind=HOSTILE, slug=HOSTILE, activity="working", current_tool=HOSTILE, model=HOSTILE)
    facts: dict[str, Any] = {
        "branch": HOSTILE,
        "model": HOSTILE,
        "tool": HOSTILE,
        "slug": HOSTILE,
        "client_version": HOSTILE,
        "parent_id": HOSTILE,
        "subagents": (evil,),
        "evidence": Evidence(kind="record", detail=HOSTILE),
        "end_reason": HOSTILE,
    }
    board.put(working("claude", HOSTILE, HOSTILE, HOSTILE, activity="waiting", waiting_for="permission", **facts))
    ended: dict[str, Any] = {"activity": "terminal", "lifecycle": "terminal", "completed_at": ago(5)}
    board.put(working("claude", "ended/x?y#z", HOSTILE, HOSTILE, **(facts | ended)))
    board.put(working("<b>", "third", "", HOSTILE, **facts))
    board.remember("claude", HOSTILE, hour())
    board.put(HealthState(source=f"{HOSTILE}", status="failed", reason=HOSTILE, last_error=HOSTILE))
    watched = open_page(prepare="window.pwned = 0;")
    page = watched.board()
    page.get_by_role("checkbox", name="ended").check()
    shown(page, HOSTILE, HOSTILE, HOSTILE)
    for place in (
        "#needs .title",
        "#needs .where",
        "#needs .because",
        ".project .name",
        ".branch",
        ".model",
        ".tool .name",
    ):
        expect(page.locator(place).first).to_contain_text(HOSTILE)
    expect(page.locator("#health li", has_text="failed: <img")).to_contain_text(f"failed: {HOSTILE}")
    seen = 0
    for number in range(3):
        page.locator("tbody button.title").nth(number).click()
        page.wait_for_selector(".timeline")
        seen += page.locator("#drawer").inner_text().count(HOSTILE)
        page.keyboard.press("Escape")
    assert seen >= 18, "in each of the three: title, project, detail, branch, model, version, parent, subagent"
    page.get_by_label("Filter", exact=True).fill(HOSTILE)
    assert page.evaluate("[window.pwned, document.querySelectorAll('main img, main script, #drawer img').length]") == [
        0,
        0,
    ]


def test_thousand_sessions_and_only_what_changed_is_touched(board: MockBoard, open_page: Open) -> None:
    still: dict[str, Any] = {
        "tool": None,
        "current_tool": None,
        "current_tool_started_at": None,
        "last_activity_at": ago(7200),
    }
    sessions = [working("claude", f"n{n}", f"t{n}", f"p{n % 40}", **still) for n in range(1000)]  # fmt: skip
    board.put(*sessions)
    page = open_page().board()
    wait_for(lambda: page.locator("tbody tr:not(.project)").count() == 1000, 20, "all of them")
    page.evaluate(COUNTING)
    changes = 300
    for number in range(changes):
        board.session("claude", f"n{number % 5 * 40}", current_tool=f"Tool{number}")
        board.session("claude", "n39", current_tool=f"Far{number}")
    page.wait_for_selector(f"tbody .tool .name >> text=Tool{changes - 1}")
    found = page.evaluate(TOUCHED)
    assert sorted(found["rows"]) == ["t0", "t120", "t160", "t40", "t80"], "none that nobody sees"
    assert found["records"] <= 10 * changes, "nodes that were touched"
    page.get_by_role("button", name="t39", exact=True).scroll_into_view_if_needed()
    page.wait_for_selector(f"tbody .tool .name >> text=Far{changes - 1}")


def test_a_page_that_nobody_looks_at_draws_nothing_but_calls(board: MockBoard, open_page: Open) -> None:
    page = open_page(prepare=HIDING).board()
    board.put(working("claude", "one", "Mend the gate", "garden"))
    shown(page, "Mend the gate")
    page.evaluate(COUNTING)
    page.evaluate("() => { window.away = true; document.dispatchEvent(new Event('visibilitychange')); }")
    for number in range(20):
        board.session("claude", "one", current_tool=f"Tool{number}")
    board.put(*many(20))
    board.session("claude", "one", activity="waiting", waiting_for="permission")
    wait_for(lambda: page.title().startswith("("), what="the call in the title")
    touched = page.evaluate("() => window.touched.records")
    assert touched <= 2, "what a screen reader is told, and nothing else"
    page.evaluate("() => { window.away = false; document.dispatchEvent(new Event('visibilitychange')); }")
    wait_for(lambda: len(titles(page)) == 21, what="everything, once somebody looks")


def test_without_the_token_there_is_a_form_and_no_board(stage: tuple[MockBoard, Web], open_page: Open) -> None:
    web = stage[1]
    watched = open_page(cookie=False)
    page = watched.page
    page.goto(watched.url)
    assert page.locator("#board").count() == 0
    page.get_by_label("Token").fill("not-the-token-at-all")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("not the token")
    page.get_by_label("Token").fill(web.token)
    page.get_by_role("button", name="Open the board").click()
    page.wait_for_selector("#connection.live")
    assert page.url == f"{watched.url}/"
    assert page.evaluate("document.cookie") == "", "no script can read it"
    watched.forgive("401")


def test_the_link_opens_the_board_once_and_leaves_no_trace_in_the_address(
    stage: tuple[MockBoard, Web], open_page: Open
) -> None:
    link = f"/login?code={stage[1].code}"
    first, second = open_page(cookie=False), open_page(cookie=False)
    first.page.goto(first.url + link)
    first.page.wait_for_selector("#connection.live")
    assert first.page.url == f"{first.url}/"
    second.page.goto(second.url + link)
    expect(second.page.get_by_role("alert")).to_contain_text("used already")
    second.page.goto(second.url)
    assert second.page.locator("#board").count() == 0
    second.forgive("401")

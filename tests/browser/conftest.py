"""Fixtures of the tests in a real browser: one Chromium and one gateway for a module, a fresh page for each test."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from harness import House, short_folder, wait_for

pytest.importorskip("playwright", reason="needs Playwright: pip install '.[browser]'")
pytest.importorskip("starlette", reason="needs the extra `web`")

from browser import Watched, chromium, open_browser
from playwright.sync_api import Browser
from web import Web

from bellboard.protocol.testing import MockBoard

Open = Callable[..., Watched]


@pytest.fixture(scope="module")
def chrome() -> Iterator[Browser]:
    path = chromium()
    if path is None:
        pytest.skip("no Chromium: install the package chromium, or name one in BELLBOARD_TEST_CHROMIUM")
    with open_browser(path) as browser:
        yield browser


@pytest.fixture(scope="module")
def stage() -> Iterator[tuple[MockBoard, Web]]:
    """A board and a gateway to it."""
    with short_folder() as folder:
        home = House(folder)
        with MockBoard(str(home.runtime)) as made:
            web = Web(home)
            try:
                wait_for(lambda: web.ask("/readyz").status == 200, 15, "the gateway's board")
                yield made, web
            finally:
                web.close()


@pytest.fixture
def board(stage: tuple[MockBoard, Web]) -> MockBoard:
    """The board, empty."""
    for source, name in stage[0].sessions:
        stage[0].remove(source, name)
    return stage[0]


@pytest.fixture
def open_page(chrome: Browser, stage: tuple[MockBoard, Web]) -> Iterator[Open]:
    """Open the page with the cookie; what it did wrong is told at the end."""
    made: list[Watched] = []

    def start(web: Web | None = None, **options: Any) -> Watched:
        made.append(Watched(chrome, web or stage[1], **options))
        return made[-1]

    yield start
    for each in made:
        each.close()


@pytest.fixture
def house() -> Iterator[House]:
    with short_folder() as folder:
        made = House(folder)
        try:
            yield made
        finally:
            made.close()

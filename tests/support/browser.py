"""A real browser for tests: headless Chromium, driven by Playwright. Where either is absent, it is said which."""

import contextlib
import os
import shutil
from collections.abc import Generator
from typing import Any

from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright
from web import Web

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def chromium() -> str | None:
    """Where Chromium is (`BELLBOARD_TEST_CHROMIUM` names another one), None if there is none."""
    return os.environ.get("BELLBOARD_TEST_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)


@contextlib.contextmanager
def open_browser(path: str | None) -> Generator[Browser]:
    """Start the browser, and end it."""
    # Chromium's own sandbox does not work for root; the only pages it sees are ours.
    args = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """One page in a context of its own. Whatever it complains of, or asks of anybody but its gateway, is an error."""

    def __init__(self, browser: Browser, web: Web, *, cookie: bool = True, prepare: str = "", **options: Any) -> None:
        self.url = f"http://localhost:{web.port}"
        whole: dict[str, Any] = {"viewport": {"width": 1280, "height": 800}} | options
        self._context = browser.new_context(**whole)
        if cookie:
            self._context.add_cookies([{"name": "bellboard", "value": web.token, "url": self.url}])
        if prepare:
            self._context.add_init_script(prepare)
        self.page = self._context.new_page()
        self.page.set_default_timeout(15_000)
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._asked)
        self.page.on("websocket", lambda line: self.complaints.append(f"asked {line.url}"))

    def board(self) -> Page:
        """Open the board and wait until it is live."""
        self.page.goto(self.url)
        self.page.wait_for_selector("#connection.live")
        return self.page

    def close(self) -> None:
        """Close it, and tell what it did wrong."""
        self._context.close()
        assert self.complaints == [], self.complaints

    def forgive(self, words: str) -> None:
        """Let what holds these words be no error: the test itself has brought it about."""
        self.complaints = [each for each in self.complaints if words not in each]

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(message.text)

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((self.url + "/", "data:image/svg+xml,")):
            self.complaints.append(f"asked {request.url}")

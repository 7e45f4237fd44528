"""A real browser for tests: headless Chromium, driven by Playwright. Where either is absent, it is said which."""

import contextlib
import os
import shutil
from collections.abc import Generator

from playwright.sync_api import Browser, sync_playwright

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

"""Pictures of the page, of synthetic data: `python -m tests.page_pictures [FOLDER]`. Needs the extras `web`, `browser`."""

import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "support"))

from browser import chromium, open_browser
from fleet_scene import FLEET_HEALTH, FLEET_SESSIONS
from harness import House, short_folder, wait_for
from playwright.sync_api import Browser, Page
from synthetic import board, hour, many, minutes, unwell, well
from web import Web

from bellboard.protocol.testing import MockBoard

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
RICH = "2d6c4a3e-3333"


def main(folder: Path) -> None:
    """Make all pictures in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with house() as (shown, web), open_browser(chromium()) as browser:
        take = Camera(browser, web, folder)
        take("desktop-light", "light")
        take("desktop-dark", "dark")
        take("phone-light", "light", PHONE)
        take("phone-dark", "dark", PHONE)
        take("drawer-light", "light", do=drawer)
        take("drawer-dark", "dark", do=drawer)
        take("drawer-phone", "dark", PHONE, do=drawer)
        take("help", "light", do=lambda page: page.keyboard.press("?"))
        take("filter-empty", "light", do=lambda page: page.fill("#words", "nothing like this"))
        take("login", "light", path="/login")
        take("login-dark", "dark", path="/login")
        shown.put(*unwell())
        take("degraded-light", "light")
        take("degraded-phone", "dark", PHONE)
        take("stale-light", "light", do=lambda page: gone(page, shown))
        shown.start()
        take("stale-phone", "dark", PHONE, do=lambda page: gone(page, shown))
        shown.start()
        wait_for(lambda: web.ask("/readyz").status == 200, 15, "the board")
        for source, name in shown.sessions:
            shown.remove(source, name)
        take("empty", "light")
        shown.put(*many(1000))
        for number, (source, name) in enumerate(shown.sessions):
            shown.remember(source, name, minutes(number))
        shown.put(*well())
        take("thousand-light", "light")
        take("thousand-dark", "dark")
    with house(fleet=True) as (shown, web), open_browser(chromium()) as browser:
        take = Camera(browser, web, folder)
        take("fleet-light", "light")
        take("fleet-dark", "dark")
        take("fleet-phone", "dark", PHONE)


@contextmanager
def house(*, fleet: bool = False) -> Generator[tuple[MockBoard, Web]]:
    """A board with the day's sessions, of this machine or of three, and a gateway to it."""
    with short_folder() as place:
        home = House(place)
        with MockBoard(str(home.runtime)) as shown:
            shown.put(*(FLEET_SESSIONS if fleet else board()))
            for number, session in enumerate(shown.sessions.values()):
                shown.remember(session.origin, session.id, hour(number))
            shown.put(*(FLEET_HEALTH if fleet else well()))
            web = Web(home)
            try:
                wait_for(lambda: web.ask("/readyz").status == 200, 15, "the board")
                yield shown, web
            finally:
                web.close()


class Camera:
    """Opens the page and takes a picture of it."""

    def __init__(self, browser: Browser, web: Web, folder: Path) -> None:
        self._browser, self._web, self._folder = browser, web, folder

    def __call__(
        self,
        name: str,
        scheme: str,
        size: dict[str, int] = DESKTOP,
        *,
        path: str = "/",
        do: Callable[[Page], object] = lambda _: None,
    ) -> None:
        """Take one."""
        url = f"http://localhost:{self._web.port}"
        context = self._browser.new_context(
            color_scheme=scheme,  # pyright: ignore[reportArgumentType]
            viewport=size,  # pyright: ignore[reportArgumentType]
            device_scale_factor=1.5,
            reduced_motion="reduce",
        )
        context.add_cookies([{"name": "bellboard", "value": self._web.token, "url": url}])
        page = context.new_page()
        page.goto(url + path)
        if path == "/":
            page.wait_for_selector("#connection.live")
            page.wait_for_function(
                "document.querySelector('.spark path')?.getAttribute('d')?.length || !document.querySelector('tbody')"
            )
        do(page)
        page.wait_for_timeout(250)
        page.screenshot(path=self._folder / f"{name}.png")
        context.close()
        sys.stderr.write(f"{name}\n")


def drawer(page: Page) -> None:
    """Open the rich hour."""
    page.get_by_role("button", name="Make the retry test stop flaking").click()
    page.wait_for_selector(".timeline")


def gone(page: Page, shown: MockBoard) -> None:
    """End the board."""
    shown.stop()
    page.wait_for_selector("#connection.gone", timeout=15000)


def names(words: Iterable[str]) -> Path:
    """The folder that was named, or a temporary one."""
    given = list(words)
    return Path(given[0]) if given else Path(tempfile.mkdtemp(prefix="bellboard-pictures-"))


if __name__ == "__main__":
    target = names(sys.argv[1:])
    main(target)
    sys.stdout.write(f"{target}\n")

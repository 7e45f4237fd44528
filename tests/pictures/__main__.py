"""Pictures of the page, with synthetic data: `python -m tests.pictures [FOLDER]`. Needs the extras `web` and `browser`."""

import sys
import tempfile
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from browser import chromium, open_browser
from harness import House, short_folder, wait_for
from playwright.sync_api import Browser, Page
from stand_in import StandIn
from synthetic import board, counts, hour, many, unwell, well
from web import Web

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
RICH = "2d6c4a3e-3333"


def main(folder: Path) -> None:
    """Make all pictures in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    with house() as (stand_in, web), open_browser(chromium()) as browser:
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
        for state in unwell():
            stand_in.sicken(state)
        take("degraded-light", "light")
        take("degraded-phone", "dark", PHONE)
        take("stale-light", "light", do=lambda page: gone(page, stand_in))
        stand_in.start()
        take("stale-phone", "dark", PHONE, do=lambda page: gone(page, stand_in))
        stand_in.start()
        wait_for(lambda: web.ask("/readyz").status == 200, 15, "the board")
        stand_in.say_all(list(stand_in.sessions.values()), "removed")
        take("empty", "light")
        stand_in.say_all(many(1000), "discovered")
        for number, (source, name) in enumerate(stand_in.sessions):
            stand_in.remember(source, name, counts=counts(number))
        for state in well():
            stand_in.sicken(state)
        take("thousand-light", "light")
        take("thousand-dark", "dark")


@contextmanager
def house() -> Generator[tuple[StandIn, Web]]:
    """A stand-in with the day's sessions, and a gateway to it."""
    with short_folder() as place:
        home = House(place)
        with StandIn(str(home.runtime)) as stand_in:
            stand_in.say_all(board(), "discovered")
            for number, session in enumerate(stand_in.sessions.values()):
                stand_in.remember(session.source, session.id, hour(number), counts(number))
            for state in well():
                stand_in.sicken(state)
            web = Web(home)
            try:
                wait_for(lambda: web.ask("/readyz").status == 200, 15, "the board")
                yield stand_in, web
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


def gone(page: Page, stand_in: StandIn) -> None:
    """End the board."""
    stand_in.stop()
    page.wait_for_selector("#connection.gone", timeout=15000)


def names(words: Iterable[str]) -> Path:
    """The folder that was named, or a temporary one."""
    given = list(words)
    return Path(given[0]) if given else Path(tempfile.mkdtemp(prefix="bellboard-pictures-"))


if __name__ == "__main__":
    target = names(sys.argv[1:])
    main(target)
    sys.stdout.write(f"{target}\n")

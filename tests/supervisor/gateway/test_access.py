import pytest

from bellboard.supervisor.gateway.access import Access, own_hosts

TOKEN = "a-token-that-nobody-knows"
ACCESS = Access(hosts=own_hosts("127.0.0.1", 2355, ()), token=TOKEN)
OURS = {"host": "localhost:2355"}
WITH_TOKEN = {**OURS, "authorization": f"Bearer {TOKEN}"}


def judged(headers: dict[str, str], path: str = "/api/v1/sessions") -> tuple[int, str] | None:
    refusal = ACCESS.judge(path, headers)
    return None if refusal is None else (refusal.status, refusal.code)


@pytest.mark.parametrize("host", ["localhost:2355", "127.0.0.1:2355", "[::1]:2355", "LocalHost:2355"])
def test_our_own_names_are_answered(host: str) -> None:
    assert judged({**WITH_TOKEN, "host": host}) is None


@pytest.mark.parametrize(
    "host", ["", "evil.example", "evil.example:2355", "localhost", "localhost:80", "127.0.0.1:2356"]
)
def test_a_name_that_is_not_ours_is_refused_whatever_it_resolves_to(host: str) -> None:
    assert judged({**WITH_TOKEN, "host": host}) == (421, "wrong_host")
    assert judged({"host": host}, "/healthz") == (421, "wrong_host"), "also where no token is needed"


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:2356", "http://localhost"])
def test_a_page_of_another_site_is_refused_also_with_the_token(origin: str) -> None:
    assert judged({**WITH_TOKEN, "origin": origin}) == (403, "wrong_origin")
    assert judged({**OURS, "origin": origin}, "/readyz") == (403, "wrong_origin")


def test_our_own_page_may_ask() -> None:
    assert judged({**WITH_TOKEN, "origin": "http://localhost:2355", "sec-fetch-site": "same-origin"}) is None


def test_a_browser_that_says_it_comes_from_elsewhere_may_open_the_page_but_not_read() -> None:
    assert judged({**WITH_TOKEN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, "/") is None
    assert judged({**WITH_TOKEN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}) == (403, "wrong_origin")
    assert judged({**WITH_TOKEN, "sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}) == (403, "wrong_origin")


@pytest.mark.parametrize(
    "shown",
    [
        {},
        {"authorization": TOKEN},
        {"authorization": f"Basic {TOKEN}"},
        {"cookie": "bellboard=wrong"},
        {"cookie": f"other={TOKEN}"},
        {"cookie": "bellboard"},
        {"cookie": "\x00;;=,"},
        {"authorization": "Bearer "},
    ],
)
def test_without_the_token_nothing_is_told(shown: dict[str, str]) -> None:
    assert judged({**OURS, **shown}) == (401, "no_token")


@pytest.mark.parametrize("shown", ["Bearer gerät", "bearer wrong", f"Bearer {TOKEN}x"])
def test_a_token_that_is_not_ours_is_called_wrong(shown: str) -> None:
    assert judged({**OURS, "authorization": shown}) == (401, "wrong_token")


@pytest.mark.parametrize(
    "shown",
    [{"authorization": f"bearer {TOKEN}"}, {"cookie": f"bellboard={TOKEN}"}, {"cookie": f"a=b; bellboard={TOKEN}"}],
)
def test_the_token_is_shown_as_bearer_or_as_our_cookie(shown: dict[str, str]) -> None:
    assert judged({**OURS, **shown}) is None


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/login"])
def test_what_says_nothing_of_any_session_needs_no_token(path: str) -> None:
    assert judged(OURS, path) is None


@pytest.mark.parametrize(
    "path", ["/", "/metrics", "/api/v1/events", "/healthz/", "//healthz", "/healthz/../api/v1/sessions"]
)
def test_everything_else_needs_it(path: str) -> None:
    assert judged(OURS, path) == (401, "no_token")


def test_names_that_were_allowed_are_ours_and_an_address_for_all_is_no_name() -> None:
    assert own_hosts("0.0.0.0", 80, ("board.lan", "box:8080")) == frozenset(
        (
            *("localhost:80", "127.0.0.1:80", "[::1]:80", "board.lan:80", "box:8080"),
            *("localhost", "127.0.0.1", "[::1]", "board.lan", "box:8080"),
        )
    )
    assert "192.0.2.7:2355" in own_hosts("192.0.2.7", 2355, ())
    assert "[2001:db8::1]:2355" in own_hosts("2001:db8::1", 2355, ())

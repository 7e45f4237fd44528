import pytest

from bellboard.supervisor.errors import UsageError
from bellboard.supervisor.fleet.settings import NatsSettings, checked, exporters_inbox


@pytest.mark.parametrize("url", ["nats://host:4222", "tls://host:4222", "nats://host", "nats://[::1]:4222"])
def test_a_url_names_a_server(url: str) -> None:
    assert checked(url) == url


@pytest.mark.parametrize(
    "url",
    ["", "host:4222", "http://host", "nats://", "nats://host:99999", "nats://host:x", "nats://host/path", "nats://[x"],
)
def test_what_names_none_is_refused_with_what_to_write(url: str) -> None:
    with pytest.raises(UsageError, match="write nats://HOST:PORT or tls://HOST:PORT"):
        checked(url)


@pytest.mark.parametrize(
    "url",
    [
        "nats://me:secret@host:4222",
        "nats://secret@host",
        "http://me:secret@host",
        "nats:me:secret@host:4222",
        "me:secret@host:4222",
        "nats:///me:secret@host",
    ],
)
def test_a_password_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError, match="--creds") as caught:
        checked(url)
    assert "secret" not in str(caught.value)


def test_nothing_is_said_in_the_open_with_tls_or_a_certificate_to_trust() -> None:
    assert [
        NatsSettings(url="nats://h").secure,
        NatsSettings(url="tls://h").secure,
        NatsSettings(url="nats://h", ca="f").secure,
    ] == [False, True, True]


def test_each_machine_is_answered_apart() -> None:
    assert exporters_inbox("build.example.org") == "_INBOX_build=2Eexample=2Eorg"

import os
import sys

import pytest

from bellboard.protocol.addresses import CONTROL, EVENTS, INGEST, PATH_LIMIT, SNAPSHOT, address, default_runtime_dir
from bellboard.protocol.errors import AddressError


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("BELLBOARD_RUNTIME_DIR", "XDG_RUNTIME_DIR", "TMPDIR"):
        monkeypatch.delenv(name, raising=False)


def test_the_four_sockets_have_the_names_that_clients_rely_on() -> None:
    assert (EVENTS, SNAPSHOT, CONTROL, INGEST) == ("events.sock", "snapshot.sock", "control.sock", "ingest.sock")


def test_the_chosen_folder_comes_before_the_one_of_the_system(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    assert default_runtime_dir() == "/run/user/7/bellboard"
    monkeypatch.setenv("BELLBOARD_RUNTIME_DIR", "/elsewhere")
    assert default_runtime_dir() == "/elsewhere"


def test_a_chosen_folder_may_be_relative_or_begin_at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.setenv("BELLBOARD_RUNTIME_DIR", "~/bells")
    assert default_runtime_dir() == "/home/ann/bells"
    monkeypatch.setenv("BELLBOARD_RUNTIME_DIR", "bells")
    assert default_runtime_dir() == os.path.join(os.getcwd(), "bells")


def test_without_any_word_the_folder_is_a_temporary_one_of_this_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_runtime_dir() == f"/tmp/bellboard-{os.getuid()}"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert default_runtime_dir() == f"/tmp/bellboard-{os.getuid()}"
    monkeypatch.setenv("TMPDIR", "/var/folders/x/T")
    assert default_runtime_dir() == "/var/folders/x/T/bellboard"


def test_an_address_is_the_path_of_the_socket() -> None:
    assert address("/run/bellboard", EVENTS) == "ipc:///run/bellboard/events.sock"


def test_a_path_that_is_too_long_is_refused_with_what_to_do_about_it() -> None:
    longest = "/" + "a" * (PATH_LIMIT - len("//events.sock"))
    assert address(longest, EVENTS) == f"ipc://{longest}/events.sock"
    with pytest.raises(AddressError, match=r"has 101 bytes, at most 100 work: choose a shorter folder"):
        address(longest + "a", EVENTS)


def test_the_length_of_a_path_is_counted_in_bytes() -> None:
    assert address("/" + "a" * 80, EVENTS)
    with pytest.raises(AddressError, match="BELLBOARD_RUNTIME_DIR"):
        address("/" + "ä" * 80, EVENTS)

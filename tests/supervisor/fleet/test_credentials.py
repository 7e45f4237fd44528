from pathlib import Path

import pytest

from bellboard.supervisor.errors import UsageError
from bellboard.supervisor.fleet.credentials import Login, read_login

CREDS = """-----BEGIN NATS USER JWT-----
eyJ0
------END NATS USER JWT------
-----BEGIN USER NKEY SEED-----
SUAXXX
------END USER NKEY SEED------
"""


def file(tmp_path: Path, text: str, mode: int = 0o600) -> str:
    path = tmp_path / "creds"
    path.write_text(text)
    path.chmod(mode)
    return str(path)


def test_without_a_file_there_is_nothing_to_show() -> None:
    assert read_login(None) == {}


@pytest.mark.parametrize(
    ("text", "login"),
    [
        ("laptop:pa:ss\n", {"user": "laptop", "password": "pa:ss"}),
        ("SUAMLPNKL\n", {"nkeys_seed_str": "SUAMLPNKL"}),
        ("SUSAN:secret\n", {"user": "SUSAN", "password": "secret"}),
    ],
)
def test_each_kind_is_known_by_its_looks(tmp_path: Path, text: str, login: Login) -> None:
    assert read_login(file(tmp_path, text)) == login


def test_a_creds_file_is_left_to_the_client(tmp_path: Path) -> None:
    path = file(tmp_path, CREDS)
    assert read_login(path) == {"user_credentials": path}


@pytest.mark.parametrize("text", ["", "only words here", "nocolon", ":secret", "laptop:", "a:b\nc:d"])
def test_what_is_none_is_refused_without_repeating_it(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match="holds no credentials: write") as caught:
        read_login(file(tmp_path, text))
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_a_file_that_others_may_read_is_refused_with_what_mends_it(tmp_path: Path, mode: int) -> None:
    path = file(tmp_path, "laptop:secret", mode)
    with pytest.raises(UsageError, match=f"others may read the credentials {path}: chmod 600 {path}"):
        read_login(path)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot read the credentials .*nowhere: No such file"):
        read_login(str(tmp_path / "nowhere"))

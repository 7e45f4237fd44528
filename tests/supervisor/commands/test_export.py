import pytest

from bellboard.supervisor.arguments import parse
from bellboard.supervisor.commands import export
from bellboard.supervisor.errors import SupervisorError


@pytest.mark.parametrize(("absent", "named"), [("nats", "nats-py"), ("nkeys", "nkeys")])
def test_without_the_extra_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch, absent: str, named: str) -> None:
    def found(name: str) -> object | None:
        return None if name == absent else object()

    monkeypatch.setattr(export, "find_spec", found)
    with pytest.raises(SupervisorError, match=rf"{named} is not installed: pip install 'bellboard\[fleet\]'"):
        export.run(parse(["export", "nats", "--url", "nats://localhost"]))


def test_an_aide_is_given_the_folders_of_its_board_and_keeps_nothing_where_the_board_does_not() -> None:
    words = ["--config", "c", "--runtime-dir", "/r", "run", "--state-dir", "/s", "--export"]
    wanted = ("export", "nats", "--config", "c", "--runtime-dir", "/r", "--state-dir", "/s")
    assert export.words(parse(words)) == wanted
    assert export.words(parse([*words, "--ephemeral"])) == (*wanted, "--ephemeral")
    assert parse(list(wanted)).engine == "nats"

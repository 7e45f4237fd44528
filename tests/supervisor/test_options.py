import argparse

import pytest

from bellboard.supervisor import options
from bellboard.supervisor.arguments import parse


@pytest.mark.parametrize("line", ["--config /c -v health --runtime-dir /r", "health --config /c --runtime-dir /r -v"])
def test_what_is_common_may_stand_before_and_after_the_command(line: str) -> None:
    found = vars(parse(line.split()))
    assert (found["config"], found["runtime_dir"], found["verbose"]) == ("/c", "/r", 1)


@pytest.mark.parametrize("line", ["--fleet tls://h --creds c health --ca a", "health --ca a --creds c --fleet tls://h"])
def test_a_fleet_may_be_named_before_and_after_the_command(line: str) -> None:
    found = vars(parse(line.split()))
    assert (found["fleet"], found["creds"], found["ca"]) == ("tls://h", "c", "a")


@pytest.mark.parametrize(("line", "meant"), [("", None), ("--fleet", ""), ("--fleet nats://h", "nats://h")])
def test_a_fleet_without_a_name_is_not_the_same_as_none(line: str, meant: str | None) -> None:
    assert parse(line.split()).fleet == meant


def test_what_is_hidden_is_understood_and_not_in_the_help() -> None:
    parser = argparse.ArgumentParser(add_help=False)
    options.fleet(parser, hidden=True)
    assert vars(parser.parse_args(["--fleet", "nats://h", "--creds", "c"])) == {"fleet": "nats://h", "creds": "c"}
    assert parser.format_help().count("--") == 0

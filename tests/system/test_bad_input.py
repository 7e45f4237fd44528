"""What is wrong is said in a sentence, with the right exit code, and nothing is lost."""

import os
from pathlib import Path

import pytest
from harness import House, command, wait_for


def test_an_unknown_source_is_a_usage_error_that_lists_the_known_ones(house: House) -> None:
    done = house.command("run", "--source", "nobody")
    assert done.returncode == 2
    assert "unknown source 'nobody' (known: claude, codex, gemini" in done.stderr


def test_a_missing_folder_is_a_usage_error_that_names_it(house: House) -> None:
    done = house.command("sessions", "--once", "--source", "claude=/no/such/folder")
    assert done.returncode == 2
    assert "/no/such/folder is not a folder" in done.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_unreadable_folder_is_a_usage_error_that_names_it(house: House) -> None:
    folder = house.root / "closed"
    folder.mkdir(mode=0o000)
    done = house.command("sessions", "--once", "--source", f"claude={folder}")
    assert done.returncode == 2
    assert f"{folder} cannot be read: permission denied" in done.stderr


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[board\n", "is not valid TOML"),
        (
            "[board]\nstail_after = 3\n",
            "config.toml, line 2: unknown key `stail_after` in [board]: did you mean `stale_after`?",
        ),
        ('[board]\nstale_after = "soon"\n', "'soon' is no duration"),
        ('[sources.claude]\nhomee = "x"\n', "line 2: unknown key `homee` in [sources.claude]: did you mean `home`?"),
        ("[sources.nobody]\n", "unknown source `nobody`"),
    ],
)
def test_a_bad_configuration_is_a_usage_error_that_names_the_place(house: House, text: str, sentence: str) -> None:
    house.config.write_text(text)
    done = house.command("run")
    assert done.returncode == 2
    assert sentence in done.stderr
    assert str(house.config) in done.stderr
    assert "Traceback" not in done.stderr


def test_a_runtime_folder_that_is_too_long_for_a_socket_is_refused_with_the_setting_to_change(house: House) -> None:
    done = house.command("run", "--runtime-dir", f"{house.root}/{'x' * 90}")
    assert done.returncode == 1
    assert "choose a shorter folder with --runtime-dir" in done.stderr


def test_a_state_folder_that_cannot_be_made_is_refused(house: House) -> None:
    (house.root / "file").write_text("")
    done = house.command("run", "--state-dir", f"{house.root}/file/state", "--source", "mock")
    assert done.returncode == 1
    assert "cannot make the state folder" in done.stderr


def test_a_state_folder_on_a_full_disk_is_refused(house: House) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("this system has no /dev/full")
    house.state.mkdir(mode=0o700)
    (house.state / "board.sqlite").symlink_to(full)
    done = house.command("run", "--source", "mock")
    assert done.returncode == 1
    assert "cannot open the database" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_corrupt_database_is_moved_aside_and_rebuilt_and_that_is_said(house: House) -> None:
    house.state.mkdir(mode=0o700)
    (house.state / "board.sqlite").write_bytes(b"this is no database, and long enough to be looked at" * 100)
    house.start("--source", "mock")
    assert "moved aside" in house.log()
    assert wait_for(lambda: list(house.state.glob("board.sqlite.corrupt-*")))
    assert house.command("health").returncode == 0


def test_help_and_version_answer_without_anything_running() -> None:
    assert command("--version").stdout.startswith("bellboard 0.")
    done = command("--help")
    assert done.returncode == 0
    assert "examples:" in done.stdout
    assert command("frobnicate").returncode == 2

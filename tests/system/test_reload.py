"""A supervisor that reads its configuration again touches only what differs."""

import signal

from faulty import append, settle
from harness import House, wait_for

from bellboard.protocol import Subscriber


def test_a_reload_starts_ends_and_restarts_only_what_differs(house: House) -> None:
    settle(house, "same", "gone", "moved")
    supervisor = house.start()
    wait_for(lambda: len(house.workers()) == 3, what="three workers")
    before = {name: state["pid"] for name, state in house.health().items()}
    append(house, "same", "one")

    settle(house, "same", "moved", "new")
    text = house.config.read_text()
    (house.homes / "elsewhere").mkdir()
    append(house, "elsewhere", "two")
    house.config.write_text(text.replace(f'"{house.homes / "moved"}"', f'"{house.homes / "elsewhere"}"'))
    done = house.command("ctl", "reload")
    assert (done.returncode, done.stdout) == (0, "")
    assert "started new; ended gone; restarted moved" in done.stderr
    wait_for(lambda: {"one", "two"} <= house.sessions().keys(), what="the session of the other home")
    after = wait_for(
        lambda: found if (found := house.health())["gone"]["reason"] == "taken out of the configuration" else None
    )
    assert (after["same"]["pid"], after["moved"]["pid"] == before["moved"]) == (before["same"], False)
    assert {state["restarts"] for state in after.values()} == {0}

    house.config.write_text("nonsense = 1")
    refused = house.command("ctl", "reload")
    assert refused.returncode == 1
    assert refused.stderr.startswith("bellboard: nothing was changed: ")
    assert "unknown key `nonsense`" in refused.stderr
    supervisor.send_signal(signal.SIGHUP)
    append(house, "same", "one")
    wait_for(lambda: house.sessions()["one"]["message_count"] == 2, what="the board after a bad reload")
    assert supervisor.poll() is None


def test_what_workers_write_is_kept_in_bounded_files_in_the_state_folder(house: House) -> None:
    settle(house, "noisy")
    source = house.root / "faulty_source.py"
    source.write_text(source.read_text() + "\nprint('hello from the source', flush=True)\n")
    house.start()
    log = house.state / "logs" / "noisy.log"
    wait_for(lambda: log.exists() and "hello from the source" in log.read_text(), what="the line in the log")
    assert (house.state / "logs").stat().st_mode & 0o777 == 0o700


def test_a_source_that_is_taken_out_and_comes_back_has_its_counts_and_nobody_shows_it_meanwhile(house: House) -> None:
    settle(house, "same", "other")
    append(house, "other", "one", *["line"] * 10)
    house.start()
    wait_for(lambda: house.sessions().get("one", {}).get("message_count") == 10, what="ten lines")
    with Subscriber(str(house.runtime)) as board:
        board.join()
        settle(house, "same")
        assert house.command("ctl", "reload").returncode == 0
        wait_for(lambda: board.receive(0.1) and not board.sessions, what="the end of its session")
        append(house, "other", "one")
        settle(house, "same", "other")
        assert house.command("ctl", "reload").returncode == 0
        wait_for(
            lambda: (
                board.receive(0.1)
                and ("other", "one") in board.sessions
                and board.sessions["other", "one"].message_count == 11
            ),
            what="eleven lines",
        )
    assert house.sessions()["one"]["message_count"] == 11


def test_a_source_that_was_disabled_at_a_start_and_is_enabled_by_a_reload_goes_on_with_its_counts(house: House) -> None:
    settle(house, "same", "other")
    append(house, "other", "one", *["line"] * 10)
    supervisor = house.start()
    wait_for(lambda: house.sessions().get("one", {}).get("message_count") == 10, what="ten lines")
    supervisor.send_signal(signal.SIGTERM)
    supervisor.wait(12)
    settle(house, "same")
    house.start()
    settle(house, "same", "other")
    assert house.command("ctl", "reload").returncode == 0
    append(house, "other", "one")
    wait_for(lambda: house.sessions().get("one", {}).get("message_count") == 11, what="eleven lines")


def test_a_pause_outlives_that_the_source_is_taken_out(house: House) -> None:
    settle(house, "same", "other")
    house.start()
    assert house.command("ctl", "pause", "other").returncode == 0
    settle(house, "same")
    assert house.command("ctl", "reload").returncode == 0
    settle(house, "same", "other")
    assert house.command("ctl", "reload").returncode == 0
    wait_for(lambda: house.health()["other"]["reason"] == "paused by command", what="the pause")
    append(house, "same", "one")
    wait_for(lambda: "one" in house.sessions(), what="the other source's worker")
    assert len(house.workers()) == 1


def test_a_file_that_is_nested_beyond_measure_changes_nothing(house: House) -> None:
    settle(house, "same")
    supervisor = house.start()
    for text in ("x = " + "[" * 5000, "[board]\nstale_after = " + "9" * 400):
        house.config.write_text(text)
        refused = house.command("ctl", "reload")
        assert (refused.returncode, "nothing was changed" in refused.stderr) == (1, True)
    assert supervisor.poll() is None


def test_a_folder_that_is_named_and_is_not_there_is_no_healthy_source_until_it_is(house: House) -> None:
    settle(house, "same")
    append(house, "same", "one")
    house.start()
    wait_for(lambda: "one" in house.sessions(), what="the session")
    nowhere = house.homes / "nowhere"
    pi = f'[sources.pi]\nhome = "{nowhere}"\n'
    house.config.write_text(house.config.read_text().replace("[sources.pi]\nenabled = false\n", pi))
    assert f"pi: there is no {nowhere} (named by configuration)" in house.command("config", "check").stderr
    assert house.command("ctl", "reload").returncode == 0
    wait_for(lambda: house.health()["pi"]["status"] == "degraded", what="the missing folder")
    told = house.command("health")
    assert (told.returncode, "not found: looked in " in told.stdout) == (4, True)
    nowhere.mkdir()
    wait_for(lambda: house.health()["pi"]["status"] == "healthy", what="the folder")
    assert house.command("health").returncode == 0

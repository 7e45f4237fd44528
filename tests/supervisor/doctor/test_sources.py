from typing import Any

import pytest
from msgspec import structs

from bellboard.protocol.place import Place
from bellboard.protocol.session import HealthState
from bellboard.protocol.sight import Sight
from bellboard.supervisor.doctor.sources import MORE_WATCHES, Case, age, findings, registered, whole
from bellboard.supervisor.doctor.spots import Ground, Mount

NOW = 1_800_000_000.0
HOME = "/home/anna/.codex"
PLACE = Place(path=HOME, why="default")
WELL = Sight(version="1", places=(PLACE,), sessions=3, live=1, newest=NOW - 90, tried=3, client="0.169.0", folders=5)


def sight(**facts: Any) -> Sight:
    plain = Sight(version="1", places=(PLACE,), sessions=1, newest=NOW, tried=1, folders=1)
    return structs.replace(plain, **facts)


def judge(look: Sight | str, **facts: Any) -> list[tuple[str, str, str, str | None]]:
    case = structs.replace(Case(name="codex", look=look, now=NOW), **facts)
    return [(each.what, each.verdict, each.text, each.mend) for each in findings(case)]


def amiss(look: Sight | str, **facts: Any) -> list[tuple[str, str, str, str | None]]:
    return [each for each in judge(look, **facts) if each[1] != "ok"]


def test_a_source_that_is_well_says_what_was_seen() -> None:
    health = HealthState(source="codex", pid=7, restarts=2)
    assert judge(WELL, running=True, health=health) == [
        ("folder", "ok", f"{HOME} (its default)", None),
        ("records", "ok", "3 sessions, 1 of them open; the newest moved 1m ago", None),
        ("reading", "ok", "the newest 3 read, every record of client 0.169.0 understood", None),
        ("watch", "ok", "inotify on 5 folders", None),
        ("worker", "ok", "healthy, pid 7, 2 restart(s)", None),
    ]


def test_an_agent_that_is_not_there_is_no_problem() -> None:
    grounds = {HOME: Ground(state="missing")}
    mend = 'if it is elsewhere: home = "FOLDER" in [sources.codex]'
    assert judge(Sight(version="1", installed=False, places=(PLACE,)), grounds=grounds) == [
        ("folder", "note", f"not found: there is no {HOME} (its default)", mend)
    ]


@pytest.mark.parametrize(
    ("why", "state", "text", "mend"),
    [
        ("default", "closed", f"{HOME} (its default) may not be read", f"chmod u+rx {HOME}"),
        (
            "CODEX_HOME",
            "missing",
            f"{HOME} ($CODEX_HOME) does not exist",
            'name the right one: unset CODEX_HOME, or home = "FOLDER" in [sources.codex]',
        ),
        (
            "setting",
            "missing",
            f"{HOME} (the configuration) does not exist",
            'name the right one: home = "FOLDER" in [sources.codex]',
        ),
        (
            "setting",
            "no folder",
            f"{HOME} (the configuration) is no folder",
            'name the right one: home = "FOLDER" in [sources.codex]',
        ),
        (
            "setting",
            "broken link",
            f"{HOME} (the configuration) is a broken link",
            'name the right one: home = "FOLDER" in [sources.codex]',
        ),
    ],
)
def test_a_folder_that_somebody_named_has_to_be_there_and_readable(why: str, state: str, text: str, mend: str) -> None:
    look = Sight(version="1", installed=False, places=(Place(path=HOME, why=why),))
    assert judge(look, grounds={HOME: Ground(state=state)}) == [("folder", "problem", text, mend)]


def test_sessions_that_a_first_start_leaves_out_are_counted_and_only_where_there_are_no_others_mended() -> None:
    some = "3 sessions, 1 of them open, 2 older than 24h, which a first start leaves out (board.since)"
    assert judge(structs.replace(WELL, old=2), since="24h")[1] == (
        "records",
        "ok",
        f"{some}; the newest moved 1m ago",
        None,
    )
    every = "1 session, 1 older than 24h, which a first start leaves out (board.since); the newest moved 3d ago"
    assert amiss(sight(old=1, newest=NOW - 3 * 86400), since="24h") == [
        (
            "records",
            "note",
            every,
            'bellboard sessions --once shows them; since = "all" in [board] lets a board read them',
        )
    ]


def test_without_any_agent_nothing_is_well() -> None:
    away = Sight(version="1", installed=False)
    (found,) = whole({"claude": away, "codex": away})
    assert (found.verdict, found.text) == ("problem", "none of claude, codex is installed where it was looked for")
    assert "bellboard demo" in (found.mend or "")
    for here in (WELL, "it did not come to an end", structs.replace(away, error="cannot be loaded")):
        assert whole({"claude": away, "codex": here}) == []


@pytest.mark.parametrize(
    ("source", "client", "exact"),
    [
        ("claude", "2.1.119", True),
        ("claude", "2.2.0", True),
        ("claude", "2.1.118", False),
        ("claude", "1.0.200", False),
        ("claude", None, False),
        ("codex", "9.9.9", False),
    ],
)
def test_whose_registry_says_who_waits_is_known_by_the_client(source: str, client: str | None, exact: bool) -> None:
    assert registered(source, client) == exact


def test_a_folder_of_a_flag_is_the_flags() -> None:
    look = sight(places=(Place(path=HOME, why="setting"),))
    assert judge(look, chosen="--source")[0] == ("folder", "ok", f"{HOME} (--source)", None)


def test_on_a_network_mount_inotify_is_deaf() -> None:
    grounds = {HOME: Ground(state="there", mount=Mount("/home", "nfs4"))}
    text = f"{HOME} is on a nfs4 mount (/home)"
    assert amiss(WELL, grounds=grounds) == [
        (
            "mount",
            "problem",
            f"{text}: inotify does not hear what other machines change there",
            "watch = false in [work]",
        )
    ]
    swept = sight(unwatched="switched off")
    assert [each for each in judge(swept, grounds=grounds, watching=False) if each[0] == "mount"] == [
        ("mount", "ok", f"{text}, and inotify is not used", None)
    ]


def test_what_the_agent_deletes_is_worth_knowing() -> None:
    look = sight(places=(Place(path=HOME, why="default", remark="it deletes", mend="let it not"),))
    assert amiss(look) == [("retention", "note", "it deletes", "let it not")]


@pytest.mark.parametrize(
    ("look", "facts", "finding"),
    [
        (
            "its process ended: killed by SIGSEGV",
            {},
            (
                "source",
                "problem",
                "cannot be looked at: its process ended: killed by SIGSEGV",
                "enabled = false in [sources.codex] leaves it out; please report this",
            ),
        ),
        (
            sight(error="cannot be loaded: ModuleNotFoundError: No module named 'x'"),
            {"third_party": True},
            (
                "source",
                "problem",
                "cannot be loaded: ModuleNotFoundError: No module named 'x'",
                (
                    "install its package where bellboard is, or name its folder in PYTHONPATH, "
                    "or mend `factory` in [sources.codex]"
                ),
            ),
        ),
        (
            sight(error="cannot list its sessions: PermissionError: x"),
            {},
            (
                "source",
                "problem",
                "cannot list its sessions: PermissionError: x",
                "make its files readable for you: chmod -R u+rX FOLDER",
            ),
        ),
        (
            sight(error="cannot list its sessions: ValueError: x"),
            {},
            (
                "source",
                "problem",
                "cannot list its sessions: ValueError: x",
                "please report this; enabled = false in [sources.codex] leaves the source out",
            ),
        ),
        (sight(sessions=0, tried=0, newest=None), {}, ("records", "note", "no sessions yet", None)),
        (
            sight(newest=NOW + 7300),
            {},
            (
                "records",
                "problem",
                "1 session; the newest was written 2h in the future: a clock is or was wrong",
                "set the clock: sudo timedatectl set-ntp true",
            ),
        ),
        (
            sight(unknown=12, client="9"),
            {},
            (
                "reading",
                "note",
                "12 record(s) of client 9 in the newest sessions are of a kind we do not know",
                "pip install --upgrade bellboard; if it stays, please report it",
            ),
        ),
        (
            sight(unreadable=("s: ValueError: x",)),
            {},
            (
                "reading",
                "problem",
                "s: ValueError: x - this session is left out, all others are shown",
                "please report this",
            ),
        ),
        (
            sight(unwatched="inotify: No space left on device"),
            {},
            (
                "watch",
                "problem",
                "inotify: No space left on device: everything is looked at each `work.sweep` instead",
                MORE_WATCHES,
            ),
        ),
        (
            sight(unwatched="switched off"),
            {"watching": False},
            (
                "watch",
                "note",
                "inotify is switched off: everything is looked at each `work.sweep` instead",
                "watch = true in [work] switches it on",
            ),
        ),
        (
            sight(unwatched="no inotify on this system"),
            {},
            (
                "watch",
                "note",
                "no inotify on this system: everything is looked at each `work.sweep` instead",
                None,
            ),
        ),
        (
            WELL,
            {"running": True},
            ("worker", "note", "the running board does not have this source", "bellboard ctl reload"),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", status="paused")},
            ("worker", "note", "paused, no worker, 0 restart(s)", "bellboard ctl resume codex"),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", status="failed", reason="gone"), "log": "/l"},
            (
                "worker",
                "problem",
                "failed, gone, no worker, 0 restart(s)",
                "bellboard ctl restart codex; what it wrote: /l",
            ),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", status="degraded", absent=("/x",)), "log": "/l"},
            (
                "worker",
                "problem",
                "degraded, no worker, 0 restart(s)",
                "no new worker would find it: what to do stands beside its folder",
            ),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", pid=1, quarantined=("4f",))},
            (
                "worker",
                "problem",
                "session 4f is set aside because it ended its worker",
                "bellboard ctl release codex 4f",
            ),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", pid=1, unknown_records=3, unknown_client="9")},
            (
                "records",
                "note",
                "3 record(s) (client 9) were of a kind we do not know",
                "pip install --upgrade bellboard; if it stays, please report it",
            ),
        ),
        (
            WELL,
            {"running": True, "health": HealthState(source="codex", pid=1, rebuilt="the database was gone")},
            ("worker", "note", "the database was gone", None),
        ),
    ],
)
def test_what_is_amiss_is_said_with_what_mends_it(
    look: Sight | str, facts: dict[str, Any], finding: tuple[str, str, str, str | None]
) -> None:
    assert amiss(look, **facts) == [finding]


@pytest.mark.parametrize(("seconds", "said"), [(0.2, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200000, "2d")])
def test_an_age_is_written_in_its_largest_unit(seconds: float, said: str) -> None:
    assert age(seconds) == said

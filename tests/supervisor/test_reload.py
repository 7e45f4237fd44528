from msgspec import structs

from bellboard.supervisor.config import Board, Config, Limits, SourceConfig, Work
from bellboard.supervisor.reload import Changes, compare
from bellboard.supervisor.units import Seconds, Size

OLD = Config(
    state_dir="/s",
    runtime_dir="/r",
    sources={"claude": SourceConfig(), "codex": SourceConfig(options={"home": "/a"}), "pi": SourceConfig()},
)


def test_the_same_configuration_touches_nobody() -> None:
    assert compare(OLD, OLD) == Changes()
    assert Changes().sentence() == "configuration read again: no source is touched"


def test_only_what_differs_is_touched() -> None:
    new = structs.replace(
        OLD,
        sources={
            "claude": SourceConfig(),
            "codex": SourceConfig(options={"home": "/b"}),
            "gemini": SourceConfig(),
        },
    )
    changes = compare(OLD, new)
    assert changes == Changes(added=("gemini",), removed=("pi",), changed=("codex",))
    assert changes.sentence() == "configuration read again: started gemini; ended pi; restarted codex"


def test_what_all_workers_were_told_restarts_all_of_them() -> None:
    for new in (
        structs.replace(OLD, work=Work(beat=Seconds(3))),
        structs.replace(OLD, board=Board(since=Seconds(60))),
        structs.replace(OLD, limits=Limits(memory_hard=Size(1 << 30))),
    ):
        assert compare(OLD, new) == Changes(changed=("claude", "codex", "pi"))


def test_what_only_the_board_needs_restarts_nobody() -> None:
    new = structs.replace(OLD, board=Board(retention=Seconds(60)), limits=Limits(hung=Seconds(60)))
    assert compare(OLD, new) == Changes()


def test_folders_cannot_change_while_running_and_that_is_said() -> None:
    changes = compare(OLD, structs.replace(OLD, runtime_dir="/other"))
    assert changes == Changes(fixed=("runtime_dir",))
    assert changes.sentence().endswith("only a restart of the supervisor changes runtime_dir")

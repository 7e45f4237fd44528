"""What an actor says it wrote is what the real source of its client reads, whole and piece by piece, without any drift."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bellboard.protocol.session import Subagent
from bellboard.sources.catalog import load
from bellboard.sources.contract import Source
from bellboard.supervisor.demo.acts import Actor
from bellboard.supervisor.demo.cast import HOMES, cast
from bellboard.supervisor.demo.marks import Process
from bellboard.supervisor.demo.stage import Stage, StandIns
from bellboard.supervisor.demo.tally import Counts, Key

BORN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
MANNERS = [actor.manner for actor in cast(BORN)]
CHECK = Path(__file__).parents[3] / "../shared/corpus/check.py"
PLAYED_SECONDS = 400
STEP_SECONDS = 0.5

Play = Callable[[Sequence[Actor]], Stage]


@pytest.fixture
def play(tmp_path: Path) -> Iterator[Play]:
    """Put actors on a stage; its client processes live until the end of the test."""
    stand_ins = StandIns(len(MANNERS))
    stages: list[Stage] = []

    def begin(actors: Sequence[Actor]) -> Stage:
        stages.append(Stage(str(tmp_path), actors, stand_ins.processes(), 0.0))
        return stages[-1]

    yield begin
    for stage in stages:
        stage.close()
    stand_ins.close()


def actor_of(manner: str) -> Actor:
    return next(actor for actor in cast(BORN) if actor.manner == manner)


def act(stage: Stage, since: float, until: float) -> None:
    """Let time pass on the stage: as fast as the machine can."""
    clock = since
    while clock < until:
        clock += STEP_SECONDS
        stage.play(clock, BORN + timedelta(seconds=clock))


class Reader:
    """A board of one source, as far as counts go: it reads on from where it was."""

    def __init__(self, source: str, home: Path) -> None:
        self._name, self._home = source, home / HOMES[source]
        self._cursors: dict[str, str] = {}
        self._counts: dict[Key, Counts] = {}
        self._agents: dict[str, tuple[Subagent, ...]] = {}
        self.unknown = 0

    def read(self) -> dict[Key, Counts]:
        """Read all that is new, with a source that was never used before; returns the counts of all conversations."""
        source: Source = load(self._name, None, {"home": str(self._home)})
        for handle in source.discover():
            before = None
            while before != self._cursors.get(handle.id, ""):
                before = self._cursors.get(handle.id, "")
                update, self._cursors[handle.id] = source.parse(handle, before)
                if update is None:
                    continue
                assert not update.restart
                key = self._name, update.session_id
                new = Counts(update.message_count_delta, update.tool_call_count_delta, update.compaction_count_delta)
                self._counts[key] = self._counts.get(key, Counts()).plus(new)
                self.unknown += update.unknown_records_delta
                if isinstance(update.subagents, tuple):
                    self._agents[update.session_id] = update.subagents
        agents = [agent for agents in self._agents.values() for agent in agents]
        return self._counts | {
            (self._name, each.id): Counts(each.message_count, each.tool_call_count) for each in agents
        }


@pytest.mark.parametrize("manner", MANNERS)
def test_the_real_source_reads_what_the_actor_says_it_wrote(manner: str, play: Play, tmp_path: Path) -> None:
    actor = actor_of(manner)
    stage = play([actor])
    act(stage, 0, PLAYED_SECONDS)
    reader = Reader(actor.source, tmp_path)
    found = reader.read()
    assert found == stage.tally.copy()
    assert reader.unknown == 0
    assert sum(counts.messages for counts in found.values()) > 40


@pytest.mark.parametrize("manner", MANNERS)
def test_the_counts_are_the_same_after_every_single_act(manner: str, play: Play, tmp_path: Path) -> None:
    actor = actor_of(manner)
    stage, reader = play([actor]), Reader(actor.source, tmp_path)
    clock = 0.0
    while clock < 60:
        clock = max(clock + 1e-6, stage.due())
        stage.play(clock, BORN + timedelta(seconds=clock))
        written = {key: counts for key, counts in stage.tally.copy().items() if counts != Counts()}
        shown = {key: counts for key, counts in reader.read().items() if counts != Counts()}
        assert (round(clock, 1), shown) == (round(clock, 1), written)


def test_the_long_context_is_compacted_again_and_again(play: Play) -> None:
    stage = play([actor_of("long context")])
    act(stage, 0, PLAYED_SECONDS)
    (counts,) = stage.tally.copy().values()
    assert counts.compactions >= 2


def test_six_agents_of_five_clients_play_and_no_two_are_alike() -> None:
    actors = cast(BORN)
    assert len({actor.manner for actor in actors}) == len(actors) == 6
    assert {actor.source for actor in actors} == set(HOMES)


def test_the_same_moment_gives_the_same_play(tmp_path: Path) -> None:
    process = Process(os.getpid(), "1", 1)
    written: list[dict[str, bytes]] = []
    for name in ("one", "two"):
        home = tmp_path / name
        stage = Stage(str(home), cast(BORN), [process] * 6, 0.0)
        act(stage, 0, 60)
        stage.close()
        files = sorted(path for path in home.rglob("*.json*") if path.is_file())
        written.append({str(path.relative_to(home)): path.read_bytes() for path in files})
    assert written[0] == written[1]
    assert len(written[0]) > 8


@pytest.mark.skipif(not CHECK.exists(), reason=f"there is no {CHECK.name} beside this checkout")
@pytest.mark.timeout(120)
def test_the_whole_pipeline_agrees_by_the_rules_of_the_corpus(play: Play, tmp_path: Path) -> None:
    stage = play(cast(BORN))
    act(stage, 0, 120)
    stage.close()
    written = stage.tally.copy()
    cases: list[object] = []
    for source, home in HOMES.items():
        sessions = [
            {
                "id": name,
                "message_count": counts.messages,
                "tool_call_count": counts.calls,
                "compaction_count": counts.compactions,
                "child": True,
            }
            for (owner, name), counts in written.items()
            if owner == source
        ]
        case = {"case": source, "source": source, "root": home, "sessions": sessions, "has_registry": True}
        cases.append(case)
    (tmp_path / "truth.json").write_text(json.dumps({"cases": cases}))
    words = ["--numbers", "--corpus", str(tmp_path), "--board", f"{sys.executable} -m bellboard.supervisor"]
    done = subprocess.run(
        [sys.executable, str(CHECK), *words], capture_output=True, text=True, check=False, timeout=100
    )
    assert "5 of 5 cases exact" in done.stdout, done.stdout + done.stderr

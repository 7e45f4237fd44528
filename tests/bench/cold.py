"""Cold: everything is read for the first time, by `bellboard sessions --once`."""

import subprocess
import time
from collections.abc import Iterator

from .board import COMMAND, children, folder, memory
from .figures import Figure, clean, middle, python, run
from .trees import Trees, homes

PAIRS = 5


def cold(trees: Trees) -> Iterator[Figure]:
    """CPU and wall of all processes together, against a bare decoding of the same bytes; peak memory of each process."""
    tree = trees.get("M")
    words = [*COMMAND, "sessions", "--once", "--json"]
    words += [word for name, home in homes(tree).items() for word in ("--source", f"{name}={home}")]
    with folder() as place:
        environment = {"HOME": str(place), "BELLBOARD_CONFIG": str(place / "config.toml")}
        (place / "config.toml").touch()
        floor_words = python("-m", "tests.bench.floor", "decode", tree)
        run(words, environment)
        run(floor_words)  # from here on the files are in the system's cache
        pairs = [(run(floor_words), run(words, environment)) for _ in range(PAIRS)]
        peaks = _peaks(words, environment)
    cpu = [ours.cpu / floor.cpu for floor, ours in pairs]
    wall = [ours.wall / floor.wall for floor, ours in pairs]
    best = min(ours.cpu for _, ours in pairs), min(floor.cpu for floor, _ in pairs)
    yield Figure(
        what="cold read of M, CPU / bare decode_lines", value=middle(cpu), unit="x", bar="<= 2.0",
        detail=f"least {best[0]:.2f} s / {best[1]:.2f} s; ratios {min(cpu):.2f} to {max(cpu):.2f}",
    )  # fmt: skip
    yield Figure(
        what="cold read of M, wall / the same pass", value=middle(wall), unit="x", bar="<= 1.3",
        detail=f"ratios {min(wall):.2f} to {max(wall):.2f}",
    )  # fmt: skip
    yield Figure(what="cold read of M, supervisor, peak RSS", value=peaks[0], unit="MB", bar="<= 60")
    yield Figure(what="cold read of M, largest worker, peak RSS", value=max(peaks[1:]), unit="MB", bar="<= 40")


def _peaks(words: list[str], environment: dict[str, str]) -> list[float]:
    """Run once more and return the peak memory of the supervisor and of each worker."""
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=clean(environment))
    peaks: dict[int, float] = {process.pid: 0.0}
    while process.poll() is None:
        for pid in (process.pid, *children(process.pid)):
            peaks[pid] = max(peaks.get(pid, 0.0), memory(pid).get("VmHWM", 0.0))
        time.sleep(0.02)
    return list(peaks.values())

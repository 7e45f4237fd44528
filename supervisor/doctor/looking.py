"""Looking: asks a process of its own for each source what there is to see. Whatever becomes of one spoils only its own.

The counterpart is `workers/look.py`, which looks.
"""

import signal
import subprocess
import sys
import time
from typing import TypeAlias

import msgspec

from ...protocol.sight import Question, Sight
from ..crew.process import ending

LOOK_SECONDS = 30.0

Look: TypeAlias = Sight | str
"""What was seen, or a sentence that says why nothing was."""


def look(questions: list[Question]) -> dict[str, Look]:
    """Ask about all sources at the same time."""
    asked = {question.source: _ask(question) for question in questions}
    until = time.monotonic() + LOOK_SECONDS
    return {source: _answer(process, until) for source, process in asked.items()}


def _ask(question: Question) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(
        [sys.executable, "-m", "bellboard.workers.look"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd="/",
        start_new_session=True,
    )
    assert process.stdin is not None  # noqa: S101 - for the type checker: a pipe was asked for
    try:
        process.stdin.write(msgspec.json.encode(question))
        process.stdin.close()
    except BrokenPipeError:
        pass  # it has ended already, and `_answer` says how
    finally:
        process.stdin = None
    return process


def _answer(process: "subprocess.Popen[bytes]", until: float) -> Look:
    try:
        out, err = process.communicate(timeout=max(0.1, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
        return f"it did not come to an end within {LOOK_SECONDS:g} s"
    except BaseException:
        process.kill()
        raise
    if process.returncode != 0:
        last = err.decode("utf-8", "replace").strip().rpartition("\n")[2]
        return f"its process ended: {ending(process.returncode)}" + (f" ({last})" if last else "")
    try:
        return msgspec.json.decode(out, type=Sight)
    except msgspec.MsgspecError as error:
        return f"its answer was not understood ({error})"

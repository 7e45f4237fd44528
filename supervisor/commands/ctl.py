"""`bellboard ctl`: tells the running supervisor what to do, and says what became of it."""

import argparse
import os
import sys
import time

from ...protocol.addresses import CONTROL, address
from ...protocol.ask import Command
from ...protocol.channel import Asking, Poll
from ...protocol.codec import COMMAND, REPLY, DecodeFault
from ...protocol.errors import NoAnswer, NotRunning
from . import common

REPLY_SECONDS = 5.0


def run(options: argparse.Namespace) -> int:
    """Send one command and wait for the answer. Raises NotRunning if there is none."""
    told: list[str] = []
    folder = common.runtime_dir(options, told)
    if not os.path.exists(os.path.join(folder, CONTROL)):
        raise NotRunning(f"no supervisor in {folder}: start one with `bellboard run`")
    source, handle = getattr(options, "ctl_source", None), getattr(options, "ctl_handle", None)
    command = Command(request=1, verb=options.verb, source=source, handle=handle)
    with Asking(address(folder, CONTROL)) as asking:
        poll = Poll()
        poll.add(asking)
        deadline = time.monotonic() + REPLY_SECONDS
        sent = False
        while time.monotonic() < deadline:
            sent = sent or asking.send([COMMAND.encode(command)])
            poll.wait(0.05)
            frames = asking.receive()
            if frames is not None:
                reply = REPLY.decode(frames[-1])
                if isinstance(reply, DecodeFault):
                    raise NoAnswer(f"the supervisor's answer was not understood ({reply.code})")
                sys.stderr.write(f"bellboard: {_unsaid(reply.message, told)}\n")
                return common.EXIT_OK if reply.ok else common.EXIT_ERROR
    raise NotRunning(f"the supervisor in {folder} does not answer: is it running? (`bellboard run`)")


def _unsaid(message: str, told: list[str]) -> str:
    """Return an answer without what people were told already: a supervisor finds the same mistake in the same file."""
    for each in told:
        message = message.replace(each, "see above")
    return message

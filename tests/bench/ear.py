"""Ear: a bare subscriber that counts what it hears and prints the count. `python -m tests.bench.ear ENDPOINT`."""

import sys

from bellboard.protocol.channel import Listening, Poll


def main() -> None:
    """Listen until somebody says `end`."""
    heard = 0
    with Listening(sys.argv[1], [b""]) as listening:
        poll = Poll()
        poll.add(listening)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            poll.wait(10)
            while (data := listening.receive()) is not None:
                if data == b"end":
                    sys.stdout.write(f"{heard}\n")
                    return
                heard += data != b"hello"


if __name__ == "__main__":
    main()

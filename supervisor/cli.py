"""Command line: words in, exit codes out; no logic. What a command does is in `commands/`, imported when it is needed.

Exit codes: 0 ok, 1 error, 2 usage, 3 no supervisor running, 4 a source is degraded or failed (`health`), 10 someone waits
(`sessions --needs-you`), 130 interrupted.
"""

import errno
import os
import sys

from .version import VERSION

EXIT_ERROR = 1
EXIT_INTERRUPTED = 130
EXIT_PIPE = 141

FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""There is no room for what is written."""


def main(argv: list[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = sys.argv[1:] if argv is None else argv
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by whoever started us, who wants to hear nothing of it
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 - for as long as we live
    try:
        code = _obeyed(words)
        sys.stdout.flush()
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone: nothing is left to say, not even at exit.
        sys.stdout = None  # type: ignore[assignment]
        return EXIT_PIPE
    except OSError as error:
        if error.errno not in FULL:
            raise
        sys.stdout = None  # type: ignore[assignment]
        import contextlib  # noqa: PLC0415 - see below

        with contextlib.suppress(OSError):  # stderr may be full as well: then the exit code says it alone
            sys.stderr.write(f"bellboard: {error.filename or 'the output'} cannot be written: {error.strerror}\n")
        return EXIT_ERROR
    return code


def _obeyed(words: list[str]) -> int:
    # Asked for by scripts, and answered without importing anything.
    if words in (["--version"], ["-V"]):
        sys.stdout.write(f"bellboard {VERSION}\n")
        return 0
    from .arguments import parse  # noqa: PLC0415 - see above

    try:
        options = parse(words)
    except SystemExit as end:  # by argparse: it has said what there was to say
        return int(end.code or 0)
    from .commands import dispatch  # noqa: PLC0415 - see above

    return dispatch.run(options)


if __name__ == "__main__":
    sys.exit(main())

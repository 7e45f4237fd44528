"""Reload: what a configuration that was read again changes in a running supervisor. Pure; performed by `app.py`."""

from msgspec import Struct

from .config import Config


class Changes(Struct, frozen=True, kw_only=True):
    """Sources to start, to end for good, and to start anew; and what cannot be changed while running."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()

    def sentence(self) -> str:
        """Say in a sentence what is done."""
        parts = [
            f"{what} {', '.join(names)}"
            for what, names in (
                ("started", self.added),
                ("ended", self.removed),
                ("restarted", self.changed),
                ("only a restart of the supervisor changes", self.fixed),
            )
            if names
        ]
        return "configuration read again: " + ("; ".join(parts) or "no source is touched")


def compare(old: Config, new: Config) -> Changes:
    """Return what changes. A source whose settings are the same is left alone unless all workers work differently now."""
    everybody = (old.work, old.board.since, old.limits.memory_hard) != (
        new.work,
        new.board.since,
        new.limits.memory_hard,
    )
    kept = old.sources.keys() & new.sources.keys()
    return Changes(
        added=tuple(sorted(new.sources.keys() - kept)),
        removed=tuple(sorted(old.sources.keys() - kept)),
        changed=tuple(sorted(name for name in kept if everybody or old.sources[name] != new.sources[name])),
        fixed=tuple(
            name for name in ("state_dir", "runtime_dir", "privacy") if getattr(old, name) != getattr(new, name)
        ),
    )

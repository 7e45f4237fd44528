"""Control: what the operator may tell a running supervisor. Seven words, and none of them runs a program.

Answered at once, while everything else may be stuck: nothing here waits for a worker.
"""

from collections.abc import Callable

from ..protocol.ask import Command, Reply
from .aggregator.health import HealthBook
from .clock import Ticks
from .crew.crew import Crew
from .crew.guard import Guard
from .errors import StorageError, SupervisorError
from .mistakes import nearest
from .store import Store


class Control:
    """Obeys commands. `leave` ends the supervisor when its workers have ended, `reload` reads the configuration again."""

    def __init__(
        self,
        crew: Crew,
        guard: Guard,
        store: Store,
        book: HealthBook,
        ticks: Ticks,
        leave: Callable[[float], None],
        reload: Callable[[], str],
    ) -> None:
        self._crew = crew
        self._guard = guard
        self._roster = crew.roster
        self._store = store
        self._book = book
        self._ticks = ticks
        self._leave = leave
        self._reload = reload

    def obey(self, command: Command) -> Reply:
        """Do what was asked, and say in a sentence what became of it."""
        clock = self._ticks.now
        if command.verb == "drain":
            self._leave(clock)
            return Reply(request=command.request, ok=True, message="ending all workers, then the supervisor")
        if command.verb == "reload":
            try:
                return Reply(request=command.request, ok=True, message=self._reload())
            except SupervisorError as error:
                return Reply(request=command.request, ok=False, message=f"nothing was changed: {error}")
        source = command.source
        if source is None or source not in self._roster.members:
            known = ", ".join(sorted(self._roster.members)) or "none"
            like = nearest(source or "", self._roster.members)
            return Reply(
                request=command.request, ok=False, message=f"unknown source {source!r}{like} (running: {known})"
            )
        if command.verb == "release":
            return self._release(command.request, source, command.handle or "")
        return Reply(request=command.request, ok=True, message=self._do(command.verb, source, clock))

    def _release(self, request: int, source: str, name: str) -> Reply:
        held = self._roster.quarantine.held(source)
        found = [handle for handle in held if name and handle.startswith(name)]
        if len(found) != 1:
            known = ", ".join(held) or "none"
            what = "no session" if not found else "more than one session"
            message = f"{what} of {source} that is set aside begins with {name!r} (set aside: {known})"
            return Reply(request=request, ok=False, message=message)
        self._guard.release(source, found[0])
        return Reply(request=request, ok=True, message=f"{source}: {found[0]} is tried again")

    def _do(self, verb: str, source: str, clock: float) -> str:
        if verb == "pause":
            self._crew.push(self._roster.pause(source, clock))
            return f"{source} is paused until `bellboard ctl resume {source}`" + self._keep(source, paused=True)
        if verb == "resume":
            self._roster.resume(source, clock)
            return f"{source} goes on" + self._keep(source, paused=False)
        if self._roster.members[source].paused:
            return f"{source} is paused: `bellboard ctl resume {source}` lets it work again"
        self._roster.reset(source, clock)
        if verb == "restart":
            self._crew.push(self._roster.stop(source, clock))
            return f"{source} is being restarted"
        return f"{source} may start at once"

    def _keep(self, source: str, *, paused: bool) -> str:
        """Make what holds already outlive this process; returns what to add to the answer if that cannot be done yet.

        An operator who stops a source because the disk fails must not be refused for that very reason.
        """
        self._book.paused(source, paused=paused)
        try:
            self._store.pause(source, paused=paused)
        except StorageError as error:
            self._book.storage(str(error))
            return f", but this supervisor alone knows it: it is stored when that works again ({error})"
        return ""

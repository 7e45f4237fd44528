from enum import IntFlag
from typing import NamedTuple

class Event(NamedTuple):
    wd: int
    mask: int
    cookie: int
    name: str

class flags(IntFlag):
    MODIFY: int
    CREATE: int
    DELETE: int
    MOVED_TO: int
    MOVED_FROM: int
    ONLYDIR: int
    DELETE_SELF: int
    MOVE_SELF: int
    Q_OVERFLOW: int
    IGNORED: int
    ISDIR: int

class INotify:
    fd: int
    def __init__(self, inheritable: bool = ..., nonblocking: bool = ...) -> None: ...
    def add_watch(self, path: str, mask: int) -> int: ...
    def rm_watch(self, wd: int) -> None: ...
    def read(self, timeout: int | None = ..., read_delay: int | None = ...) -> list[Event]: ...
    def close(self) -> None: ...

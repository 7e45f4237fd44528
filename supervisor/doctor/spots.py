"""Spots: what the system says of a folder: whether it is there, whether it may be read, and what kind of disk it is on."""

import os
from collections.abc import Iterable

import psutil
from msgspec import Struct

NETWORK = frozenset(
    (
        *(
            "9p",
            "afs",
            "afpfs",
            "beegfs",
            "ceph",
            "cifs",
            "davfs",
            "drvfs",
            "fuse.ceph",
            "fuse.davfs",
            "fuse.gvfsd-fuse",
        ),
        *("fuse.rclone", "fuse.s3fs", "fuse.sshfs", "glusterfs", "fuse.glusterfs", "lustre", "nfs", "nfs4", "prl_fs"),
        *("smb3", "smbfs", "vboxsf", "virtiofs", "webdav"),
    )
)
"""Kinds of file systems whose files other machines may change without this one hearing of it."""


class Mount(Struct, frozen=True):
    """One mounted file system."""

    point: str
    kind: str

    @property
    def foreign(self) -> bool:
        """Whether others may change files there unheard."""
        return self.kind in NETWORK


class Ground(Struct, frozen=True, kw_only=True):
    """A folder as it is: `state` says whether it can be used, `mount` is the file system that it is on."""

    state: str
    mount: Mount | None = None


def mounts() -> list[Mount]:
    """Return all mounted file systems."""
    return [Mount(each.mountpoint, each.fstype) for each in psutil.disk_partitions(all=True)]


def mount_of(path: str, known: Iterable[Mount]) -> Mount | None:
    """Return the file system that a path is on: the one mounted deepest above it, and of these the last."""
    real, found = os.path.realpath(path), None
    for mount in known:
        inside = real == mount.point or real.startswith(mount.point.rstrip("/") + "/")
        if inside and (found is None or len(mount.point) >= len(found.point)):
            found = mount
    return found


def ground(path: str, known: Iterable[Mount]) -> Ground:
    """Look at a folder."""
    if not os.path.lexists(path):
        state = "missing"
    elif not os.path.exists(path):
        state = "broken link"
    elif not os.path.isdir(path):
        state = "no folder"
    else:
        state = "there" if os.access(path, os.R_OK | os.X_OK) else "closed"
    return Ground(state=state, mount=mount_of(path, known))

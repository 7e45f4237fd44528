import os
from pathlib import Path

import pytest

from bellboard.supervisor.doctor.spots import Ground, Mount, ground, mount_of, mounts

KNOWN = [Mount("/", "ext4"), Mount("/home", "nfs4"), Mount("/home/anna", "ext4"), Mount("/home/anna", "fuse.sshfs")]


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/etc", "ext4"), ("/home", "nfs4"), ("/home/bob/x", "nfs4"), ("/homes", "ext4"), ("/home/anna/x", "fuse.sshfs")],
)
def test_a_path_is_on_what_is_mounted_deepest_above_it_and_last(path: str, kind: str) -> None:
    mount = mount_of(path, KNOWN)
    assert mount is not None
    assert (mount.kind, mount.foreign) == (kind, kind != "ext4")


def test_where_nothing_is_known_nothing_is_said() -> None:
    assert mount_of("/home", []) is None


def test_a_link_is_on_the_disk_that_it_leads_to(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/proc/self")
    found = mount_of(str(tmp_path / "link"), mounts())
    if not os.path.ismount("/proc"):
        pytest.skip("this system has no /proc")
    assert found == Mount("/proc", "proc")


def test_each_state_of_a_folder_has_its_word(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "broken").symlink_to(tmp_path / "nowhere")
    states = {name: ground(str(tmp_path / name), []) for name in ("", "file", "broken", "none")}
    assert states == {
        "": Ground(state="there"),
        "file": Ground(state="no folder"),
        "broken": Ground(state="broken link"),
        "none": Ground(state="missing"),
    }


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_that_may_not_be_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o000)
    assert ground(str(tmp_path / "closed"), []) == Ground(state="closed")

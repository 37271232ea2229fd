"""A process's own folder: whose leftovers go, whose stay, and what is no lock at all."""

from __future__ import annotations

import errno
import fcntl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sohistio.adapters.kubernetes.private_kubeconfig import private_kubeconfig
from sohistio.errors import RefusedError
from sohistio.model.managed_cluster import ClusterAccess
from sohistio.system.private_folder import private_folder, working_folder

_MAKES_ONE = """
import sys
from pathlib import Path
from sohistio.system.private_folder import private_folder
folder = private_folder(Path(sys.argv[1]))
(folder / "config").touch()
print(folder, flush=True)
sys.stdin.read()
"""


def test_leftovers_go_and_what_is_in_use_stays(tmp_path: Path) -> None:
    with _started(tmp_path) as killed:
        left = _folder_of(killed)
        killed.kill()
    assert left.is_dir()
    with _started(tmp_path) as living:
        in_use = _folder_of(living)
        own = private_folder(tmp_path)
        assert sorted(tmp_path.iterdir()) == sorted([in_use, own])
        assert not left.exists()
        assert stat.S_IMODE(own.stat().st_mode) == 0o700
        living.communicate("")
    assert not in_use.exists(), "at its end it removes its own"


_WORKS_IN_ONE = """
import sys
from pathlib import Path
from sohistio.system.private_folder import working_folder
with working_folder(Path(sys.argv[1]), sys.argv[2]) as folder:
    (folder / "large").touch()
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_process_left_goes_with_the_next_one_of_that_name(tmp_path: Path) -> None:
    mine, other = (_started(tmp_path, _WORKS_IN_ONE, name) for name in (".qa.tar", ".qa.tar-2"))
    with mine, other:
        left, others = _folder_of(mine), _folder_of(other)
        with working_folder(tmp_path, ".qa.tar") as folder:
            assert sorted(tmp_path.iterdir()) == sorted([left, others, folder]), "they live"
        assert not folder.exists()
        for process in (mine, other):
            process.kill()
            process.wait()
        with working_folder(tmp_path, ".qa.tar") as folder:
            assert sorted(tmp_path.iterdir()) == sorted([others, folder])


def test_another_machines_stay(tmp_path: Path) -> None:
    """Its lock may not be seen over the network."""
    others = [tmp_path / "another-host-17-abcd1234", tmp_path / "another-host-18-abcd1234"]
    for folder in others:
        folder.mkdir()
    (others[0] / "in-use").touch()
    private_folder(tmp_path)
    assert all(folder.is_dir() for folder in others)


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EMFILE, errno.EOPNOTSUPP])
def test_where_no_lock_can_be_had(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, "no locks here")

    monkeypatch.setattr(fcntl, "flock", flock)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    with pytest.raises(RefusedError) as caught:
        private_kubeconfig("aks-qa", ClusterAccess("https://aks-qa.example.com", "YQ=="), [])
    assert "no locks here" in caught.value.details[0]
    assert "XDG_STATE_HOME" in caught.value.todo
    assert not list((tmp_path / "sohistio" / "kubeconfigs").iterdir())


def test_a_lock_that_is_always_somebody_elses_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(*_: object) -> None:
        raise BlockingIOError(errno.EWOULDBLOCK, "taken")

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(OSError, match="could be kept"):
        private_folder(tmp_path)


def _started(parent: Path, script: str = _MAKES_ONE, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", script, str(parent), *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _folder_of(process: subprocess.Popen[str]) -> Path:
    assert process.stdout is not None
    return Path(process.stdout.readline().strip())

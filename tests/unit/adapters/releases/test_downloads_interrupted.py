"""Several runs at once, interruption, no room: each in a process of its own, and nothing half-done is left."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from obtaining import files, obtain
from release_mirror import ReleaseMirror, script, tar_gz, until
from sohistio.adapters.releases.cache_folder import exclusive
from sohistio.errors import ExitCode, RefusedError

SRC = Path(__file__).parents[4] / "src"


@pytest.fixture
def mirror() -> Iterator[ReleaseMirror]:
    with ReleaseMirror() as running:
        yield running


_CHILD = """
import resource, signal, sys
from pathlib import Path
from sohistio.errors import SohistioError
from sohistio.adapters.releases.obtain import IstioctlSource, obtain_istioctl
from sohistio.adapters.releases.mirror import Mirror
from sohistio.model.versions import Version
signal.signal(signal.SIGINT, signal.default_int_handler)
limit = int(sys.argv[3])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
source = IstioctlSource(Path(sys.argv[1]), Mirror.parse(sys.argv[2]))
try:
    obtain_istioctl(Version.parse("1.31.1"), source, print)
except SohistioError as error:
    print(error.what, *error.details, error.todo, sep="\\n")
    sys.exit(int(error.exit_code))
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(cache: Path, url: str, limit: int = 0) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _CHILD, str(cache), url, str(limit)],
        env=os.environ | {"PYTHONPATH": str(SRC)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_two_runs_at_once_fetch_it_once(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive].pause = 1.5
    runs = [start(tmp_path, mirror.url), start(tmp_path, mirror.url)]
    outputs = [run.communicate(timeout=60)[0] for run in runs]
    assert [run.returncode for run in runs] == [0, 0], outputs
    assert mirror.asked.count(archive) == 1
    assert sum("waiting for another run" in output for output in outputs) == 1
    assert files(tmp_path) == ["istioctl", "istioctl.json"]


def test_a_folder_that_stays_taken(tmp_path: Path) -> None:
    with exclusive(tmp_path, lambda _: None):
        told: list[str] = []
        with pytest.raises(RefusedError, match="Another run"), exclusive(tmp_path, told.append, longest_wait=0.2):
            pass
        assert len(told) == 1


def test_interrupting_a_download_leaves_nothing(tmp_path: Path, mirror: ReleaseMirror) -> None:
    archive = mirror.publish("1.31.1")
    mirror.files[archive].pause = 60
    run = start(tmp_path, mirror.url)
    until(lambda: any(name.endswith(".tar.gz") for name in files(tmp_path)))
    os.kill(run.pid, signal.SIGINT)
    output, _ = run.communicate(timeout=20)
    assert run.returncode == 130, output
    assert "Traceback" not in output
    assert [path.name for path in tmp_path.rglob("*") if not path.is_dir()] == [".lock"]
    assert list(tmp_path.rglob(".partial-*")) == []


@pytest.mark.parametrize("when", ["downloading", "unpacking"])
def test_no_room(tmp_path: Path, mirror: ReleaseMirror, when: str) -> None:
    """A limit on the size of files stands in for a full disk: it works for every user and fails in the same place."""
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[1] in (resource.RLIM_INFINITY, -1)
    members = {
        "downloading": ("ballast", os.urandom(2**20)),
        "unpacking": ("LICENSE", b"x"),
    }
    mirror.publish("1.31.1", body=tar_gz(members[when], ("istioctl", script("1.31.1", 2 * 2**20))))
    run = start(tmp_path, mirror.url, limit=2**19)
    output, _ = run.communicate(timeout=60)
    assert run.returncode == ExitCode.REFUSED, output
    assert f"There is no room for istioctl in {tmp_path / 'istioctl'}" in output
    assert f"needed: {'1.0' if when == 'downloading' else '2.0'} MiB" in output
    assert "Nothing was changed on the cluster" in output
    assert files(tmp_path) == []


def test_a_cache_that_cannot_be_written(tmp_path: Path, mirror: ReleaseMirror) -> None:
    mirror.publish("1.31.1")
    (tmp_path / "istioctl").write_text("a file where a folder belongs")
    with pytest.raises(RefusedError, match="cannot be kept in") as caught:
        obtain(tmp_path, mirror.url)
    assert "XDG_CACHE_HOME" in caught.value.todo

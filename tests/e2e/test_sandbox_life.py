"""How sandboxes begin and end: side by side, killed, crashed, begun twice, not built."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox_home import Home, home_in, until
from sohistio.sandbox.cluster_api import ClusterApiError
from sohistio.sandbox.processes import processes_of

pytestmark = pytest.mark.e2e


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    with home_in(tmp_path) as home:
        yield home


def test_two_run_side_by_side_and_reset_empties_only_one(home: Home) -> None:
    for name, nodes in (("prod", "2"), ("dr", "1")):
        started = home.run("up", "--name", name, "--nodes", nodes)
        assert started.returncode == 0, started.stderr
    for name in ("prod", "dr"):
        with home.api(name) as api:
            api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": f"of-{name}"}})
    exported = home.run("env", "--name", "prod").stdout
    reset = home.run("reset", "--name", "prod")
    assert reset.returncode == 0, reset.stderr
    assert home.run("env", "--name", "prod").stdout == exported
    with home.api("prod") as api:
        assert len(api.items("/api/v1/nodes")) == 2
        with pytest.raises(ClusterApiError) as gone:
            api.get("/api/v1/namespaces/default/configmaps/of-prod")
    assert gone.value.status == 404
    with home.api("dr") as api:
        assert api.get("/api/v1/namespaces/default/configmaps/of-dr")
    assert home.run("down", "--name", "prod").returncode == 0
    assert home.status("dr")[0] == 0

    port = int(exported.rpartition(":")[2])
    with socket.create_server(("127.0.0.1", port)):
        moved = home.run("up", "--name", "prod", "--nodes", "1")
    # The first of its ports may be another sandbox's of this machine: then that one is named.
    assert re.search(
        r"Another program has port \d+: the release mirror is at http://127\.0\.0\.1:\d+ now", moved.stdout
    )
    elsewhere = home.run("env", "--name", "prod").stdout
    assert elsewhere != exported
    reset = home.run("reset", "--name", "prod")
    assert "Another program" not in reset.stdout
    assert home.run("env", "--name", "prod").stdout == elsewhere
    home.run("down", "--name", "prod")
    home.run("up", "--name", "prod", "--nodes", "1")
    assert home.run("env", "--name", "prod").stdout != elsewhere, "back as soon as its port is free"


def test_a_crashed_part_is_reported_and_not_started_over(home: Home) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    os.kill(home.pid("kube-scheduler"), signal.SIGKILL)
    until(lambda: any(part["exitCode"] is not None for part in home.status()[1]["parts"]))
    code, document = home.status()
    assert code == 1
    (crashed,) = (part for part in document["parts"] if part["state"] == "crashed")
    assert (crashed["name"], crashed["exitCode"], document["well"]) == ("kube-scheduler", -9, False)
    assert crashed["lastLines"]
    assert "kube-scheduler crashed, exit code -9" in home.run("status").stdout
    refused = home.run("up")
    assert refused.returncode == 3
    assert "kube-scheduler crashed" in refused.stderr
    assert "sohistio sandbox reset" in refused.stderr


@pytest.mark.parametrize("how", [None, signal.SIGKILL, signal.SIGSTOP], ids=["running", "killed", "hanging"])
def test_down_leaves_no_process_and_no_file(home: Home, how: signal.Signals | None) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    assert len(processes_of(home.folder("local"))) == 6
    if how is not None:
        os.kill(home.pid("supervisor"), how)
    if how is signal.SIGKILL:
        until(lambda: home.status()[0] == 1)
        assert home.run("env").returncode == 3
    down = home.run("down")
    assert (down.returncode, down.stdout) == (0, "The sandbox 'local' is gone.\n")
    assert processes_of(home.folder("local")) == []
    assert list(home.folder("local").parent.iterdir()) == []
    assert home.status()[0] == 1
    again = home.run("down")
    assert (again.returncode, again.stdout) == (0, "There is no sandbox 'local'.\n")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "ending"])
def test_what_was_there_is_there_again_after_its_processes_were_gone(home: Home, how: signal.Signals) -> None:
    assert home.run("up", "--nodes", "1").returncode == 0
    with home.api() as api:
        api.create("/api/v1/namespaces/default/configmaps", {"metadata": {"name": "kept"}})
    os.kill(home.pid("supervisor"), how)
    until(lambda: home.status()[0] == 1)
    again = home.run("up")
    assert again.returncode == 0, again.stderr
    with home.api() as api:
        assert api.get("/api/v1/namespaces/default/configmaps/kept")


def test_two_ups_at_once_start_it_once(home: Home) -> None:
    environment = os.environ | {"XDG_STATE_HOME": str(home.state)}
    command = [sys.executable, "-m", "sohistio", "sandbox", "up", "--nodes", "1"]
    both = [subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    told = sorted(process.communicate(timeout=1800)[0].splitlines()[0] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    assert told[0].startswith("The sandbox 'local' is ready")
    assert told[1] == "The sandbox 'local' is up already (1 node)."


def test_without_go_it_is_one_clear_error(home: Home, tmp_path: Path) -> None:
    result = home.run("up", PATH=str(tmp_path), XDG_CACHE_HOME=str(tmp_path / "cache"))
    assert result.returncode == 3
    assert "there is no `go` on the PATH" in result.stderr
    assert "Traceback" not in result.stderr
    assert not home.folder("local").exists()


def test_a_failed_build_is_one_clear_error(home: Home, tmp_path: Path) -> None:
    nothing = {key: str(tmp_path / key) for key in ("XDG_CACHE_HOME", "GOMODCACHE", "GOCACHE")}
    result = home.run("up", GOPROXY="off", GOTOOLCHAIN="local", **nothing)
    assert result.returncode == 3
    assert "building etcd failed: go build ended with 1" in result.stderr
    assert "GOPROXY=off" in result.stderr
    assert f"whole log: {tmp_path}" in result.stderr
    assert not home.folder("local").exists()

"""A whole run on an AKS cluster: tokens that end on the way, a kubeconfig of its own, no secret written anywhere."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from aks import USER, Aks, mode_of
from killing import last_run
from sandboxes import CHECKOUT

pytestmark = pytest.mark.e2e

INSTALL = ("install", "--env", "qa", "--yes")


class Watch:
    """What a run's kubeconfig is while it runs, and every command line on the machine."""

    def __init__(self, aks: Aks) -> None:
        self._aks = aks
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.kubeconfigs: set[str] = set()
        self.modes: set[tuple[int, int]] = set()
        self.commands: set[str] = set()

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._stop.wait(0.05):
            for file in (file for folder in self._aks.sandbox.folders_of_runs for file in folder.glob("*")):
                try:
                    text = file.read_text()
                    if text:
                        self.modes.add((mode_of(file.parent), mode_of(file)))
                    if "apiVersion" in text:  # the API server's certificate is written to a file there, too
                        self.kubeconfigs.add(text)
                except FileNotFoundError:
                    continue
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    self.commands.add(path.read_bytes().decode(errors="replace"))
                except OSError:
                    continue


@pytest.mark.usefixtures("empty_sandbox")
def test_an_install_whose_tokens_end_on_the_way(aks: Aks) -> None:
    """They live 4 s here: ours are asked for anew, and istioctl's by the login command in its kubeconfig."""
    aks.azure.seconds = 4.0
    with Watch(aks) as watch:
        done = aks.run(*INSTALL, "--output", "json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["outcome"], document["plan"]["environment"]) == ("done", "qa")
    assert aks.azure.tokens() > 4, "several tokens were needed"
    run = last_run(aks.sandbox)
    assert run is not None
    assert run.outcome == "done"
    assert any("istio-system" in write for write in aks.sandbox.writes(USER)), "it was Azure's identity that wrote"

    (kubeconfig,) = watch.kubeconfigs
    assert watch.modes == {(0o700, 0o600)}
    assert "aks-token" in kubeconfig
    assert "kubelogin" not in kubeconfig, "nothing of Azure's own user is kept"
    assert any("aks-token" in command and "--auth=environment" in command for command in watch.commands)
    assert not aks.sandbox.folders_of_runs

    looked_at = {"stdout": done.stdout, "stderr": done.stderr, "kubeconfig": kubeconfig}
    looked_at["commands"] = "\n".join(watch.commands)
    written = [path for path in aks.sandbox.state_home.rglob("*") if path.is_file()]
    assert {"audit.log"} <= {path.name for path in written}
    assert any(path.parent.name == "logs" and path.name.startswith("qa-") for path in written)
    looked_at |= {str(path): path.read_bytes().decode("latin-1") for path in written}
    looked_at["record"] = json.dumps(aks.sandbox.api.items("/api/v1/namespaces/istio-system/configmaps"))
    looked_at["lease"] = json.dumps(
        aks.sandbox.api.items("/apis/coordination.k8s.io/v1/namespaces/istio-system/leases")
    )
    for name, text in looked_at.items():
        for secret in aks.azure.secrets():
            assert secret not in text, name
            assert secret.rpartition(".")[2] not in text, f"the signature of a token is in {name}"

    again = aks.run(*INSTALL)
    assert again.returncode == 0
    assert "up to date" in again.stdout


@contextmanager
def started(aks: Aks) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A run that has written its kubeconfig, and its folder."""
    before = aks.sandbox.folders_of_runs
    command = aks.sandbox.command("plan", "--env", "qa")
    process = subprocess.Popen(
        command, cwd=CHECKOUT, env=aks.environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        deadline = time.monotonic() + 60
        while not (new := [path for path in aks.sandbox.folders_of_runs - before if len(list(path.iterdir())) > 1]):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        yield process, new[0]
    finally:
        process.kill()
        process.wait()


def test_what_killed_runs_leave_goes_with_the_next_one(aks: Aks) -> None:
    with started(aks) as (_, left):
        pass
    assert left.is_dir(), "killed outright, it could not clean up"
    assert mode_of(left) == 0o700
    with started(aks) as (_, in_use):
        assert not left.exists(), "the next run removed it"
        done = aks.run("history", "--env", "qa")
        assert done.returncode == 0, done.stderr
        assert [path.name for path in in_use.iterdir() if path.name != "in-use"], "that of a run at work stays"
    assert aks.run("history", "--env", "qa").returncode == 0
    assert not aks.sandbox.folders_of_runs


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_leaves_nothing(aks: Aks, number: signal.Signals) -> None:
    with started(aks) as (process, folder):
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)
        assert process.wait(30) == 130
        assert not folder.exists()


def test_a_run_that_fails_leaves_nothing(aks: Aks) -> None:
    said = aks.refused("install", "--env", "qa", "--mode", "upgrade", "--version", "1.29.8")
    assert "looking at https://" in said, "it had its kubeconfig"
    assert not aks.sandbox.folders_of_runs


def test_the_login_command_prints_a_credential_and_nothing_else(aks: Aks) -> None:
    cloud = ("--authority", aks.azure.url, "--resource-manager", aks.azure.url, "--no-instance-discovery")
    done = aks.run("aks-token", *cloud)
    assert (done.returncode, done.stderr) == (0, "")
    document = json.loads(done.stdout)
    assert (document["apiVersion"], document["kind"]) == ("client.authentication.k8s.io/v1", "ExecCredential")
    assert document["status"]["token"] == aks.azure.signer.signed[-1]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", document["status"]["expirationTimestamp"])
    failed = aks.run("aks-token", *cloud, AZURE_CLIENT_SECRET="wr0ng")
    assert (failed.returncode, failed.stdout) == (3, "")
    assert "AADSTS7000215" in failed.stderr

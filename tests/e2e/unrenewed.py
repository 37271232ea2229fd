"""A run that cannot renew its lock, and what the audit log proves of it; shares no code with the lock."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import yaml

from faulty import HANG, Fault, Request
from sandboxes import CHECKOUT, Sandbox

LEASE = "/apis/coordination.k8s.io/v1/namespaces/istio-system/leases/sohistio"
# From when on another run may have the lock.
LEASE_SECONDS = 30.0
# Seconds after the last renewal could get through; it may have been 5 s earlier.
AT_WORK, ENDED = 14.0, 27.0


class Slow:
    """istioctl's writes take a second each until `over`; the Lease cannot be reached once `hangs`."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.over = threading.Event()
        self.hangs = False
        self.writes: list[float] = []

    def decide(self, request: Request) -> Fault | None:
        if request.writes and "istioctl" in request.agent:
            self.begun.set()
            self.writes.append(time.monotonic())
            self.over.wait(1.0)
        return HANG if self.hangs and request.path == LEASE else None


@contextmanager
def reapplying(box: Sandbox, kubeconfig: Path, said: Path) -> Iterator[subprocess.Popen[bytes]]:
    """An install that has something to apply."""
    path = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
    box.api.merge_patch(path, {"spec": {"maxReplicas": 20}})
    where = ("--env", "local", "--yes", "--kubeconfig", str(kubeconfig), "--context", box.context)
    with said.open("wb") as output:
        process = subprocess.Popen(
            box.command("install", *where),
            cwd=CHECKOUT,
            env=box.environ(SOHISTIO_ISTIO_MIRROR=box.mirror),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            yield process
        finally:
            process.kill()
            process.wait()


def istioctl_of(process: subprocess.Popen[bytes]) -> bool:
    """Whether the run has an istioctl at work."""
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, fields = file.read_text().partition("(")[2].rpartition(")")
        except OSError:
            continue
        if name == "istioctl" and fields.split()[1] == str(process.pid) and fields.split()[0] != "Z":
            return True
    return False


def gone_after(process: subprocess.Popen[bytes], begun: float) -> float:
    """Seconds after which istioctl is gone. Until shortly before the run has to stop, it is at work."""
    while time.monotonic() - begun < AT_WORK:
        assert istioctl_of(process)
        time.sleep(0.2)
    while istioctl_of(process):
        assert time.monotonic() - begun < ENDED
        time.sleep(0.1)
    return time.monotonic() - begun


def login_that_hangs(document: Path, folder: Path) -> Callable[[bool], None]:
    """Put a login command in the kubeconfig in place of its token: it hangs for sohistio, not for istioctl."""
    config = yaml.safe_load(document.read_text())
    token, switch, script = config["users"][0]["user"].pop("token"), folder / "hangs", folder / "login"
    script.write_text(
        "#!/bin/bash\n"
        f"while [ -e {switch} ] && ! grep -q istioctl /proc/$PPID/comm; do sleep 0.1; done\n"
        "expires=$(date -u -d '+1 second' +%Y-%m-%dT%H:%M:%SZ)\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": '
        f'{{"token": "{token}", "expirationTimestamp": "\'$expires\'"}}}}\'\n'
    )
    script.chmod(0o700)
    version = "client.authentication.k8s.io/v1"
    config["users"][0]["user"]["exec"] = {"apiVersion": version, "command": str(script), "interactiveMode": "Never"}
    document.write_text(yaml.safe_dump(config))
    return lambda hangs: switch.touch() if hangs else switch.unlink()


def longest_without_renewal(sandbox: Sandbox, since: datetime) -> tuple[float, str]:
    """The longest time from the arrival of a run's renewal to the end of a write that no other renewal came before,
    and that write: sohistio's and istioctl's together. What comes before the first renewal is nobody's."""
    renewed: datetime | None = None
    worst = 0.0, "nothing"
    for arrived, ended, verb, uri in sorted(_writes(sandbox, since)):
        if uri.startswith(LEASE.rpartition("/")[0]):
            renewed = arrived if verb in ("create", "update") else renewed
        elif renewed is not None:
            worst = max(worst, ((ended - renewed).total_seconds(), uri))
    return worst


def _writes(sandbox: Sandbox, since: datetime) -> list[tuple[datetime, datetime, str, str]]:
    return [
        (arrived, datetime.fromisoformat(event["stageTimestamp"]), event["verb"], event["requestURI"])
        for event in sandbox.write_events()
        if (arrived := datetime.fromisoformat(event["requestReceivedTimestamp"])) > since
    ]

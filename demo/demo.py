"""The main job on the sandbox, told as it goes: install the previous minor, nothing to do, upgrade, verify."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import yaml
from rich.console import Console

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import KubeTarget
from sohistio.sandbox.location import sandbox_context, sandbox_kubeconfig

PREVIOUS_MINOR = "1.30.5"
HERE = Path(__file__).parent
PODS = 11
STEPS = 6
_PLURALS = {
    "Namespace": "namespaces",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "PodDisruptionBudget": "poddisruptionbudgets",
}
_console = Console(highlight=False)


def tell(number: int, text: str) -> None:
    """The heading of a step."""
    _console.print(f"\n[bold cyan]── {number}/{STEPS} {text}[/]")


def sohistio(*arguments: str) -> None:
    """Run sohistio as a user would; a failure ends the demo with its exit code."""
    _console.print(f"[bold]$ sohistio {' '.join(arguments)}[/]")
    # Settings meant for real clusters would lead the demo away from its sandbox.
    own = {key: value for key, value in os.environ.items() if not key.startswith("SOHISTIO_")}
    command = [sys.executable, "-m", "sohistio", *arguments]
    code = subprocess.run(command, cwd=HERE.parent, env=own, check=False).returncode
    if code:
        sys.exit(code)


def create_workloads() -> None:
    """Create demo/workloads.yaml and wait until its pods run (at most a minute)."""
    api = KubeApi(KubeTarget(sandbox_kubeconfig("local"), sandbox_context("local")))
    for obj in yaml.safe_load_all((HERE / "workloads.yaml").read_text(encoding="utf-8")):
        version, namespace = obj["apiVersion"], obj["metadata"].get("namespace")
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        place = f"/namespaces/{namespace}" if namespace else ""
        api.request("POST", f"{base}{place}/{_PLURALS[obj['kind']]}", body=obj)
    for _ in range(60):
        pods = [pod for ns in ("shop", "payments") for pod in api.items(f"/api/v1/namespaces/{ns}/pods")]
        if len(pods) >= PODS and all(pod["status"]["phase"] == "Running" for pod in pods):
            return
        time.sleep(1)
    sys.exit("the demo's pods do not run: see `sohistio sandbox status`")


def main() -> None:
    """Always on an empty sandbox named local; it is left running."""
    # Ctrl-C reaches sohistio as well, which stops cleanly and tells what was done; the demo ends with its exit code.
    signal.signal(signal.SIGINT, lambda _number, _frame: None)
    begun = time.monotonic()
    tell(1, "An empty cluster: a real Kubernetes API server on this machine")
    sohistio("sandbox", "down")
    sohistio("sandbox", "up")
    tell(2, f"Install Istio {PREVIOUS_MINOR}, the previous minor")
    sohistio("install", "--env", "local", "--version", PREVIOUS_MINOR, "--yes")
    tell(3, "Applications come: demo/workloads.yaml")
    create_workloads()
    _console.print(f"{PODS} pods run, all but one with a sidecar that istiod injected")
    tell(4, "The same command again: nothing to do, nothing written")
    sohistio("install", "--env", "local", "--version", PREVIOUS_MINOR, "--yes")
    tell(5, "Without --version: the environment's own, the next minor. Sidecars are renewed")
    sohistio("install", "--env", "local", "--yes")
    tell(6, "Verify, as a scheduled job would")
    sohistio("verify", "--env", "local")
    _console.print(
        f"\n[green]The demo took {time.monotonic() - begun:.0f} s.[/] The sandbox stays up. Go on with:\n"
        "  .venv/bin/sohistio sandbox status\n"
        "  .venv/bin/sohistio plan --env local --version 1.30.5     (a downgrade: refused, exit code 3)\n"
        "  .venv/bin/sohistio sandbox down"
    )


if __name__ == "__main__":
    main()

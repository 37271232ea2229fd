"""The main job on the sandbox, told as it goes: install the previous minor, nothing to do, upgrade, verify."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import yaml

from sohistio.cluster.kube import KubeApi
from sohistio.cluster.kubetarget import KubeTarget
from sohistio.sandbox.location import sandbox_context, sandbox_kubeconfig

PREVIOUS_MINOR = "1.30.5"
HERE = Path(__file__).parent
_PLURALS = {
    "Namespace": "namespaces",
    "Deployment": "deployments",
    "StatefulSet": "statefulsets",
    "DaemonSet": "daemonsets",
    "PodDisruptionBudget": "poddisruptionbudgets",
}


def sohistio(*arguments: str) -> None:
    """Run sohistio as a user would; a failure ends the demo with its exit code."""
    print(f"\n$ sohistio {' '.join(arguments)}", flush=True)
    code = subprocess.run([sys.executable, "-m", "sohistio", *arguments], cwd=HERE.parent, check=False).returncode
    if code:
        sys.exit(code)


def create_workloads() -> None:
    """Create demo/workloads.yaml and wait until its pods run (at most a minute)."""
    print("\n# applications come: demo/workloads.yaml", flush=True)
    api = KubeApi(KubeTarget(sandbox_kubeconfig("local"), sandbox_context("local")))
    for obj in yaml.safe_load_all((HERE / "workloads.yaml").read_text(encoding="utf-8")):
        version, namespace = obj["apiVersion"], obj["metadata"].get("namespace")
        base = f"/apis/{version}" if "/" in version else f"/api/{version}"
        place = f"/namespaces/{namespace}" if namespace else ""
        api.request("POST", f"{base}{place}/{_PLURALS[obj['kind']]}", body=obj)
    for _ in range(60):
        pods = [pod for ns in ("shop", "payments") for pod in api.items(f"/api/v1/namespaces/{ns}/pods")]
        if len(pods) >= 11 and all(pod["status"]["phase"] == "Running" for pod in pods):
            print(f"# {len(pods)} pods run", flush=True)
            return
        time.sleep(1)
    sys.exit("the demo's pods do not run: see `sohistio sandbox status`")


def main() -> None:
    """Always on an empty sandbox named local; it is left running."""
    sohistio("sandbox", "down")
    sohistio("sandbox", "up")
    sohistio("install", "--env", "local", "--version", PREVIOUS_MINOR, "--yes")
    create_workloads()
    print("\n# again: nothing to do, nothing written")
    sohistio("install", "--env", "local", "--version", PREVIOUS_MINOR, "--yes")
    print("\n# the environment's own version is the next minor")
    sohistio("install", "--env", "local", "--yes")
    sohistio("verify", "--env", "local")
    print("\nThe sandbox stays up: `sohistio sandbox status`, `sohistio plan --env local`, `sohistio sandbox down`.")


if __name__ == "__main__":
    main()

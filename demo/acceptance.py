"""The main stories on a real, throw-away AKS cluster, for real, with a report: docs/acceptance.md.

ENVIRONMENT names the cluster, CONFIRM repeats the name; PREVIOUS is the version to begin with, REPORT the file.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sohistio.adapters.kubernetes.api import KubeApi
from sohistio.model.kube_target import KubeTarget

PREVIOUS_MINOR = "1.30.5"
NAMESPACE = "sohistio-acceptance"
# A container that does nothing, from where AKS nodes pull their own.
IMAGE = "mcr.microsoft.com/oss/kubernetes/pause:3.6"
_HPA = "/apis/autoscaling/v2/namespaces/istio-system/horizontalpodautoscalers/istiod"
_READY_SECONDS = 180
_WORKLOAD = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "app"},
    "spec": {
        "replicas": 2,
        "selector": {"matchLabels": {"app": "app"}},
        "template": {
            "metadata": {"labels": {"app": "app"}},
            "spec": {"containers": [{"name": "app", "image": IMAGE}]},
        },
    },
}


class FailedError(Exception):
    """A step did not end as it should."""


@dataclass
class Acceptance:
    """The steps on one environment's cluster, and what came of each: a row of the report."""

    environment: str
    folder: Path
    rows: list[tuple[str, str, str, float]] = field(default_factory=list)

    def sohistio(self, title: str, *arguments: str, code: int = 0) -> str:
        """Run a step and note it; returns its stdout. Raises FailedError for another exit code."""
        print(f"\n── {title}\n$ sohistio {' '.join(arguments)}", flush=True)
        begun = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "sohistio", *arguments],
            env=os.environ | {"SOHISTIO_ENV": self.environment, "KUBECONFIG": str(self.folder / "kubeconfig")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=False,
        )
        print(done.stdout, flush=True)
        result = "ok" if done.returncode == code else f"**exit code {done.returncode}, not {code}**"
        self.rows.append((title, f"sohistio {' '.join(arguments)}", result, time.monotonic() - begun))
        if done.returncode != code:
            raise FailedError(title)
        return done.stdout

    def expects(self, title: str, what: object, expected: object) -> None:
        """Note that something is as it should be. Raises FailedError where it is not."""
        result = "ok" if what == expected else f"**{what}, not {expected}**"
        self.rows.append((title, "", result, 0.0))
        if what != expected:
            raise FailedError(title)

    def api(self, context: str) -> KubeApi:
        """The cluster, with the login that `sohistio login` has written."""
        return KubeApi(KubeTarget(self.folder / "kubeconfig", context))

    def report(self, failed: str) -> str:
        """Markdown."""
        total = sum(seconds for *_, seconds in self.rows)
        lines = [
            f"# Acceptance of sohistio on {self.environment}: {'failed' if failed else 'passed'}",
            "",
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {total:.0f} s.",
            *([f"It failed at: {failed}. What is on the cluster stays as it is."] if failed else []),
            "",
            "| step | command | result | seconds |",
            "|---|---|---|---|",
            *(f"| {title} | {f'`{command}`' if command else ''} | {result} | {seconds:.0f} |"
              for title, command, result, seconds in self.rows),
        ]  # fmt: skip
        return "\n".join(lines) + "\n"


def settings(environment: str) -> dict[str, Any]:
    """The environment as it is in force. Ends the program where there is none, or where it is no throw-away."""
    shown = subprocess.run(
        [sys.executable, "-m", "sohistio", "env", "show", environment, "--output", "json"],
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if shown.returncode:
        sys.exit(shown.returncode)
    found: dict[str, Any] = json.loads(shown.stdout)["environment"]
    if found["protected"]:
        refuse(f"{environment} is protected. This installs and uninstalls: it is for a throw-away cluster only.")
    if "aks" not in found["cluster"]:
        refuse(f"{environment} names no AKS cluster (cluster.aks).")
    return found


def refuse(why: str) -> None:
    """End the program as sohistio does where it refuses. Nothing was touched."""
    print(f"Refused: {why} Nothing was touched.", file=sys.stderr)
    sys.exit(3)


def until(title: str, done: Any) -> None:
    """Wait until it holds. Raises FailedError."""
    end = time.monotonic() + _READY_SECONDS
    while not done():
        if time.monotonic() > end:
            raise FailedError(title)
        time.sleep(1)


def stories(run: Acceptance, found: dict[str, Any], previous: str) -> None:
    """All of them, in order, from an empty cluster to an empty cluster."""
    target, plan_file = found["istio"]["version"], str(run.folder / "plan.json")
    run.sohistio("Preflight checks", "check", "--version", previous)
    run.sohistio("Plan", "plan", "--version", previous, "--out", plan_file)
    run.sohistio(f"Install Istio {previous}", "install", "--version", previous, "--plan", plan_file, "--yes")
    again = run.sohistio("The same again", "install", "--version", previous, "--yes", "--output", "json")
    run.expects("Nothing was to do", json.loads(again)["outcome"], "upToDate")

    run.sohistio("Log in, for kubectl", "login")
    api = run.api(found["cluster"]["aks"]["name"])
    api.create("/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
    api.create(f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments", _WORKLOAD)
    until("A workload without sidecar runs", lambda: len(running(api, sidecar=False)) == 2)
    run.sohistio("Label its namespace", "namespaces", "apply", "--yes")
    run.sohistio("Restart what lacks the sidecar", "restart", "--yes")
    until("Its pods have sidecars", lambda: len(running(api, sidecar=True)) == 2)

    run.sohistio(f"Upgrade to Istio {target}", "install", "--yes")
    run.sohistio("Verify", "verify")
    run.sohistio("Support bundle", "support-bundle", "--out", str(run.folder / "support.tar.gz"))
    tags = {container["image"].rpartition(":")[2] for pod in running(api, sidecar=True) for container in sidecars(pod)}
    run.expects("The sidecars are of the new version", tags, {target})

    api.merge_patch(_HPA, {"spec": {"maxReplicas": 7}})
    run.sohistio("A hand edit is drift", "plan", "--exit-code", code=4)
    run.sohistio("It is repaired", "install", "--yes")
    run.sohistio("No drift is left", "plan", "--exit-code")

    api.delete(f"/api/v1/namespaces/{NAMESPACE}")
    until("The workload is gone", lambda: api.get(f"/api/v1/namespaces/{NAMESPACE}") is None)
    run.sohistio("Uninstall everything", "uninstall", "--purge", "--yes", "--confirm", run.environment)
    gone = run.sohistio("No mesh is left", "plan", "--output", "json")
    run.expects("The next run would install", json.loads(gone)["mode"], "install")


def sidecars(pod: Any) -> list[Any]:
    """The sidecars of a pod: a container, or an init container that goes on."""
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", [])]
    return [container for container in containers if container["name"] == "istio-proxy"]


def running(api: KubeApi, *, sidecar: bool) -> list[Any]:
    """The workload's running pods, with or without one."""
    pods = api.items(f"/api/v1/namespaces/{NAMESPACE}/pods")
    return [
        pod
        for pod in pods
        if pod["status"].get("phase") == "Running"
        and "deletionTimestamp" not in pod["metadata"]
        and bool(sidecars(pod)) == sidecar
    ]


def main() -> None:
    """Refuse what is no throw-away; then the stories, and the report, also of what failed."""
    environment = os.environ.get("ENVIRONMENT", "")
    if not environment:
        sys.exit("Say which: make acceptance-aks ENVIRONMENT=acceptance CONFIRM=acceptance (docs/acceptance.md)")
    if os.environ.get("CONFIRM") != environment:
        refuse(f"This installs and uninstalls Istio on the cluster of {environment}: repeat its name, CONFIRM=….")
    found, failed = settings(environment), ""
    with tempfile.TemporaryDirectory() as folder:
        run = Acceptance(environment, Path(folder))
        try:
            if json.loads(run.sohistio("An empty cluster", "plan", "--output", "json"))["mode"] != "install":
                refuse(f"The cluster of {environment} has a mesh.")
            if NAMESPACE not in found["applicationNamespaces"]:
                refuse(f"{environment} has no applicationNamespaces: [{NAMESPACE}].")
            stories(run, found, os.environ.get("PREVIOUS", PREVIOUS_MINOR))
        except FailedError as error:
            failed = str(error)
        report = Path(os.environ.get("REPORT", "acceptance-report.md"))
        report.write_text(run.report(failed), encoding="utf-8")
    print(f"\n{run.report(failed)}\nWritten to {report}.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

"""Rollouts that hang, and restarts: why is told, failures are named, the rest goes on serving, the next run goes on."""

from __future__ import annotations

import json
import re
import shutil
import stat
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandboxes import CHECKOUT, Sandbox
from sohistio.adapters.kubernetes.api import KubeApi
from workloads import apply, await_running, budget, daemon_set, deployment, namespace, path_of, pods_of, stateful_set

pytestmark = pytest.mark.e2e

LOCAL = ("--env", "local")
TROUBLE = "sandbox.sohistio/trouble"
SLOW = "sandbox.sohistio/slow"


def environments(folder: Path, *, operator: Any = None, **changes: Any) -> tuple[str, str]:
    """A copy of the environments whose `local` has an overlay, or other keys: the flags that choose it."""
    copy = shutil.copytree(CHECKOUT / "environments", folder / f"environments-{len(list(folder.iterdir()))}")
    if operator is not None:
        (copy / "local" / "istiooperator.yaml").write_text(yaml.safe_dump(operator))
    file = copy / "local" / "environment.yaml"
    file.write_text(yaml.safe_dump(yaml.safe_load(file.read_text()) | changes))
    return ("--environments", str(copy))


def trouble_at_the_gateway() -> dict[str, Any]:
    """An overlay under which the ingress gateway's pods crash."""
    patch = {"path": r"spec.template.metadata.labels.sandbox\.sohistio/trouble", "value": "crash"}
    name = "istio-ingressgateway"
    overlay = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name, "patches": [patch]}
    return {"spec": {"components": {"ingressGateways": [{"name": name, "k8s": {"overlays": [overlay]}}]}}}


def has_proxy(pod: dict[str, Any]) -> bool:
    containers = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    return any(container["name"] == "istio-proxy" for container in containers)


def is_ready(pod: dict[str, Any]) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def test_a_control_plane_that_never_gets_ready(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox = empty_sandbox
    pull = environments(tmp_path, operator={"spec": {"values": {"pilot": {"podLabels": {TROUBLE: "image-pull"}}}}})
    hung = sandbox.run("install", *LOCAL, *pull, "--component-timeout", "13s", "--output", "json")
    assert hung.returncode == 1, hung.stderr
    result = json.loads(hung.stdout)
    assert (result["outcome"], result["exitCode"]) == ("failed", 1)
    states = [step["state"] for step in result["steps"]]
    assert states[0] == "failed"
    assert set(states[1:]) == {"notStarted"}
    error = result["error"]
    assert error["what"] == "istiod not ready within 13 s"
    assert "ImagePullBackOff" in "\n".join(error["details"])
    assert "docker.io/istio/pilot:1.31.1" in "\n".join(error["details"])
    assert "ImagePullBackOff" in hung.stderr.partition("Error: ")[0], "it is told while it hangs, too"
    log = the_log(hung.stderr)
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert "Processing resources for Istiod" in log.read_text()

    crash = environments(tmp_path, operator=trouble_at_the_gateway())
    hung = sandbox.run("install", *LOCAL, *crash, "--component-timeout", "9s")
    assert hung.returncode == 1, hung.stdout + hung.stderr
    assert re.search("^Error: .*istio-ingressgateway not ready within 9 s", hung.stderr, re.MULTILINE)
    assert "container istio-proxy: CrashLoopBackOff" in hung.stderr
    assert "BackOff: Back-off restarting failed container" in hung.stderr
    assert the_log(hung.stderr).is_file()

    late = sandbox.run("install", *LOCAL, *crash, "--timeout", "12s")
    assert late.returncode == 1, late.stdout + late.stderr
    _, _, error = late.stderr.partition("Error: the run took longer than its total timeout")
    assert "Deployment istio-system/istio-ingressgateway: " in error
    assert "container istio-proxy: CrashLoopBackOff" in error

    mended = sandbox.run("install", *LOCAL)
    assert mended.returncode == 0, mended.stdout + mended.stderr


def the_log(stderr: str) -> Path:
    match = re.search(r"istioctl's output is in (\S+\.log)", stderr)
    assert match is not None, stderr
    return Path(match[1])


def test_workloads_older_than_the_mesh_get_sidecars(empty_sandbox: Sandbox) -> None:
    """Made before the mesh: Deployments, a StatefulSet and a DaemonSet get sidecars, none below its budget."""
    sandbox, api = empty_sandbox, empty_sandbox.api
    apply(api, namespace("shop"))
    apply(api, deployment("shop", "web", replicas=3))
    apply(api, stateful_set("shop", "db"))
    apply(api, daemon_set("shop", "agent"))
    apply(api, deployment("shop", "solo", strategy={"type": "Recreate"}))
    apply(api, budget("shop", "solo", minimum=1))
    twins = ("castor", "pollux")
    for name in twins:
        apply(api, deployment("shop", name, labels={"pair": "twins", SLOW: "2s"}))
    apply(api, budget("shop", "twins", minimum=3, selector={"pair": "twins"}))
    await_running(api, "shop", 3 + 2 + 3 + 2 + 4)
    before = {pod["metadata"]["name"] for pod in pods_of(api, "shop", "solo")}

    done = sandbox.run("install", *LOCAL)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in ("web", "db", "agent", *twins):
        pods = pods_of(api, "shop", name)
        assert pods
        assert all(has_proxy(pod) and is_ready(pod) for pod in pods), name
    assert {pod["metadata"]["name"] for pod in pods_of(api, "shop", "solo")} == before
    assert not any(has_proxy(pod) for pod in pods_of(api, "shop", "solo"))
    left = [line for line in done.stdout.splitlines() if "Deployment shop/solo" in line]
    assert any("its update takes 2 pods down at a time" in line and "allows 1" in line for line in left), done.stdout

    (_, first_ends), (second_starts, _) = sorted(restarted(sandbox, name) for name in twins)
    assert first_ends <= second_starts, "two workloads under one budget restart one after the other"

    writes = sandbox.writes()
    again = sandbox.run("restart", *LOCAL)
    assert (again.returncode, "up to date" in again.stdout) == (0, True), again.stdout + again.stderr
    assert sandbox.writes() == writes


def restarted(sandbox: Sandbox, name: str) -> tuple[datetime, datetime]:
    """When a Deployment's restart was asked for, and when its last pod was ready."""
    found = sandbox.api.get(path_of(deployment("shop", name)))
    assert found is not None
    asked = found["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"]
    ready = [
        condition["lastTransitionTime"]
        for pod in pods_of(sandbox.api, "shop", name)
        for condition in pod["status"]["conditions"]
        if condition["type"] == "Ready"
    ]
    return datetime.fromisoformat(asked), datetime.fromisoformat(max(ready)).astimezone(UTC)


def await_no_disruption(api: KubeApi, place: str, name: str) -> None:
    """Wait until a disruption budget lets no pod be away: its status follows the pods'."""
    for _ in range(120):
        found = api.get(path_of(budget(place, name, minimum=0)))
        assert found is not None
        if found["status"]["disruptionsAllowed"] == 0:
            return
        time.sleep(0.25)
    raise AssertionError(f"{name} still lets pods be away")


def test_restarts_stop_at_the_failure_budget_and_go_on_later(empty_sandbox: Sandbox, tmp_path: Path) -> None:
    """In the order they are restarted: one a budget holds up, a fine one, one that breaks, one too late."""
    sandbox, api = empty_sandbox, empty_sandbox.api
    apply(api, namespace("shop"))
    one_by_one = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    blocked = deployment("shop", "a-blocked", replicas=3, strategy=one_by_one)
    broken = deployment("shop", "c-broken")
    for item in (blocked, deployment("shop", "b-fine"), broken, deployment("shop", "d-late")):
        apply(api, item)
    apply(api, budget("shop", "a-blocked", minimum=2))
    await_running(api, "shop", 9)
    template = {"metadata": {"labels": {TROUBLE: "image-pull"}}}
    api.merge_patch(path_of(broken), {"spec": {"template": template}})  # new pods find no image, the old ones run on
    down = f"/api/v1/namespaces/shop/pods/{pods_of(api, 'shop', 'a-blocked')[0]['metadata']['name']}"
    api.merge_patch(down, {"metadata": {"labels": {TROUBLE: "not-ready"}}})
    await_no_disruption(api, "shop", "a-blocked")

    flags = environments(tmp_path, restarts={"parallel": 1, "maxFailures": 2, "timeout": "6s"})
    done = sandbox.run("install", *LOCAL, *flags, "--output", "json")
    assert done.returncode == 1, done.stdout + done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["what"] == "2 of 4 workloads did not come up with the new sidecar; 1 more was not started"
    said = "\n".join(error["details"])
    assert "Deployment shop/a-blocked: not restarted: PodDisruptionBudget shop/a-blocked lets 0 pods be away" in said
    assert "Deployment shop/c-broken: " in said
    assert "container app: ImagePullBackOff" in said
    assert "b-fine" not in said
    assert "sohistio restart" in error["todo"]
    assert sum(is_ready(pod) for pod in pods_of(api, "shop", "c-broken")) == 2, "the old pods go on serving"
    assert all(has_proxy(pod) and is_ready(pod) for pod in pods_of(api, "shop", "b-fine"))
    assert not any(has_proxy(pod) for name in ("a-blocked", "d-late") for pod in pods_of(api, "shop", name))

    verified = sandbox.run("verify", *LOCAL)
    assert verified.returncode == 5
    assert "old or no sidecar: Deployment shop/a-blocked, " in verified.stdout

    nothing = {"metadata": {"labels": {TROUBLE: None}}}
    api.merge_patch(path_of(broken), {"spec": {"template": nothing}})
    api.merge_patch(down, nothing)
    await_running(api, "shop", 9)
    last = sandbox.run("restart", *LOCAL, *flags)
    assert last.returncode == 0, last.stdout + last.stderr
    assert "Istio 1.31.1 is in place and verified" in last.stdout
    assert all(has_proxy(pod) and is_ready(pod) for pod in pods_of(api, "shop"))

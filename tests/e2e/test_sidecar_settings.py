"""Sidecars whose settings drift: found through the real webhook, restarted once, and nobody else with them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from own_environments import own_environments
from sandboxes import Sandbox
from sohistio.adapters.kubernetes.observe import observe
from sohistio.model.staleness import lacking
from sohistio.model.state import ClusterState
from workloads import apply, await_running, deployment, namespace, pods_of, quota, stateful_set

pytestmark = pytest.mark.e2e

SHOP, FULL = "settings", "full"
MAPS = "/api/v1/namespaces/istio-system/configmaps"
_INJECTOR, _MESH = "istio-sidecar-injector", "istio"
# Of what drifts below, what a workload may decide for itself.
OWN = {
    "sidecar.istio.io/proxyImage": "docker.io/istio/proxyv2:1.31.1",
    "sidecar.istio.io/proxyCPU": "100m",
    "sidecar.istio.io/proxyMemoryLimit": "700Mi",
    "sidecar.istio.io/logLevel": "error",
    "sidecar.istio.io/agentLogLevel": "default:error",
    "readiness.status.sidecar.istio.io/periodSeconds": "7",
    "status.sidecar.istio.io/port": "15029",
    "traffic.sidecar.istio.io/excludeOutboundPorts": "9999",
    "proxy.istio.io/config": "{concurrency: 3, drainDuration: 11s, tracing: {sampling: 3}}",
}
_Change = Callable[[dict[str, Any], dict[str, Any]], object]


def in_values(path: str, value: Any) -> _Change:
    """A change of the injector's values, below `global`."""
    return lambda values, _mesh: _put(values["global"], path, value)


def in_mesh(path: str, value: Any) -> _Change:
    """A change of the mesh's configuration."""
    return lambda _values, mesh: _put(mesh, path, value)


def _put(within: dict[str, Any], path: str, value: Any) -> None:
    *keys, last = path.split(".")
    for key in keys:
        within = within.setdefault(key, {})
    within[last] = value


@dataclass(frozen=True)
class Kind:
    """A kind of drift: what somebody changes, how a workload without annotations of its own is told of it, and whether
    the one with annotations is spared."""

    change: _Change
    words: str
    spares_own: bool = True


KINDS = {
    "limit": Kind(in_values("proxy.resources.limits.memory", "512Mi"), "limits.memory 1Gi → 512Mi"),
    "request": Kind(in_values("proxy.resources.requests.cpu", "250m"), "requests.cpu 100m → 250m"),
    "hub": Kind(
        in_values("hub", "mirror.corp/istio"), "image docker.io/istio/proxyv2:1.31.1 → mirror.corp/istio/proxyv2:1.31.1"
    ),
    "variant": Kind(
        in_values("variant", "debug"), "image docker.io/istio/proxyv2:1.31.1 → docker.io/istio/proxyv2:1.31.1-debug"
    ),
    "log-level": Kind(in_values("proxy.logLevel", "info"), "argument --proxyLogLevel warning → info"),
    "agent-log-level": Kind(
        in_values("logging.level", "default:debug"), "argument --log_output_level default:info → default:debug"
    ),
    "probe": Kind(in_values("proxy.readinessPeriodSeconds", 5), "readinessProbe.periodSeconds 15 → 5"),
    "startup-probe": Kind(
        in_values("proxy.startupProbe.failureThreshold", 60), "startupProbe.failureThreshold 600 → 60", spares_own=False
    ),
    "status-port": Kind(
        in_values("proxy.statusPort", 15120), "istio-init: argument -d 15090,15021,15020 → 15090,15021,15120"
    ),
    "outbound-ports": Kind(in_values("proxy.excludeOutboundPorts", "3306"), "istio-init: argument -o none → 3306"),
    "outbound-ranges": Kind(
        in_values("proxy.excludeIPRanges", "10.9.0.0/16"), 'istio-init: argument -x "" → 10.9.0.0/16', spares_own=False
    ),
    "privileged": Kind(
        in_values("proxy.privileged", True), "securityContext.privileged false → true", spares_own=False
    ),
    "lifecycle": Kind(
        in_values("proxy.lifecycle", {"preStop": {"sleep": {"seconds": 5}}}),
        "lifecycle.preStop.sleep.seconds none → 5",
        spares_own=False,
    ),
    "pull-policy": Kind(
        in_values("imagePullPolicy", "Always"), "imagePullPolicy IfNotPresent → Always", spares_own=False
    ),
    "concurrency": Kind(in_mesh("defaultConfig.concurrency", 4), "proxyConfig.concurrency none → 4"),
    "drain": Kind(in_mesh("defaultConfig.drainDuration", "60s"), "proxyConfig.drainDuration none → 60s"),
    "tracing": Kind(in_mesh("defaultConfig.tracing.sampling", 10), "proxyConfig.tracing.sampling none → 10"),
    "hold": Kind(
        in_mesh("defaultConfig.holdApplicationUntilProxyStarts", True),
        "proxyConfig.holdApplicationUntilProxyStarts none → true",
        spares_own=False,
    ),
    "dns": Kind(
        in_mesh("defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE", "true"),
        "env ISTIO_META_DNS_CAPTURE none → true",
        spares_own=False,
    ),
    "prometheus": Kind(
        in_mesh("enablePrometheusMerge", False), "annotation prometheus.io/port 15020 → none", spares_own=False
    ),
}

# Here one dry run speaks for the namespace: of the others the image is enough.
BY_IMAGE = ("hub", "variant")


@pytest.fixture(scope="module")
def meshed(sandbox: Sandbox) -> Sandbox:
    """A mesh with workloads: two plain ones, one with annotations of its own, one that opted out, one of gRPC."""
    sandbox.with_mesh()
    apply(sandbox.api, namespace(SHOP))
    apply(sandbox.api, deployment(SHOP, "web"))
    apply(sandbox.api, stateful_set(SHOP, "db"))
    for name, labels, given in (
        ("own", {}, OWN),
        ("out", {"sidecar.istio.io/inject": "false"}, {}),
        ("grpc", {}, {"inject.istio.io/templates": "grpc-agent"}),
    ):
        item = deployment(SHOP, name, replicas=1, labels=labels)
        item["spec"]["template"]["metadata"]["annotations"] = given
        apply(sandbox.api, item)
    await_running(sandbox.api, SHOP, 7)
    return sandbox


def drifted(state: ClusterState) -> dict[str, list[str]]:
    """What a restart would change, workload by workload, in words."""
    sidecar = state.sidecar
    assert sidecar is not None
    assert not state.not_compared
    return {w.ref.name: [change.words for change in lacking(w, w.pods[0], sidecar)] for w in state.workloads}


def seen(box: Sandbox, until: Callable[[dict[str, list[str]]], bool]) -> dict[str, list[str]]:
    """What dry runs find, once istiod has read what was changed."""
    end = time.monotonic() + 20
    while True:
        if until(found := drifted(observe(box.api, dry_runs=True))) or time.monotonic() > end:
            return found


def dry_runs(box: Sandbox) -> int:
    """How many new pods have been asked about, by the audit log."""
    log = (box.folder / "audit.log").read_text(encoding="utf-8").splitlines()
    return sum('"stage":"ResponseComplete"' in line and "/pods?dryRun=All" in line for line in log)


def write(box: Sandbox, texts: Mapping[str, Mapping[str, str]]) -> None:
    for name, data in texts.items():
        box.api.merge_patch(f"{MAPS}/{name}", {"data": dict(data)})


def test_twenty_kinds_of_drift_are_found_and_only_where_they_are(meshed: Sandbox) -> None:
    """As somebody edits the ConfigMaps: each kind alone, through the real webhook."""
    before = {name: (meshed.api.get(f"{MAPS}/{name}") or {})["data"] for name in (_INJECTOR, _MESH)}
    quiet: dict[str, list[str]] = {name: [] for name in ("web", "db", "own", "out", "grpc")}
    assert seen(meshed, bool) == quiet
    for name, kind in KINDS.items():
        values, mesh = json.loads(before[_INJECTOR]["values"]), yaml.safe_load(before[_MESH]["mesh"])
        kind.change(values, mesh)
        write(meshed, {_INJECTOR: {"values": json.dumps(values)}, _MESH: {"mesh": yaml.safe_dump(mesh)}})
        found = seen(meshed, lambda found: bool(found["web"]))
        assert kind.words in found["web"], (name, found)
        assert found["db"] == found["web"] or (name in BY_IMAGE and kind.words in found["db"]), name
        assert bool(found["own"]) is not kind.spares_own, (name, found)
        assert found["out"] == found["grpc"] == []
    write(meshed, before)
    assert seen(meshed, lambda found: not any(found.values())) == quiet


def test_a_full_quota_leaves_the_image_to_decide_and_is_said(meshed: Sandbox) -> None:
    full = quota(meshed.api, SHOP, "full", pods="7")
    done = meshed.run("restart", "--env", "local", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    words = "Namespace settings: the quota full leaves no room for a pod"
    assert f"sidecars compared by their image only, {words}" in " ".join(done.stdout.split()), done.stdout
    meshed.api.delete(full)


def test_a_proxy_config_is_a_setting_too_and_each_change_of_it(meshed: Sandbox) -> None:
    """It is in neither ConfigMap: pods that a restart made under the same ones are asked about again."""
    path = f"/apis/networking.istio.io/v1beta1/namespaces/{SHOP}/proxyconfigs"
    spec = {"selector": {"matchLabels": {"app": "web"}}, "concurrency": 3}
    made = {
        "apiVersion": "networking.istio.io/v1beta1",
        "kind": "ProxyConfig",
        "metadata": {"name": "web"},
        "spec": spec,
    }
    for concurrency in (3, 5):
        if concurrency == 3:
            meshed.api.create(path, made)
        else:
            meshed.api.merge_patch(f"{path}/web", {"spec": {"concurrency": concurrency}})
        found = seen(meshed, lambda found: bool(found["web"]))
        assert [item for item in found["web"] if item.endswith(f"→ {concurrency}")], found
        assert found["db"] == []
        done = meshed.run("restart", "--env", "local", "--yes")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "restart 1 workload" in done.stdout
        assert seen(meshed, lambda found: not found["web"])["web"] == []
    meshed.api.delete(f"{path}/web")
    # What is gone leaves no time to go by: its workloads are restarted by hand.
    template = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "by-hand"}}}
    meshed.api.merge_patch(f"/apis/apps/v1/namespaces/{SHOP}/deployments/web", {"spec": {"template": template}})
    await_running(meshed.api, SHOP, 7)


def test_an_overlay_with_other_settings_restarts_those_whose_sidecars_differ_and_once(
    meshed: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Foreseen by the plan, while the webhook is the old one's; the same twice more, and nothing happens.

    Where a full quota lets nobody ask the new one, the plan's word stands.
    """
    flags = own_environments(tmp_path_factory.mktemp("own"))
    config = {"concurrency": 4, "drainDuration": "60s", "tracing": {"sampling": 10}}
    proxy = {"logLevel": "info", "resources": {"limits": {"memory": "512Mi"}}}
    spec = {"meshConfig": {"defaultConfig": config}, "values": {"global": {"proxy": proxy}}}
    overlay = {"apiVersion": "install.istio.io/v1alpha1", "kind": "IstioOperator", "spec": spec}
    Path(flags[-1], "local", "istiooperator.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")

    apply(meshed.api, namespace(FULL))
    one_by_one = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    apply(meshed.api, deployment(FULL, "tight", replicas=1, strategy=one_by_one))
    await_running(meshed.api, FULL, 1)
    quota(meshed.api, FULL, "full", pods="1")

    def names() -> dict[str, set[str]]:
        of = ((FULL, "tight"), *((SHOP, app) for app in ("web", "db", "own", "out", "grpc")))
        return {app: {pod["metadata"]["uid"] for pod in pods_of(meshed.api, place, app)} for place, app in of}

    planned = meshed.run("plan", *flags, "--output", "json")
    (step,) = [s for p in json.loads(planned.stdout)["phases"] for s in p["steps"] if s["id"] == "sidecars/restart"]
    assert [ref["name"] for ref in step["workloads"]] == ["tight", "web", "db"]
    (reason,) = step["reasons"]
    assert reason["because"].startswith("limits.memory 1Gi → 512Mi, proxyConfig.concurrency none → 4, ")

    before = names()
    done = meshed.run("install", *flags, "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "because: limits.memory 1Gi → 512Mi" in done.stdout
    after = names()
    assert {app for app in before if before[app] != after[app]} == {"tight", "web", "db"}
    (proxy_now,) = [
        c for c in pods_of(meshed.api, SHOP, "web")[0]["spec"]["initContainers"] if c["name"] == "istio-proxy"
    ]
    assert proxy_now["resources"]["limits"]["memory"] == "512Mi"

    writes, asked = meshed.writes(), dry_runs(meshed)
    for _ in range(2):
        again = meshed.run("install", *flags, "--yes")
        assert (again.returncode, names()) == (0, after), again.stdout + again.stderr
    assert (meshed.writes(), dry_runs(meshed)) == (writes, asked), "in sync: nothing is written, and no pod asked about"
